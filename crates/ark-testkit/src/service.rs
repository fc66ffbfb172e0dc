//! A program that serves HTTP on one loopback port for as long as its owner lives.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::ports;
use crate::supervisor::{Program, Supervisor};

const PATIENCE: Duration = Duration::from_mins(1);
const ATTEMPTS: usize = 4;

/// A running one; ends when dropped.
#[derive(Debug)]
pub(crate) struct Service {
    /// `127.0.0.1:PORT`.
    pub(crate) authority: String,
    _supervisor: Supervisor,
}

impl Service {
    /// Starts what `program` says for a directory and a port, and waits until
    /// `is_ready` says so of its address.
    pub(crate) fn start<'a>(
        program: impl Fn(&Path, u16) -> Program<'a>,
        is_ready: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let mut attempt = 1;
        loop {
            match once(&program, &is_ready) {
                Err(error) if attempt < ATTEMPTS && ports::clash(&format!("{error:#}")) => {
                    attempt += 1;
                }
                result => return result,
            }
        }
    }
}

fn once<'a>(
    program: impl Fn(&Path, u16) -> Program<'a>,
    is_ready: impl Fn(&str) -> bool,
) -> Result<Service> {
    let dir = tempfile::Builder::new()
        .prefix("ark-service-")
        .tempdir()
        .context("cannot make a temporary directory")?
        .keep();
    let mut supervisor = Supervisor::start(&dir)?;
    let [port] = ports::free()?;
    let program = program(&dir, port);
    supervisor.run(&program)?;
    let authority = format!("127.0.0.1:{port}");
    let started = Instant::now();
    while !is_ready(&authority) {
        let name = program.name;
        if let Some(code) = supervisor.exit_code(name) {
            bail!(
                "{name} has ended with code {code}\n{}",
                supervisor.log_tail(name)
            );
        }
        if started.elapsed() > PATIENCE {
            bail!(
                "{name} does not answer for {} s\n{}",
                PATIENCE.as_secs(),
                supervisor.log_tail(name)
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(Service {
        authority,
        _supervisor: supervisor,
    })
}
