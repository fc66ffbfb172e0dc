//! The backup format: tar layout, gzip members, index, side files.
//!
//! Everything here works on bytes and `std::io`; the crate knows no network, no
//! Kubernetes and no async runtime. Readers trust nothing: each size, path,
//! count and hash that comes out of a bucket is checked before it is used.
//!
//! # On disk
//!
//! Keys are relative to the location's prefix; [`layout`] has one function for each.
//!
//! | key | written by | read by |
//! |---|---|---|
//! | `backups/<b>/velero-backup.json` | [`metadata::encode_backup`], last: the commit marker | [`metadata::decode_backup`] |
//! | `backups/<b>/ark-backup.json` | Heptio Ark up to 0.10, never by us | [`metadata::decode_backup`] |
//! | `backups/<b>/<b>.tar.gz` | [`write::Packer`] or [`write::Writer`] | [`read::scan`], [`spool::Spool`], [`index::unpack_member`] |
//! | `backups/<b>/ark-index.gz` | [`index::IndexBuilder::encode`] | [`index::Index::decode`] |
//! | `backups/<b>/ark-manifest.json` | the engine, plain JSON | people |
//! | `backups/<b>/<b>-logs.gz` | the engine, gzip text | [`gunzip::GunzipReader`] |
//! | `backups/<b>/<b>-resource-list.json.gz` | [`side::encode`] of [`side::ResourceList`] | [`side::decode`] |
//! | `backups/<b>/<b>-results.gz` | [`side::encode`] of [`side::Results`] | [`side::decode`] |
//! | `backups/<b>/<b>-volumeinfo.json.gz` | [`side::encode`] of [`side::BackupVolumeInfo`]s | [`side::decode`] |
//! | `backups/<b>/<b>-volumesnapshots.json.gz` | [`side::encode`] of [`side::VolumeSnapshot`]s | [`side::decode`] |
//! | `backups/<b>/<b>-podvolumebackups.json.gz` | [`side::encode`] of whole resources | [`side::decode`] |
//! | `backups/<b>/<b>-itemoperations.json.gz` | [`side::encode`] of [`side::BackupOperation`]s | [`side::decode`] |
//! | `restores/<r>/restore-<r>-logs.gz` | the engine, gzip text | [`gunzip::GunzipReader`] |
//! | `restores/<r>/restore-<r>-results.gz` | [`side::encode`] of [`side::Results`] | [`side::decode`] |
//! | `restores/<r>/restore-<r>-resource-list.json.gz` | [`side::encode`] of [`side::ResourceList`] | [`side::decode`] |
//! | `restores/<r>/restore-<r>-itemoperations.json.gz` | [`side::encode`] of [`side::RestoreOperation`]s | [`side::decode`] |
//! | `restores/<r>/<r>-volumeinfo.json.gz` | [`side::encode`] of [`side::RestoreVolumeInfo`]s | [`side::decode`] |
//!
//! # In the tarball
//!
//! | path | written by | read by |
//! |---|---|---|
//! | `metadata/version`, first | [`write::Packer::new`] | [`read::scan`] |
//! | `resources/<gr>/namespaces/<ns>/<name>.json`, `resources/<gr>/cluster/<name>.json` | [`write::Packer::add`] | [`read::scan`] |
//! | `resources/<gr>/<version>-preferredversion/...`, the same bytes again | [`write::Packer::add`] | [`read::scan`] |
//! | `resources/<gr>/<version>/...` | [`write::Packer::add_version`] | [`read::scan`] |
//! | `namespaces/<ns>/<gr>/<name>.json`, `cluster/<gr>/<name>.json` | Heptio Ark 0.3 and 0.4, never by us | [`read::scan`] |
//!
//! Heptio Ark 0.3 to 0.9 had the folders of backups at the root, without `backups/`
//! before them; [`heptio`] turns what its releases wrote into today's form.
//!
//! `<gr>` is `pods` or `deployments.apps`. The tar stream is cut between items
//! into gzip members, see [`mod@write`]; the index tells where each item lies.

pub mod catalog;
pub mod deflate;
pub mod gunzip;
mod header;
pub mod heptio;
pub mod index;
pub mod key;
pub mod layout;
pub mod limits;
pub mod metadata;
pub mod read;
mod seen;
pub mod side;
pub mod spool;
pub mod write;

pub use catalog::{Catalog, Entry, Group};
pub use index::Index;
pub use key::{GroupResource, ItemKey, KeyError};
pub use limits::Limits;
pub use spool::Spool;

#[cfg(test)]
mod tests;
