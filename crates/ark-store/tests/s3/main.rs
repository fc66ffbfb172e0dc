//! The suite against a real S3 server, as it is and behind a proxy that breaks
//! connections.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod bucket;
mod credentials;
mod faults;
mod lost_answers;
mod quirks;
mod retry_after;
mod signed;
mod tagging;
mod tls;

use ark_store::conformance_tests;

conformance_tests!(bucket::subject);
