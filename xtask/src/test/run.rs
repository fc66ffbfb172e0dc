//! Runs test binaries side by side, each slot with a control plane of its own, and
//! passes on what they print, line by line under their names.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::{panic, thread};

use anyhow::{Context as _, Result};
use ark_testkit::s3::S3Server;
use ark_testkit::{CONTROL_PLANE_VARIABLE, ControlPlane, Options, S3_VARIABLE};

use super::totals::{Counts, Tally};

/// How many binaries run at the same time. Tests wait for servers nearly half of the
/// time, and each binary runs as many of its own at a time as there are processors.
const SLOTS: usize = 2;

/// Something that runs tests.
#[derive(Debug)]
pub(super) struct Job {
    /// The package that its tests count for.
    pub(super) package: String,
    /// Stands before each of its lines.
    pub(super) name: String,
    pub(super) command: Command,
    /// Whether it must tell a result; doc tests of packages without any need not.
    pub(super) needs_result: bool,
}

/// What came of a job.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) package: String,
    pub(super) name: String,
    pub(super) counts: Counts,
    /// What it printed about tests that failed.
    pub(super) failures: Vec<String>,
}

/// The servers that tests share.
struct Servers {
    planes: Vec<ControlPlane>,
    s3: S3Server,
}

impl Servers {
    fn start(planes: usize) -> Result<Self> {
        eprintln!("starting {planes} control planes and an S3 server");
        thread::scope(|scope| {
            let starts: Vec<_> = (0..planes)
                .map(|_| scope.spawn(|| ControlPlane::start(&Options::default())))
                .collect();
            let s3 = S3Server::start();
            let planes: Result<_> = starts
                .into_iter()
                .map(|start| start.join().unwrap_or_else(|why| panic::resume_unwind(why)))
                .collect();
            Ok(Self {
                planes: planes?,
                s3: s3?,
            })
        })
    }
}

/// Runs jobs, the first ones first.
pub(super) fn all(jobs: Vec<Job>) -> Result<Vec<Outcome>> {
    let servers = Servers::start(SLOTS.min(jobs.len()))?;
    let jobs = Mutex::new(jobs.into_iter());
    let take = || jobs.lock().ok()?.next();
    let slot = |plane: &ControlPlane| -> Result<Vec<Outcome>> {
        let mut outcomes = Vec::new();
        while let Some(mut job) = take() {
            job.command
                .env(CONTROL_PLANE_VARIABLE, plane.dir())
                .env(S3_VARIABLE, servers.s3.dir());
            outcomes.push(one(job)?);
        }
        Ok(outcomes)
    };
    let ended: Result<Vec<_>> = thread::scope(|scope| {
        let slots: Vec<_> = servers
            .planes
            .iter()
            .map(|plane| scope.spawn(|| slot(plane)))
            .collect();
        slots
            .into_iter()
            .map(|slot| slot.join().unwrap_or_else(|why| panic::resume_unwind(why)))
            .collect()
    });
    Ok(ended?.into_iter().flatten().collect())
}

fn one(mut job: Job) -> Result<Outcome> {
    let mut tally = Tally::default();
    let status = lines(&mut job.command, |line| {
        tally.line(line);
        if line.is_empty() {
            return Ok(());
        }
        writeln!(io::stdout(), "{:20} {line}", job.name)
    })
    .with_context(|| format!("cannot run {}", job.name))?;
    let (counts, failures) = tally.finish(status.success(), job.needs_result);
    Ok(Outcome {
        package: job.package,
        name: job.name,
        counts,
        failures,
    })
}

/// Runs a command and hands on each line that it writes to stdout or stderr.
fn lines(
    command: &mut Command,
    mut each: impl FnMut(&str) -> io::Result<()>,
) -> Result<ExitStatus> {
    // One pipe for both, since their order tells which belongs to which.
    let (reader, writer) = io::pipe().context("cannot make a pipe")?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer);
    let mut child = command.spawn()?;
    // Its copies of the pipe's write end would keep the reading below from ending.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        each(String::from_utf8_lossy(&line).trim_end())?;
        line.clear();
    }
    Ok(child.wait()?)
}
