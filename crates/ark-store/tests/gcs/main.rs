//! The suite against a server that plays Google Cloud Storage.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod bucket;
mod config;
mod credentials;
mod faults;
mod signed;

use ark_store::conformance_tests;

conformance_tests!(bucket::subject);
