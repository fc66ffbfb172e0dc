//! The suite against a server that plays Azure Blob Storage.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod container;
mod credentials;
mod faults;
mod signed;

use ark_store::conformance_tests;

conformance_tests!(container::subject);
