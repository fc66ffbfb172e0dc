//! Names that no other test uses, so that tests can share one server.

use std::fs::File;
use std::io::Read as _;

use crate::ControlPlane;

/// `prefix` and ten random hexadecimal digits: a valid DNS label, bucket name and
/// object name if `prefix` is one, used by nobody else.
pub fn unique_name(prefix: &str) -> String {
    format!("{prefix}-{}", random_hex(5))
}

/// `bytes` random bytes as hexadecimal digits.
///
/// # Panics
/// When the machine has no source of randomness.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut buffer));
    if let Err(error) = read {
        panic!("cannot read /dev/urandom: {error}");
    }
    hex::encode(buffer)
}

/// Namespaces of one test: makes them under names of their own and asks the
/// server to delete them when dropped (without waiting for it).
#[derive(Debug)]
pub struct Namespaces<'a> {
    plane: &'a ControlPlane,
    made: Vec<String>,
}

impl<'a> Namespaces<'a> {
    /// No namespace yet.
    pub fn new(plane: &'a ControlPlane) -> Self {
        Self {
            plane,
            made: Vec::new(),
        }
    }

    /// Makes a namespace `prefix-…` and returns its name.
    pub fn create(&mut self, prefix: &str) -> anyhow::Result<String> {
        let name = self.reserve(prefix);
        self.plane.kubectl(&["create", "namespace", &name])?;
        Ok(name)
    }

    /// Returns a name for a namespace that the test makes itself (or a restore
    /// does); it is deleted with the others if it exists then.
    pub fn reserve(&mut self, prefix: &str) -> String {
        let name = unique_name(prefix);
        self.made.push(name.clone());
        name
    }
}

impl Drop for Namespaces<'_> {
    fn drop(&mut self) {
        if self.made.is_empty() {
            return;
        }
        let mut arguments = vec!["delete", "namespace", "--ignore-not-found", "--wait=false"];
        arguments.extend(self.made.iter().map(String::as_str));
        // The plane may be gone already, and its namespaces with it.
        let _ = self.plane.kubectl(&arguments);
    }
}
