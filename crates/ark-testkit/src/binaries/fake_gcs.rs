//! fake-gcs-server, which plays Google Cloud Storage.

use std::path::PathBuf;

use anyhow::Result;

use super::go::{GoProgram, module};

/// The version that `testenv/gcs/go.mod` pins.
const VERSION: &str = "v1.56.1";

/// The program, built if it is missing: some minutes on two cores.
pub fn ensure() -> Result<PathBuf> {
    GoProgram {
        what: &format!("fake-gcs-server {VERSION}, the Google Cloud Storage for tests"),
        module: module("gcs"),
        package: "github.com/fsouza/fake-gcs-server",
        folder: &format!("fake-gcs-server-{VERSION}"),
        name: "fake-gcs-server",
        linker_flags: "-s -w",
    }
    .ensure()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binaries::go;

    #[test]
    fn the_version_is_the_one_that_the_module_pins() {
        let line = format!("github.com/fsouza/fake-gcs-server {VERSION}");
        assert!(go::pins(&module("gcs")).contains(&line));
    }
}
