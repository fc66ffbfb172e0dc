//! Real servers for tests, the demo and the benches: a Kubernetes control plane,
//! object stores, the clouds' disks, and a proxy that breaks connections on demand.
//!
//! Entry points: [`ControlPlane`], [`s3::S3Server`], [`gcs::GcsServer`],
//! [`azure::BlobServer`], [`aws::AwsServer`], [`disks::DiskCloud`],
//! [`tokens::TokenServer`], [`csi::CsiPlane`], [`restic::Restic`], [`fault::FaultProxy`], [`foreign`] for buckets that other
//! programs filled.
//! What is started here listens on loopback at free ports, keeps its files in one
//! directory, and is gone together with that directory when its owner is, however
//! the owner ends (see [`supervisor`]).
//!
//! This crate never ships, depends on no other crate of Ark and on no Kubernetes
//! client, and imposes no async runtime: its calls block for as long as a start
//! takes. Its errors are `anyhow`, since a test can only show them. Starting and
//! building talk on stderr, never on stdout.

pub mod aws;
pub mod azure;
pub mod binaries;
mod cache;
pub mod csi;
pub mod disks;
mod environment;
pub mod fault;
pub mod foreign;
pub mod gcs;
pub mod http;
mod kubectl;
mod names;
mod plane;
mod ports;
mod progress;
mod python;
pub mod restic;
pub mod s3;
mod service;
mod sign;
pub mod supervisor;
pub mod tokens;

pub use binaries::KubernetesVersion;
pub use environment::{
    CONTROL_PLANE_VARIABLE, S3_VARIABLE, SEED_VARIABLE, SOAK_VARIABLE, seed, soak,
};
pub use names::{Namespaces, unique_name};
pub use plane::{ControlPlane, Options, SIMULATED_NODE, registry};
