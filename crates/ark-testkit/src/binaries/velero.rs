//! The stock command line of Velero, as a client of Ark's server.

use std::path::PathBuf;

use anyhow::Result;

use super::go::{GoProgram, module};

/// The version that `testenv/velero/go.mod` pins.
pub const VERSION: &str = "v1.18.1";

/// The program, built if it is missing: some minutes on two cores.
pub fn ensure() -> Result<PathBuf> {
    GoProgram {
        what: &format!("the command line of Velero {VERSION}"),
        module: module("velero"),
        package: ".",
        folder: &format!("velero-{VERSION}"),
        name: "velero",
        linker_flags: &format!(
            "-s -w -X github.com/vmware-tanzu/velero/pkg/buildinfo.Version={VERSION}"
        ),
    }
    .ensure()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binaries::go;

    #[test]
    fn the_version_is_the_one_that_the_module_pins() {
        let line = format!("github.com/vmware-tanzu/velero {VERSION}");
        assert!(go::pins(&module("velero")).contains(&line));
    }
}
