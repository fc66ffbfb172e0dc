//! `cargo xtask test`: all tests of the workspace against one shared control plane
//! and one shared S3 server, and totals that hide nothing.

mod totals;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};
use ark_testkit::binaries::{kwok, velero};
use ark_testkit::s3::S3Server;
use ark_testkit::{CONTROL_PLANE_VARIABLE, ControlPlane, Options, S3_VARIABLE};
use clap::Args;
use serde::Deserialize;

use self::totals::{Counts, Totals};
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
    let binaries = compile(arguments, &packages)?;

    // What only some tests need: nobody shall wait for it inside a test.
    kwok::ensure()?;
    velero::ensure()?;
    eprintln!("starting the shared control plane and S3 server");
    let plane = ControlPlane::start(&Options::default())?;
    let s3 = S3Server::start()?;
    let mut totals = Totals::new(binaries);
    let status = stream(arguments, &plane, &s3, &mut totals)?;
    drop((plane, s3));

    let packages_with_tests = with_tests(&packages)?;
    Ok(report(arguments, status, totals, &packages_with_tests))
}

/// Builds every test binary; returns file name → package.
fn compile(arguments: &Arguments, packages: &[Package]) -> Result<HashMap<String, String>> {
    #[derive(Deserialize)]
    struct Artifact {
        package_id: String,
        executable: Option<String>,
        profile: Profile,
    }
    #[derive(Deserialize)]
    struct Profile {
        test: bool,
    }
    let mut child = workspace::cargo()
        .args([
            "test",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ])
        .args(arguments.selection())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let stdout = child.stdout.take().context("no pipe for stdout")?;
    let mut binaries = HashMap::new();
    for line in BufReader::new(stdout).lines() {
        // Other messages have other fields.
        let Ok(artifact) = serde_json::from_str::<Artifact>(&line?) else {
            continue;
        };
        let package = packages
            .iter()
            .find(|package| package.id == artifact.package_id);
        if let (Some(path), Some(package), true) =
            (artifact.executable, package, artifact.profile.test)
        {
            binaries.insert(totals::file_name(&path).to_owned(), package.name.clone());
        }
    }
    if !child.wait()?.success() {
        bail!("the tests do not compile");
    }
    Ok(binaries)
}

/// Runs `cargo test` and passes its output on, line by line.
fn stream(
    arguments: &Arguments,
    plane: &ControlPlane,
    s3: &S3Server,
    totals: &mut Totals,
) -> Result<ExitStatus> {
    // One pipe for both: cargo names the binary on stderr, the binary tells its
    // result on stdout, and their order is what ties them together.
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    let mut command = workspace::cargo();
    command
        .args(["test", "--no-fail-fast"])
        .args(arguments.selection())
        .arg("--")
        .args(&arguments.filters)
        .env("CARGO_TERM_COLOR", "never")
        .env(CONTROL_PLANE_VARIABLE, plane.dir())
        .env(S3_VARIABLE, s3.dir())
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn().context("cannot run cargo")?;
    // Its copy of the pipe's write end would keep the reading below from ending.
    drop(command);
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        io::stdout().write_all(&line)?;
        totals.line(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    Ok(child.wait()?)
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

fn report(
    arguments: &Arguments,
    status: ExitStatus,
    totals: Totals,
    packages_with_tests: &[String],
) -> ExitCode {
    let packages: BTreeMap<String, Counts> = totals.finish();
    let all: Counts = packages.values().copied().sum();
    println!();
    for (name, counts) in &packages {
        println!(
            "{name:20} {:6} passed {:4} failed",
            counts.passed, counts.failed
        );
    }
    let mut problems = Vec::new();
    for (name, counts) in &packages {
        if counts.crashed > 0 {
            problems.push(format!(
                "{name}: {} test binaries ended without result",
                counts.crashed
            ));
        }
        if counts.ignored > 0 {
            problems.push(format!(
                "{name}: {} tests were ignored; let them run or remove them",
                counts.ignored
            ));
        }
    }
    if arguments.filters.is_empty() {
        let ran = |name: &String| packages.get(name).is_some_and(|counts| counts.run() > 0);
        let silent = packages_with_tests.iter().filter(|name| !ran(name));
        problems.extend(silent.map(|name| format!("{name}: has tests, but none ran")));
    }
    if all.run() == 0 {
        problems.push("no test ran".to_owned());
    }
    if !status.success() && all.failed == 0 {
        problems.push(format!("cargo test ended with {status}"));
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
