//! Data of volumes: snapshots of the clouds' disks, and copies of files.
//!
//! [`open`] makes of a [`SnapshotLocation`] an [`ark_engine::port::Disks`], whose page is
//! the contract; `conformance` (with the feature of that name) is the suite that holds each provider to it.
//!
//! | file | concern |
//! |---|---|
//! | `location.rs` | what a snapshot location is |
//! | `open.rs` | a location → its disks, and all that can be wrong with one |
//! | `retry.rs` | waiting out throttling and passing failures |
//! | `look.rs` | looking at snapshots one by one |
//! | `topology.rs` | the zones that a volume names |
//! | `aws.rs` | Amazon EBS |
//! | `gcp.rs` | persistent disks of Compute Engine |
//! | `azure.rs` | managed disks of Azure |
//! | [`mod@file`] | copies that any cloud can restore from, in a repository in the bucket |

mod aws;
mod azure;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod file;
mod gcp;
mod location;
mod look;
mod open;
mod retry;
mod topology;

pub use ark_cloud::Credentials;
pub use location::SnapshotLocation;
pub use open::{OpenError, open};
