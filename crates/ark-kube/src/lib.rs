//! The cluster port: how Ark speaks to a Kubernetes API server.
//!
//! Start with [`Connection`]: it implements [`ark_engine::port::Cluster`] by raw
//! requests, so bodies pass unparsed. On top of it lie typed access to our own
//! custom resources ([`Custom`]), controllers over them ([`Controller`]), waits
//! ([`wait`]), installation ([`apply`]) and leader election ([`lease`]).
//!
//! This crate alone names `kube::Client`, and no public signature shows it.
//!
//! # Logging
//! The HTTP stack below logs every 5xx answer at error level by itself, and
//! objects of a list that it cannot read at warning level, under the target
//! `kube_client`. Programs should switch that target off: every failed call is
//! returned with its operation and reason.

pub mod apply;
mod backoff;
mod builtin;
mod call;
mod changes;
mod cluster;
pub mod connect;
pub mod controller;
pub mod custom;
mod discovery;
mod error;
mod exec;
mod follow;
pub mod lease;
mod page;
mod path;
mod pods;
mod throttle;
pub mod wait;

pub use connect::{ConnectError, ConnectOptions, Connection, install_tls};
pub use controller::{Controller, ControllerOptions, Next, Trigger};
pub use custom::{Custom, CustomError, CustomResource, Invalid, Listed, resource_of};
pub use pods::{Answer, SourcePod};
