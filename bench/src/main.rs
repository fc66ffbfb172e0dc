//! Measures Ark beside the API server's own limit: how long a backup takes beside
//! raw paged GETs of the same objects, a restore beside raw parallel POSTs of the
//! same bodies, and how much memory the server needs.
//!
//! Everything runs on loopback and is gone afterwards. Results go to stdout, what
//! is being done to stderr. Nothing here decides whether a figure is good enough
//! but `results.rs`, and no target makes the program fail.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people who work on Ark; nothing here is a library"
)]

mod ark;
mod cluster;
mod csi;
mod dataset;
mod inside;
mod meter;
mod raw;
mod report;
mod results;
mod rounds;
mod stages;
mod statistics;
mod sweep;
mod timed;
mod watch;
mod wire;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::dataset::DataSet;
use crate::inside::Inside;
use crate::results::Results;
use crate::rounds::{Setting, Source};

/// Measure backups and restores beside the API server's own limit
#[derive(Debug, Parser)]
#[command(name = "ark-bench")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, none depends on another"
)]
struct Arguments {
    /// The `ark` to measure; a release build.
    #[arg(long, value_name = "FILE")]
    ark: PathBuf,
    /// Objects of the data set.
    #[arg(long, value_name = "COUNT", default_value_t = 20_000)]
    objects: usize,
    /// Seed of the data set.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Rounds [default: 5, with --quick 3].
    #[arg(long, value_name = "COUNT")]
    rounds: Option<usize>,
    /// Fewer rounds.
    #[arg(long)]
    quick: bool,
    /// Connections of the raw posts.
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    connections: usize,
    /// Longest wait, in seconds, for others to leave the machine alone before each
    /// measurement.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    patience: u64,
    /// Measure the command line without a server, too.
    #[arg(long)]
    direct: bool,
    /// Measure no restores.
    #[arg(long)]
    backups_only: bool,
    /// Measure backups of so many volumes of a CSI driver instead.
    #[arg(long, value_name = "COUNT")]
    csi: Option<usize>,
    /// Vary the engine's options afterwards.
    #[arg(long)]
    sweep: bool,
    /// Write every figure to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write results.md and results.json into this directory.
    #[arg(long, value_name = "DIRECTORY")]
    write: Option<PathBuf>,
}

impl Arguments {
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(if self.quick { 3 } else { 5 })
    }
}

/// Says what is being done.
fn say(line: &str) {
    eprintln!("{line}");
}

fn main() -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    // What is under way when Ctrl-C comes is dropped, and with it every process.
    let result = runtime.block_on(async {
        tokio::select! {
            result = run(Arguments::parse()) => result,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let dir = tempfile::Builder::new().prefix("ark-bench-").tempdir()?;
    let (bucket, logs) = rounds::directories(dir.path())?;
    let setting = Setting {
        ark: arguments
            .ark
            .canonicalize()
            .context("there is no such program")?,
        bucket,
        logs,
        data: DataSet {
            objects: arguments.objects,
            seed: arguments.seed,
        },
        connections: arguments.connections,
        patience: Duration::from_secs(arguments.patience),
        restores: !arguments.backups_only,
        direct: arguments.direct,
    };
    if let Some(volumes) = arguments.csi {
        let results = csi::measure(&setting, volumes, arguments.rounds()).await?;
        println!("{}", results.page());
        return match &arguments.json {
            Some(path) => write(path, &json(&results)?),
            None => Ok(()),
        };
    }
    let results = measure(&arguments, &setting).await?;
    println!("{}", report::page(&results));
    if let Some(path) = &arguments.json {
        write(path, &json(&results)?)?;
    }
    if let Some(dir) = &arguments.write {
        write(&dir.join("results.json"), &json(&results)?)?;
        write(&dir.join("results.md"), &report::page(&results))?;
    }
    Ok(())
}

async fn measure(arguments: &Arguments, setting: &Setting) -> Result<Results> {
    let source = Source::start(setting).await?;
    let count = arguments.rounds();
    let mut rounds = Vec::new();
    for number in 0..count {
        say(&format!("round {} of {count}", number + 1));
        rounds.push(setting.round(&source, number).await?);
    }
    say("taking a backup and a restore apart");
    let backup_parts = stages::backup(&source.cluster, setting).await?;
    let backup_inside = backup_inside(setting, &source).await?;
    let restore_inside = if setting.restores {
        restore_inside(setting).await?
    } else {
        Vec::new()
    };
    let kubernetes = source.cluster.plane.version().to_owned();
    let parts = [backup_parts, backup_inside, restore_inside];
    let mut results = results(setting, kubernetes, rounds, parts);
    if arguments.sweep {
        say("varying options");
        results.backup_sweep = sweep::backups(setting, &source).await?;
        drop(source);
        if !setting.restores {
            return Ok(results);
        }
        results.restore_sweep = sweep::restores(setting, &rounds::backup_name(0)).await?;
    }
    Ok(results)
}

fn results(
    setting: &Setting,
    kubernetes: String,
    rounds: Vec<rounds::Round>,
    [backup_parts, backup_inside, restore_inside]: [Vec<stages::Stage>; 3],
) -> Results {
    Results {
        kubernetes,
        objects: setting.data.objects,
        namespaces: setting.data.namespaces(),
        list_concurrency: ark_engine::backup::Options::default().list_concurrency,
        post_connections: setting.connections,
        restore_concurrency: ark_engine::restore::Options::default().concurrency,
        rounds,
        backup_parts,
        backup_inside,
        restore_inside,
        backup_sweep: Vec::new(),
        restore_sweep: Vec::new(),
    }
}

async fn backup_inside(setting: &Setting, source: &Source) -> Result<Vec<stages::Stage>> {
    let bucket = setting.bucket.with_extension("inside");
    let inside = Inside::connect(&source.cluster, &bucket).await?;
    let timeline = inside
        .backup("inside", &ark_engine::backup::Options::default())
        .await?;
    stages::of_timeline(&timeline)
}

async fn restore_inside(setting: &Setting) -> Result<Vec<stages::Stage>> {
    let cluster = Cluster::start()?;
    cluster.settle().await?;
    let inside = Inside::connect(&cluster, &setting.bucket).await?;
    let options = ark_engine::restore::Options::default();
    let timeline = inside.restore(&rounds::backup_name(0), &options).await?;
    stages::of_timeline(&timeline)
}

fn json(results: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(results)? + "\n")
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
