//! `cargo xtask bench`: builds the release and runs `ark-bench` with it.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::workspace;

/// Measure backups and restores beside the API server's own limit.
///
/// Starts control planes on this machine, fills one, and compares Ark with raw
/// GETs and POSTs of the same objects, round by round.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Arguments {
    /// Three rounds in place of five.
    #[arg(long)]
    quick: bool,
    /// Objects of the data set [default: 20000].
    #[arg(long, value_name = "COUNT")]
    objects: Option<usize>,
    /// Write every figure to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<OsString>,
    /// Write bench/results.md and bench/results.json.
    #[arg(long)]
    write: bool,
    /// Vary the engine's options afterwards.
    #[arg(long)]
    sweep: bool,
    /// Measure the command line without a server, too.
    #[arg(long)]
    direct: bool,
    /// Measure backups of so many volumes of a CSI driver instead.
    #[arg(long, value_name = "COUNT")]
    csi: Option<usize>,
}

/// Runs the verb.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let built = workspace::cargo()
        .args(["build", "--release", "--package=ark", "--package=ark-bench"])
        .status()
        .context("cannot run cargo")?;
    if !built.success() {
        bail!("the release does not build");
    }
    let release = workspace::target_dir()?.join("release");
    let mut bench = Command::new(release.join("ark-bench"));
    bench.arg("--ark").arg(release.join("ark"));
    if arguments.write {
        bench.arg("--write").arg(workspace::root().join("bench"));
    }
    if let Some(objects) = arguments.objects {
        bench.arg(format!("--objects={objects}"));
    }
    if let Some(volumes) = arguments.csi {
        bench.arg(format!("--csi={volumes}"));
    }
    if let Some(path) = arguments.json {
        bench.arg("--json").arg(path);
    }
    let switches = [
        ("--quick", arguments.quick),
        ("--sweep", arguments.sweep),
        ("--direct", arguments.direct),
    ];
    bench.args(switches.iter().filter(|(_, on)| *on).map(|(name, _)| name));
    let status = bench.status().context("cannot run the benchmark")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
