//! Adds up what `cargo test` tells, by package. Works on lines alone.

use std::collections::{BTreeMap, HashMap};
use std::iter::Sum;

/// What the test binaries of a package told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    /// Failed tests, and one for each binary that crashed.
    pub(super) failed: usize,
    pub(super) ignored: usize,
    /// Binaries that ended without a result.
    pub(super) crashed: usize,
}

impl Counts {
    /// How many tests were carried out.
    pub(super) fn run(self) -> usize {
        self.passed + self.failed
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, counts| Self {
            passed: sum.passed + counts.passed,
            failed: sum.failed + counts.failed,
            ignored: sum.ignored + counts.ignored,
            crashed: sum.crashed + counts.crashed,
        })
    }
}

/// Reads the output of `cargo test` line by line.
#[derive(Debug)]
pub(super) struct Totals {
    /// File name of a test binary → package.
    binaries: HashMap<String, String>,
    packages: BTreeMap<String, Counts>,
    /// The package whose binary runs and has not told its result.
    current: Option<String>,
}

impl Totals {
    /// Nothing has run yet.
    pub(super) fn new(binaries: HashMap<String, String>) -> Self {
        Self {
            binaries,
            packages: BTreeMap::new(),
            current: None,
        }
    }

    /// Takes in the next line.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(package) = self.started(line) {
            self.crash();
            self.packages.entry(package.clone()).or_default();
            self.current = Some(package);
        } else if let (Some(package), Some(counts)) = (&self.current, result(line)) {
            let sum = self.packages.entry(package.clone()).or_default();
            *sum = [*sum, counts].into_iter().sum();
            self.current = None;
        }
    }

    /// The counts of each package that had a binary.
    pub(super) fn finish(mut self) -> BTreeMap<String, Counts> {
        self.crash();
        self.packages
    }

    fn crash(&mut self) {
        if let Some(package) = self.current.take() {
            let counts = self.packages.entry(package).or_default();
            counts.crashed += 1;
            counts.failed += 1;
        }
    }

    /// The package whose tests begin with this line:
    /// `Running tests/plane.rs (target/debug/deps/plane-0123)` or `Doc-tests ark_api`.
    fn started(&self, line: &str) -> Option<String> {
        let line = line.trim_start();
        if let Some(path) = line.strip_prefix("Running ") {
            let (_, path) = path.strip_suffix(')')?.rsplit_once('(')?;
            return self.binaries.get(file_name(path)).cloned();
        }
        let name = line.strip_prefix("Doc-tests ")?;
        self.binaries
            .values()
            .find(|package| package.replace('-', "_") == name)
            .cloned()
    }
}

/// The part after the last `/`.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The counts in `test result: ok. 5 passed; 0 failed; 1 ignored; …`.
fn result(line: &str) -> Option<Counts> {
    let (_, text) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = Counts::default();
    for part in text.split("; ") {
        let Some((number, what)) = part.split_once(' ') else {
            continue;
        };
        match what {
            "passed" => counts.passed = number.parse().ok()?,
            "failed" => counts.failed = number.parse().ok()?,
            "ignored" => counts.ignored = number.parse().ok()?,
            _ => {}
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(output: &str) -> BTreeMap<String, Counts> {
        let binaries = [
            ("ark_api-1", "ark-api"),
            ("wire-2", "ark-api"),
            ("ark-3", "ark"),
        ];
        let binaries = binaries.map(|(file, package)| (file.to_owned(), package.to_owned()));
        let mut totals = Totals::new(binaries.into());
        for line in output.lines() {
            totals.line(line);
        }
        totals.finish()
    }

    #[test]
    fn binaries_and_examples_of_a_package_add_up() {
        let counts = totals(
            "     Running unittests src/lib.rs (target/debug/deps/ark_api-1)\n\
             test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; \
             finished in 0.00s\n\
             \x20    Running tests/wire.rs (/build/target/debug/deps/wire-2)\n\
             test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out\n\
             \x20  Doc-tests ark_api\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        let expected = Counts {
            passed: 8,
            failed: 3,
            ignored: 1,
            crashed: 0,
        };
        assert_eq!(counts, [("ark-api".to_owned(), expected)].into());
    }

    #[test]
    fn a_binary_without_result_counts_as_failed() {
        let counts = totals(
            "     Running unittests src/lib.rs (target/debug/deps/ark_api-1)\n\
             test wire::tests::deep ... \n\
             \x20    Running unittests src/main.rs (target/debug/deps/ark-3)\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out",
        );
        assert_eq!(
            counts["ark-api"],
            Counts {
                failed: 1,
                crashed: 1,
                ..Counts::default()
            }
        );
        assert_eq!(
            counts["ark"],
            Counts {
                passed: 1,
                ..Counts::default()
            }
        );
    }

    #[test]
    fn what_a_test_prints_is_no_result() {
        let counts = totals("test result: ok. 5 passed; 0 failed; 0 ignored\nRunning x (y/z-9)");
        assert!(counts.is_empty());
    }
}
