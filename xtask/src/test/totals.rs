//! Adds up what a test binary tells. Works on lines alone.

use std::iter::Sum;

/// What test binaries told.
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

/// Reads the output of a test binary line by line.
#[derive(Debug, Default)]
pub(super) struct Tally {
    results: Vec<Counts>,
    /// What is said of tests that failed, from its heading to the result.
    failures: Vec<String>,
    in_failures: bool,
}

impl Tally {
    /// Takes in the next line.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(counts) = result(line) {
            self.results.push(counts);
            self.in_failures = false;
        }
        self.in_failures |= line == "failures:";
        if self.in_failures {
            self.failures.push(line.to_owned());
        }
    }

    /// The counts, and what was said of failures. A binary has crashed when it fails
    /// without a test that did, and when it ends without the result that it owes.
    pub(super) fn finish(self, success: bool, needs_result: bool) -> (Counts, Vec<String>) {
        let silent = needs_result && self.results.is_empty();
        let mut counts: Counts = self.results.into_iter().sum();
        if silent || (!success && counts.failed == 0) {
            counts.crashed += 1;
            counts.failed += 1;
        }
        (counts, self.failures)
    }
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

    fn finished(output: &str, success: bool, needs_result: bool) -> (Counts, Vec<String>) {
        let mut tally = Tally::default();
        for line in output.lines() {
            tally.line(line);
        }
        tally.finish(success, needs_result)
    }

    #[test]
    fn results_add_up() {
        let output = "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; \
             0 filtered out; finished in 0.00s\n\
             \x20  Doc-tests ark_api\n\
             test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";
        let expected = Counts {
            passed: 7,
            failed: 3,
            ignored: 1,
            crashed: 0,
        };
        assert_eq!(finished(output, false, true).0, expected);
    }

    #[test]
    fn a_binary_without_result_counts_as_failed() {
        let crashed = Counts {
            failed: 1,
            crashed: 1,
            ..Counts::default()
        };
        let cut = "running 2 tests\ntest wire::tests::deep ... ";
        assert_eq!(finished(cut, false, true).0, crashed);
        assert_eq!(finished(cut, true, true).0, crashed);
        assert_eq!(finished("error: no such command", false, false).0, crashed);
        assert_eq!(finished("", true, false).0, Counts::default());
        let after = "test result: ok. 1 passed; 0 failed; 0 ignored";
        assert_eq!(finished(after, false, true).0.crashed, 1);
    }

    #[test]
    fn failures_are_kept_up_to_the_result() {
        let output = "test a ... FAILED\n\nfailures:\n\n---- a stdout ----\nboom\n\n\
             failures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n\n";
        let (_, failures) = finished(output, false, true);
        assert_eq!(failures.first().unwrap(), "failures:");
        assert!(failures.contains(&"boom".to_owned()));
        assert!(!failures.iter().any(|line| line.contains("result")));
    }
}
