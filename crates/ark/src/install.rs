//! Installing Ark: what an installation consists of. Pure functions; applying
//! the objects and waiting for them is up to the caller.
//!
//! [`manifest::manifests`] is the one description of an installation: it is what
//! `ark install` applies, what it prints, and what [`deploy::files`] writes.

pub mod deploy;
pub mod manifest;
mod server;

pub use manifest::{InstallOptions, ManifestError, Provider, Resources, crds, manifests};
