//! What Ark decides and does: backup, restore, deletion, as plans and pipelines.
//!
//! The engine sees the world through [`port`]: a cluster, a store, a clock. It
//! never names a Kubernetes client, a cloud, the environment or a terminal, so
//! the server and the command line run the very same code.
//!
//! Start with [`port`] for the edges and [`object`] for what flows through.

pub mod object;
pub mod port;
