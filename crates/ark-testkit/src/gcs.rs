//! A Google Cloud Storage server (fake-gcs-server) on loopback over plain HTTP.
//!
//! It keeps to preconditions on generations and to resumable uploads. Known
//! differences to Google's: nobody is asked who he is, signed URLs are good with any
//! signature, there is neither the XML API's multipart upload nor a batch of
//! deletions, and keys of KMS are not looked at.

use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, Result, ensure};

use crate::binaries::fake_gcs;
use crate::service::Service;
use crate::supervisor::Program;
use crate::{http, names};

/// A running server; ends when dropped.
#[derive(Debug)]
pub struct GcsServer(Service);

impl GcsServer {
    /// Starts a server of one's own: a second, and once some minutes to build it.
    pub fn start() -> Result<Self> {
        let path = fake_gcs::ensure()?;
        let service = Service::start(
            |_, port| program(&path, port),
            |authority| http::get(&format!("http://{authority}/_internal/healthcheck")).is_ok(),
        );
        Ok(Self(service.context("the GCS server does not start")?))
    }

    /// The server that all tests of this process share; each has its own bucket.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<GcsServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            Self::start().unwrap_or_else(|error| panic!("no GCS server for tests: {error:#}"))
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.0.authority)
    }

    /// Makes a bucket `prefix-…` that no other test uses, and returns its name.
    pub fn create_unique_bucket(&self, prefix: &str) -> Result<String> {
        let name = names::unique_name(prefix);
        let headers = [
            ("Host".to_owned(), self.0.authority.clone()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        let body = serde_json::json!({"name": name}).to_string();
        let target = "/storage/v1/b?project=test";
        let answer = http::request(&self.0.authority, "POST", target, &headers, body.as_bytes())?;
        ensure!(
            answer.status == 200,
            "cannot make the bucket {name}: {} {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        Ok(name)
    }
}

fn program(path: &Path, port: u16) -> Program<'_> {
    let arguments = [
        "-scheme=http".to_owned(),
        "-host=127.0.0.1".to_owned(),
        format!("-port={port}"),
        "-backend=memory".to_owned(),
        // Where an upload that was begun goes on, and whose signed URLs it answers.
        format!("-external-url=http://127.0.0.1:{port}"),
        format!("-public-host=127.0.0.1:{port}"),
    ];
    Program {
        name: "fake-gcs-server",
        path,
        arguments: arguments.into(),
        environment: Vec::new(),
    }
}
