//! The server against a real API server and a directory, looked at with `kubectl`
//! as its users would.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a test shall end it, also outside the test function"
)]

mod broken_store;
mod bucket;
mod cancel;
mod clock;
mod clouds;
mod csi;
mod deletion;
mod disabled;
mod documented;
mod events;
mod flow;
mod foreign;

mod locations;
mod metrics;
mod queue;
mod recovery;
mod requests;
mod s3;
mod schedule;
mod selection;
mod site;
mod strict;
mod sync;
mod twins;
mod volumes;
