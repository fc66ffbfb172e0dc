//! The one place of this crate that reads environment variables.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// Names the directory of a running control plane that all test binaries share.
/// `cargo xtask test` sets it.
pub const CONTROL_PLANE_VARIABLE: &str = "ARK_TEST_CONTROL_PLANE";

/// Names the directory of a running S3 server that all test binaries share.
/// `cargo xtask test` sets it.
pub const S3_VARIABLE: &str = "ARK_TEST_S3";

#[expect(
    clippy::disallowed_methods,
    reason = "this module is the one place that reads the environment"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// How long tests of random events go on, in seconds; without it, as long as a
/// suite that people wait for can take.
pub const SOAK_VARIABLE: &str = "ARK_TEST_SOAK_SECONDS";

/// Where tests of random events begin; the same number gives the same events.
pub const SEED_VARIABLE: &str = "ARK_TEST_SEED";

/// How long a test of random events goes on.
pub fn soak() -> Option<std::time::Duration> {
    number(SOAK_VARIABLE).map(std::time::Duration::from_secs)
}

/// The seed that was asked for.
pub fn seed() -> Option<u64> {
    number(SEED_VARIABLE)
}

fn number(name: &str) -> Option<u64> {
    variable(name)?.to_str()?.parse().ok()
}

/// The directory of the control plane to share, if one was given.
pub(crate) fn shared_control_plane() -> Option<PathBuf> {
    variable(CONTROL_PLANE_VARIABLE).map(PathBuf::from)
}

/// The directory of the S3 server to share, if one was given.
pub(crate) fn shared_s3() -> Option<PathBuf> {
    variable(S3_VARIABLE).map(PathBuf::from)
}

/// Programs the user already has, in the layout of `setup-envtest`:
/// `etcd`, `kube-apiserver` and `kubectl` in one directory.
pub(crate) fn kubebuilder_assets() -> Option<PathBuf> {
    variable("KUBEBUILDER_ASSETS").map(PathBuf::from)
}

/// `$XDG_CACHE_HOME/ark`, else `~/.cache/ark`.
pub(crate) fn cache_dir() -> Result<PathBuf> {
    let base = match variable("XDG_CACHE_HOME").map(PathBuf::from) {
        Some(dir) if dir.is_absolute() => dir,
        _ => PathBuf::from(
            variable("HOME").context("neither XDG_CACHE_HOME nor HOME is set: no cache folder")?,
        )
        .join(".cache"),
    };
    Ok(base.join("ark"))
}
