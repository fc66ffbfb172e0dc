//! The steps of a start: etcd, API server, credentials, readiness, controllers.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;

use super::programs::{self, Ports};
use super::{ControlPlane, DESCRIPTION, Description, Options, node};
use crate::binaries::Programs;
use crate::supervisor::Supervisor;
use crate::{names, ports};

/// Long, for machines that do a lot else; what fails says so at once.
const PATIENCE: Duration = Duration::from_mins(3);
const PAUSE: Duration = Duration::from_millis(50);
const ATTEMPTS: usize = 4;

/// A directory that only we can look into.
pub(super) fn temporary_dir() -> Result<PathBuf> {
    let dir = tempfile::Builder::new()
        .prefix("ark-plane-")
        .tempdir()
        .context("cannot make a temporary directory")?;
    // The supervisor removes it, also when we cannot any more.
    Ok(dir.keep())
}

/// Starts a plane in a directory from `make_dir`, again in another one when
/// somebody else has taken one of its ports in between.
pub(super) fn start(
    programs: &Programs,
    options: &Options,
    make_dir: impl Fn() -> Result<PathBuf>,
) -> Result<ControlPlane> {
    let mut attempt = 1;
    loop {
        let dir = make_dir()?;
        let mut starting = Starting {
            supervisor: Supervisor::start(&dir)?,
            dir,
            programs,
            options,
            ports: Ports::free()?,
            token: names::random_hex(16),
        };
        match starting.run() {
            Ok(description) => {
                let Starting {
                    dir, supervisor, ..
                } = starting;
                return Ok(ControlPlane::new(&dir, description, Some(supervisor)));
            }
            Err(error) if attempt < ATTEMPTS && ports::clash(&format!("{error:#}")) => attempt += 1,
            Err(error) => return Err(error.context("the control plane does not start")),
        }
    }
}

/// A plane on its way; dropped, it takes everything away.
struct Starting<'a> {
    supervisor: Supervisor,
    dir: PathBuf,
    programs: &'a Programs,
    options: &'a Options,
    ports: Ports,
    token: String,
}

impl Starting<'_> {
    fn run(&mut self) -> Result<Description> {
        let description = Description {
            version: self.programs.version.clone(),
            url: format!("https://127.0.0.1:{}", self.ports.apiserver),
            token: self.token.clone(),
            kubectl: self.programs.kubectl.clone(),
            controllers: self.programs.controller_manager.is_some(),
        };
        self.supervisor
            .run(&programs::etcd(self.programs, &self.dir, self.ports))?;
        self.write("tokens.csv", &programs::token_file(&self.token))?;
        let mut apiserver = programs::apiserver(self.programs, &self.dir, self.ports);
        apiserver
            .arguments
            .extend(self.options.apiserver_arguments.iter().cloned());
        if self.options.simulated_node {
            let argument = node::APISERVER_ARGUMENT.to_owned();
            apiserver.arguments.push(argument);
        }
        self.supervisor.run(&apiserver)?;
        self.write_kubeconfig(&description.url)?;

        let plane = ControlPlane::new(&self.dir, description.clone(), None);
        self.wait("the API server to be ready", || {
            plane
                .kubectl(&["get", "--raw=/readyz", "--request-timeout=5s"])
                .map(drop)
        })?;
        if let Some(path) = &self.programs.controller_manager {
            self.supervisor
                .run(&programs::controller_manager(path, &self.dir))?;
            // What every pod and every restore of a namespace needs.
            self.wait("the controllers to make service accounts", || {
                let default = [
                    "get",
                    "serviceaccount/default",
                    "configmap/kube-root-ca.crt",
                ];
                plane
                    .kubectl(&[&default[..], &["--namespace=default"]].concat())
                    .map(drop)
            })?;
        }
        if self.options.simulated_node {
            self.start_node(&plane)?;
        }
        // Last, and under another name first: its presence means ready.
        self.write(
            "plane.json.new",
            &serde_json::to_string_pretty(&description)?,
        )?;
        fs::rename(self.dir.join("plane.json.new"), self.dir.join(DESCRIPTION))?;
        Ok(description)
    }

    fn start_node(&mut self, plane: &ControlPlane) -> Result<()> {
        let kwok = crate::binaries::kwok::ensure()?;
        let (program, configuration) = node::program(&kwok, &self.dir)?;
        self.write("kwok.yaml", configuration)?;
        node::create(plane)?;
        self.supervisor.run(&program)?;
        self.wait("the simulated node to be ready", || node::check(plane))
    }

    /// The API server signs its own certificate and leaves the chain in its
    /// `--cert-dir`: its own certificate first, the CA's last.
    fn write_kubeconfig(&self, url: &str) -> Result<()> {
        let chain = self.dir.join("certificates/apiserver.crt");
        let mut ca = String::new();
        self.wait("the API server to sign its certificate", || {
            let text = fs::read_to_string(&chain)?;
            let last = last_certificate(&text).context("not a whole certificate chain")?;
            last.clone_into(&mut ca);
            Ok(())
        })?;
        self.write("ca.crt", &ca)?;
        let ca = base64::engine::general_purpose::STANDARD.encode(&ca);
        self.write("kubeconfig", &programs::kubeconfig(url, &ca, &self.token))
    }

    fn wait(&self, what: &str, mut done: impl FnMut() -> Result<()>) -> Result<()> {
        let started = Instant::now();
        loop {
            let Err(error) = done() else {
                return Ok(());
            };
            self.check_programs()?;
            if started.elapsed() > PATIENCE {
                let log = self.supervisor.log_tail(programs::APISERVER);
                bail!(
                    "waited {} s for {what}: {error:#}\n{log}",
                    PATIENCE.as_secs()
                );
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn check_programs(&self) -> Result<()> {
        for name in programs::ALL {
            if let Some(code) = self.supervisor.exit_code(name) {
                bail!(
                    "{name} has ended with code {code}\n{}",
                    self.supervisor.log_tail(name)
                );
            }
        }
        Ok(())
    }

    fn write(&self, name: &str, content: &str) -> Result<()> {
        write_private(&self.dir.join(name), content)
    }
}

fn write_private(path: &Path, content: &str) -> Result<()> {
    fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The CA of a chain of at least two whole certificates.
fn last_certificate(chain: &str) -> Option<&str> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    let (first, last) = (chain.find(BEGIN)?, chain.rfind(BEGIN)?);
    let whole = chain.trim_end().ends_with("-----END CERTIFICATE-----");
    (first < last && whole).then(|| &chain[last..])
}
