//! A cluster of the demo with Ark in it: started here, or the user's own.
//!
//! There are no nodes to run pods, so the server is a process on this machine. It
//! and everything else that is started lives under a supervisor and goes with it,
//! however this process ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use ark_testkit::supervisor::{Program, Supervisor};
use ark_testkit::{ControlPlane, Options, registry};
use serde_json::json;

use super::client::Client;
use super::screen::Screen;

/// The server's name among the programs of its supervisor.
const SERVER: &str = "ark-server";
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(250);

/// A cluster with Ark.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) client: Client,
    owner: Owner,
    dir: PathBuf,
}

#[derive(Debug)]
enum Owner {
    /// A control plane of ours, whose supervisor keeps the server too.
    Plane(ControlPlane),
    /// The user's cluster: only the server is ours.
    Guest(Supervisor),
}

/// What a site is made with.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) ark: PathBuf,
    pub(crate) kubectl: PathBuf,
    pub(crate) options: Options,
}

/// An error if a cluster that is to be kept would take the name of one that runs.
pub(crate) fn check_free(names: &[&str]) -> Result<()> {
    for cluster in registry::list()? {
        let name = cluster.name;
        if cluster.plane.is_some() && names.contains(&name.as_str()) {
            bail!(
                "the cluster `{name}` of an earlier demo runs\n\
                 hint: stop it with `cargo xtask cluster down --name {name}`"
            );
        }
    }
    Ok(())
}

impl Site {
    /// Starts a control plane: under a name if it may have to outlive us.
    pub(crate) fn local(tools: &Tools, name: Option<&str>) -> Result<Self> {
        let plane = match name {
            Some(name) => registry::start(name, &tools.options)?,
            None => ControlPlane::start(&tools.options)?,
        };
        let dir = plane.dir().to_owned();
        let client = Client {
            kubectl: plane.kubectl_path().to_owned(),
            ark: tools.ark.clone(),
            kubeconfig: plane.kubeconfig().to_owned(),
            cache: dir.join("kubectl-cache"),
            namespace: super::client::DEFAULT_NAMESPACE.to_owned(),
        };
        Ok(Self {
            client,
            owner: Owner::Plane(plane),
            dir,
        })
    }

    /// The user's cluster. Ark goes into a namespace of its own there.
    pub(crate) fn guest(tools: &Tools, kubeconfig: &Path, namespace: &str) -> Result<Self> {
        let kubeconfig = fs::canonicalize(kubeconfig)
            .with_context(|| format!("cannot find {}", kubeconfig.display()))?;
        let dir = tempfile::Builder::new()
            .prefix("ark-demo-")
            .tempdir()
            .context("cannot make a temporary directory")?
            // The supervisor removes it, also when we cannot any more.
            .keep();
        let owner = Owner::Guest(Supervisor::start(&dir)?);
        let client = Client {
            kubectl: tools.kubectl.clone(),
            ark: tools.ark.clone(),
            kubeconfig,
            cache: dir.join("kubectl-cache"),
            namespace: namespace.to_owned(),
        };
        Ok(Self { client, owner, dir })
    }

    /// A directory that lasts as long as the server does.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The control plane, if it is ours.
    pub(crate) fn plane(&self) -> Option<&ControlPlane> {
        match &self.owner {
            Owner::Plane(plane) => Some(plane),
            Owner::Guest(_) => None,
        }
    }

    /// Installs what can be installed without a node, through the command line,
    /// and starts the server. The location `default` is the directory `bucket`.
    /// Definitions that are there already stay as they are.
    pub(crate) fn install(&mut self, screen: &Screen, bucket: &Path) -> Result<()> {
        let backups = ["customresourcedefinition", "backups.velero.io"];
        let list = ["get", "--ignore-not-found", "--output=name"];
        let present = self.client.kubectl(&[&list[..], &backups].concat())?;
        if present.trim().is_empty() {
            self.client
                .show(screen, "installing", &["install", "--crds-only"])?;
        } else {
            screen.done("the custom resources are served already");
        }
        let namespace = json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {
                "name": self.client.namespace,
                // By these `ark uninstall` knows that it may delete it.
                "labels": {"app.kubernetes.io/managed-by": "ark", "app.kubernetes.io/part-of": "ark"},
            },
        });
        let arguments = ["apply", "--server-side", "-f", "-"];
        self.client
            .kubectl_stdin(&arguments, &namespace.to_string())?;
        let bucket = bucket.to_string_lossy();
        let location = ["backup-location", "create", "default", "--provider", "fs"];
        let settings = ["--bucket", &bucket, "--default"];
        self.client
            .show(screen, "installing", &[&location[..], &settings].concat())?;
        screen.command("ark server");
        let task = screen.task("waiting for the location to be available");
        self.start_server()?;
        self.wait_for(["backupstoragelocations.velero.io", "default"], "Available")?;
        task.done("the server runs, the backup location is available");
        Ok(())
    }

    fn start_server(&mut self) -> Result<()> {
        let program = Program {
            name: SERVER,
            path: &self.client.ark,
            arguments: vec![
                "server".to_owned(),
                "--kubeconfig".to_owned(),
                self.client.kubeconfig.display().to_string(),
                format!("--namespace={}", self.client.namespace),
                "--metrics-address=127.0.0.1:0".to_owned(),
                // Nobody should watch a demo wait for a minute to pass.
                "--backup-sync-period=2s".to_owned(),
                "--no-color".to_owned(),
            ],
            environment: Vec::new(),
        };
        match &mut self.owner {
            Owner::Plane(plane) => plane
                .supervisor()
                .context("the control plane is not ours")?
                .run(&program),
            Owner::Guest(supervisor) => supervisor.run(&program),
        }
    }

    /// Waits until the server has found a backup in the bucket.
    pub(crate) fn wait_for_backup(&self, name: &str) -> Result<()> {
        self.wait_for(["backups.velero.io", name], "Completed")
    }

    /// Waits until an object of Ark's is in a phase.
    fn wait_for(&self, object: [&str; 2], phase: &str) -> Result<()> {
        let started = Instant::now();
        let options = ["--ignore-not-found", "--output=jsonpath={.status.phase}"];
        let namespace = ["--namespace", &self.client.namespace];
        let arguments = [&["get"], &object[..], &namespace, &options].concat();
        loop {
            let found = self.client.kubectl(&arguments)?;
            if found == phase {
                return Ok(());
            }
            if let Some(code) = self.server_exit() {
                bail!("the server has ended with code {code}");
            }
            if started.elapsed() > PATIENCE {
                let (what, seconds) = (object.join(" "), PATIENCE.as_secs());
                bail!("waited {seconds} s for {what} to be {phase}; it is {found:?}");
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// The server's exit code, if it has ended.
    pub(crate) fn server_exit(&self) -> Option<String> {
        let code = fs::read_to_string(self.dir.join(format!("{SERVER}.exit"))).ok()?;
        Some(code.trim().to_owned())
    }

    /// The last lines of the server's log.
    pub(crate) fn server_log(&self) -> String {
        let text = fs::read(self.dir.join(format!("{SERVER}.log"))).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Lets everything run on when this process ends.
    pub(crate) fn keep(self) -> Result<()> {
        match self.owner {
            Owner::Plane(plane) => plane.detach().map(drop),
            Owner::Guest(supervisor) => supervisor.detach(),
        }
    }
}
