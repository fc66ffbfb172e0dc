//! `cargo xtask test`: all tests of the workspace against shared control planes and
//! a shared S3 server, and totals that hide nothing.

mod binary;
mod run;
mod totals;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use ark_testkit::Options;
use ark_testkit::binaries::{self, fake_gcs, kwok, velero};
use ark_testkit::{aws, azure, disks, restic};
use clap::Args;

use self::binary::Binary;
use self::run::{Job, Outcome};
use self::totals::Counts;
use crate::workspace::{self, Package};

/// Run all tests of the workspace with the servers they need.
///
/// Fails also when a test was ignored or a package with tests ran none.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Run only tests whose names contain one of these.
    filters: Vec<String>,
    /// Run only the tests of this package; may be given several times.
    #[arg(long = "package", short, value_name = "NAME")]
    packages: Vec<String>,
}

impl Arguments {
    /// Which packages cargo is to test.
    fn selection(&self) -> Vec<String> {
        if self.packages.is_empty() {
            return vec!["--workspace".to_owned()];
        }
        self.packages
            .iter()
            .map(|name| format!("--package={name}"))
            .collect()
    }

    fn selects(&self, package: &Package) -> bool {
        self.packages.is_empty() || self.packages.contains(&package.name)
    }
}

/// Runs the verb. The last line on stdout is always `N passed, N failed`.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut packages = workspace::packages()?;
    packages.retain(|package| arguments.selects(package));
    // Before the servers: nothing is started for what does not compile.
    let binaries = binary::build(&arguments.selection(), &packages)?;

    // Nobody shall wait for them inside a test, nor two at once.
    binaries::ensure(Options::default().version, true)?;
    aws::ensure()?;
    azure::ensure()?;
    disks::judge::ensure()?;
    fake_gcs::ensure()?;
    kwok::ensure()?;
    restic::ensure()?;
    velero::ensure()?;
    let mut jobs: Vec<Job> = binaries
        .iter()
        .map(|binary| job(arguments, binary))
        .collect();
    jobs.extend(examples(arguments, &packages));
    let outcomes = run::all(jobs)?;

    let packages_with_tests = with_tests(&packages)?;
    Ok(report(arguments, &outcomes, &packages_with_tests))
}

fn job(arguments: &Arguments, binary: &Binary<'_>) -> Job {
    let mut command = binary.command();
    command.args(&arguments.filters);
    Job {
        package: binary.package.name.clone(),
        name: binary.name.clone(),
        command,
        needs_result: true,
    }
}

/// The examples in the documentation of libraries, if there is one among them.
fn examples(arguments: &Arguments, packages: &[Package]) -> Option<Job> {
    let mut command = workspace::cargo();
    command
        .args(["test", "--doc", "--quiet", "--no-fail-fast"])
        .env("CARGO_TERM_COLOR", "never");
    let libraries: Vec<_> = packages
        .iter()
        .filter(|package| package.has_examples())
        .map(|package| format!("--package={}", package.name))
        .collect();
    if libraries.is_empty() {
        return None;
    }
    command.args(libraries).arg("--").args(&arguments.filters);
    Some(Job {
        package: "examples".to_owned(),
        name: "examples".to_owned(),
        command,
        needs_result: false,
    })
}

/// The names of packages whose sources hold a test.
fn with_tests(packages: &[Package]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for package in packages {
        if has_tests(package.dir())? {
            found.push(package.name.clone());
        }
    }
    Ok(found)
}

fn has_tests(dir: &Path) -> Result<bool> {
    for path in workspace::files(dir, &[".rs"])? {
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let is_test = |line: &str| {
            let line = line.trim_start();
            line.starts_with("#[test]") || line.starts_with("#[tokio::test")
        };
        if text.lines().any(is_test) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn report(arguments: &Arguments, outcomes: &[Outcome], packages_with_tests: &[String]) -> ExitCode {
    let mut packages = BTreeMap::<&str, Counts>::new();
    let mut problems = Vec::new();
    for outcome in outcomes {
        let counts = packages.entry(&outcome.package).or_default();
        *counts = [*counts, outcome.counts].into_iter().sum();
        if !outcome.failures.is_empty() {
            println!("\n{}\n{}", outcome.name, outcome.failures.join("\n"));
        }
        if outcome.counts.crashed > 0 {
            problems.push(format!("{}: ended without result", outcome.name));
        }
        if outcome.counts.ignored > 0 {
            problems.push(format!(
                "{}: {} tests were ignored; let them run or remove them",
                outcome.name, outcome.counts.ignored
            ));
        }
    }
    let all: Counts = packages.values().copied().sum();
    println!();
    for (name, counts) in &packages {
        println!(
            "{name:20} {:6} passed {:4} failed",
            counts.passed, counts.failed
        );
    }
    if arguments.filters.is_empty() {
        let ran = |name: &String| packages.get(&**name).is_some_and(|counts| counts.run() > 0);
        let silent = packages_with_tests.iter().filter(|name| !ran(name));
        problems.extend(silent.map(|name| format!("{name}: has tests, but none ran")));
    }
    if all.run() == 0 {
        problems.push("no test ran".to_owned());
    }
    for problem in &problems {
        println!("error: {problem}");
    }
    println!("{} passed, {} failed", all.passed, all.failed);
    if problems.is_empty() && all.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
