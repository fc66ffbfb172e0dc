//! An Azure Blob Storage server (Azurite) on loopback over plain HTTP.
//!
//! It checks shared keys and signatures of URLs, and keeps to conditions. Known
//! differences to Azure's: tokens are taken over TLS alone, so that a test with one
//! looks at the requests, and it has one account.

mod install;
mod sign;

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

use crate::service::Service;
use crate::supervisor::Program;
use crate::{http, names};

/// The name of its account, which every user of the emulator knows.
pub const ACCOUNT: &str = "devstoreaccount1";
/// The key of its account, which every user of the emulator knows.
pub const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A running server; ends when dropped.
#[derive(Debug)]
pub struct BlobServer(Service);

impl BlobServer {
    /// Starts a server of one's own: some seconds, and once a minute to install it.
    pub fn start() -> Result<Self> {
        let path = install::ensure()?;
        let service = Service::start(
            |dir, port| program(&path, dir, port),
            |authority| http::get(&format!("http://{authority}/")).is_ok(),
        );
        Ok(Self(service.context("Azurite does not start")?))
    }

    /// The server that all tests of this process share; each has its own container.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<BlobServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start().unwrap_or_else(|error| panic!("no Azure for tests: {error:#}"))
        })
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> &str {
        &self.0.authority
    }

    /// The account's address, `http://127.0.0.1:PORT/devstoreaccount1`.
    pub fn endpoint(&self) -> String {
        format!("http://{}/{ACCOUNT}", self.0.authority)
    }

    /// Makes a container `prefix-…` that no other test uses, and returns its name.
    pub fn create_unique_container(&self, prefix: &str) -> Result<String> {
        let name = names::unique_name(prefix);
        let headers = sign::headers(&self.0.authority, &name)?;
        let target = format!("/{ACCOUNT}/{name}?restype=container");
        let answer = http::request(&self.0.authority, "PUT", &target, &headers, b"")?;
        ensure!(
            answer.status == 201,
            "cannot make the container {name}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(name)
    }
}

/// Installs it into the user's cache, if it is missing.
pub fn ensure() -> Result<()> {
    install::ensure().map(drop)
}

fn program<'a>(path: &'a Path, dir: &Path, port: u16) -> Program<'a> {
    let mut arguments: Vec<String> = [
        "--blobHost=127.0.0.1",
        "--silent",
        "--disableTelemetry",
        // Clients are newer than the emulator knows.
        "--skipApiVersionCheck",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("--blobPort={port}"));
    arguments.push(format!("--location={}", dir.display()));
    Program {
        name: "azurite",
        path,
        arguments,
        environment: Vec::new(),
    }
}
