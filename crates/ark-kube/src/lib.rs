//! The cluster port: how Ark speaks to a Kubernetes API server.
//!
//! Start with [`Connection`]: it implements [`ark_engine::port::Cluster`] by raw
//! requests, so bodies pass unparsed.
//!
//! This crate alone names `kube::Client`, and no public signature shows it.
//!
//! # Logging
//! The HTTP stack below logs every 5xx answer at error level by itself, under the
//! target `kube_client`; programs should switch that target off, since every
//! failed call is returned with its operation and reason.

mod backoff;
mod call;
mod cluster;
pub mod connect;
mod discovery;
mod error;
mod page;
mod path;
mod throttle;

pub use connect::{ConnectError, ConnectOptions, Connection, install_tls};
