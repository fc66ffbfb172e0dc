//! What Ark decides and does: backup, restore, deletion, as plans and pipelines.
//!
//! The engine sees the world through [`port`]: a cluster, a store, a clock. It
//! never names a Kubernetes client, a cloud, the environment or a terminal, so
//! the server and the command line run the very same code.
//!
//! Start with [`backup::run`]; [`job`] says what a run is given.

pub mod action;
pub mod archive;
pub mod backup;
pub mod catalog;
mod csi;
pub mod delete;
pub mod hook;
pub mod inventory;
pub mod job;
mod journal;
pub mod object;
pub mod orphans;
pub mod outcome;
pub mod policy;
pub mod port;
pub mod progress;
mod quantity;
pub mod restore;
pub mod schedule;
pub mod select;
mod watch;
