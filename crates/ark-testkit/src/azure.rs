//! An Azure Blob Storage server (Azurite) on loopback over plain HTTP, or over TLS with
//! tokens.
//!
//! It checks shared keys, signatures of URLs, what tokens are for and how long they are
//! good, and keeps to conditions. Known differences to Azure's: it has one account, and
//! anybody may sign a token.

mod install;
mod sign;

use std::net::TcpStream;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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
pub struct BlobServer {
    service: Service,
    scheme: &'static str,
}

impl BlobServer {
    /// Starts a server of one's own: some seconds, and once a minute to install it.
    pub fn start() -> Result<Self> {
        let is_ready = |authority: &str| http::get(&format!("http://{authority}/")).is_ok();
        Self::launch("http", &[], is_ready)
    }

    /// Starts one that takes tokens, over TLS with this certificate for 127.0.0.1 and its
    /// key, both in PEM.
    pub fn start_with_tokens(certificate: &Path, key: &Path) -> Result<Self> {
        let more = [
            "--oauth=basic".to_owned(),
            format!("--cert={}", certificate.display()),
            format!("--key={}", key.display()),
        ];
        let is_ready = |authority: &str| TcpStream::connect(authority).is_ok();
        Self::launch("https", &more, is_ready)
    }

    fn launch(
        scheme: &'static str,
        more: &[String],
        is_ready: impl Fn(&str) -> bool,
    ) -> Result<Self> {
        let path = install::ensure()?;
        let start = |dir: &Path, port| {
            let mut program = program(&path, dir, port);
            program.arguments.extend_from_slice(more);
            program
        };
        let service = Service::start(start, is_ready);
        Ok(Self {
            service: service.context("Azurite does not start")?,
            scheme,
        })
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
        &self.service.authority
    }

    /// The account's address, `http://127.0.0.1:PORT/devstoreaccount1`, or `https://…`.
    pub fn endpoint(&self) -> String {
        format!("{}://{}/{ACCOUNT}", self.scheme, self.service.authority)
    }

    /// Makes a container `prefix-…` that no other test uses, and returns its name. Not
    /// over TLS.
    pub fn create_unique_container(&self, prefix: &str) -> Result<String> {
        let name = names::unique_name(prefix);
        let headers = sign::headers(&self.service.authority, &name)?;
        let target = format!("/{ACCOUNT}/{name}?restype=container");
        let answer = http::request(&self.service.authority, "PUT", &target, &headers, b"")?;
        ensure!(
            answer.status == 201,
            "cannot make the container {name}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(name)
    }
}

/// A token for `audience`, the address of an API, that is good until the year 2100 and
/// signed by nobody.
pub fn token(audience: &str) -> String {
    let claims = serde_json::json!({
        "aud": audience,
        "iss": "https://sts.windows.net/tenant/",
        "iat": 0, "nbf": 0, "exp": 4_102_444_800_u64,
    });
    let parts = [serde_json::json!({"alg": "none", "typ": "JWT"}), claims];
    let [head, claims] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{head}.{claims}.c2lnbmVk")
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
