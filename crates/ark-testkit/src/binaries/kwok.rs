//! kwok, which plays a node.

use std::path::PathBuf;

use anyhow::Result;

use super::go::{GoProgram, module};

/// The version that `testenv/kwok/go.mod` pins.
const VERSION: &str = "v0.8.0";

/// The program, built if it is missing: some minutes on two cores.
pub fn ensure() -> Result<PathBuf> {
    GoProgram {
        what: &format!("kwok {VERSION}, the simulated node"),
        module: module("kwok"),
        package: "sigs.k8s.io/kwok/cmd/kwok",
        folder: &format!("kwok-{VERSION}"),
        name: "kwok",
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
        assert!(go::pins(&module("kwok")).contains(&format!("sigs.k8s.io/kwok {VERSION}")));
    }
}
