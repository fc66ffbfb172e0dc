//! The server: controllers over custom resources, and what makes them a process.
//!
//! Start with [`run`]: the composition root, which reads from top to bottom.
//! Each controller is one file under `controller`, and each reconcile reads as
//! its steps: fetch what the spec refers to, validate, plan, act, report. Long
//! work is a job in the registry (`jobs`); a reconcile starts or observes it.
//!
//! State lives in custom resources and in the bucket. What is in memory here
//! (running jobs, opened locations) can be lost at any moment.

mod attempts;
mod built_in;
mod context;
mod controller;
mod disabled;
mod events;
mod files;
mod health;
mod jobs;
mod locations;
mod memory;
mod metrics;
mod namespaces;
mod options;
mod phase;
mod queue;
mod run;
mod secrets;
mod slots;
mod snapshot_locations;
mod status;
mod task;
mod text;
mod transition;

pub use disabled::{DisabledControllers, UnknownControllers};
pub use options::ServerOptions;
pub use run::{Server, ServerError, run};
pub use snapshot_locations::{OpenAllError, open_all as open_snapshot_locations};
