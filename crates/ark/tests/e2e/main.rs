//! The real binary as server and as command line, against real control planes
//! and buckets.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall stop"
)]

mod crash;
mod direct;
mod disaster;
mod downloads;
mod inside;
mod kubectl;
mod logs;
mod schedule;
mod stock;
mod volumes;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ark_testkit::{ControlPlane, unique_name};

/// Longer than anything takes here; what takes longer is stuck.
const PATIENCE: Duration = Duration::from_mins(3);

/// A namespace with a server process in it, and a directory as its bucket.
struct Installation<'a> {
    plane: &'a ControlPlane,
    namespace: String,
    bucket: PathBuf,
    server: Option<Child>,
    log: tempfile::NamedTempFile,
}

impl<'a> Installation<'a> {
    /// Installs definitions, a namespace and a default location, and starts the server.
    fn new(plane: &'a ControlPlane, bucket: &Path) -> Self {
        let namespace = unique_name("ark");
        plane.kubectl(&["create", "namespace", &namespace]).unwrap();
        let mut this = Self {
            plane,
            namespace,
            bucket: bucket.to_owned(),
            server: None,
            log: tempfile::NamedTempFile::new().unwrap(),
        };
        this.ark(&["install", "--crds-only"]);
        this.start();
        let bucket = this.bucket.to_str().unwrap().to_owned();
        this.ark(&[
            "backup-location",
            "create",
            "default",
            "--provider",
            "fs",
            "--bucket",
            &bucket,
            "--default",
            "--backup-sync-period",
            "1s",
        ]);
        this.wait_for("backupstoragelocation/default", "Available");
        this
    }

    /// Runs the command line; it must succeed.
    fn ark(&self, arguments: &[&str]) -> String {
        let output = self.try_ark(arguments);
        assert!(
            output.status.success(),
            "ark {arguments:?}: {}\n{}\n{}\nserver: {}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            std::fs::read_to_string(self.log.path()).unwrap()
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn try_ark(&self, arguments: &[&str]) -> Output {
        ark(self.plane, &self.namespace)
            .args(arguments)
            .output()
            .unwrap()
    }

    fn start(&mut self) {
        self.start_at("127.0.0.1:0");
    }

    /// Starts the server with its HTTP port at an address.
    fn start_at(&mut self, address: &str) {
        let log = std::fs::OpenOptions::new()
            .append(true)
            .open(self.log.path())
            .unwrap();
        let child = ark(self.plane, &self.namespace)
            .args(["server", "--metrics-address", address])
            // The successor of a killed server waits as long; a busy machine may
            // keep a renewal waiting for seconds.
            .args(["--lease-duration", "9s"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(child);
    }

    /// SIGKILL: no handler, no goodbye.
    fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Waits until `status.phase` of an object of the namespace is `phase`.
    fn wait_for(&self, object: &str, phase: &str) {
        let started = Instant::now();
        loop {
            let found = self.phase(object);
            if found == phase {
                return;
            }
            let ended = ["Completed", "PartiallyFailed", "Failed", "FailedValidation"];
            assert!(
                !ended.contains(&found.as_str()) && started.elapsed() < PATIENCE,
                "{object} is {found}, not {phase}\n{}\nserver: {}",
                self.get(object, "jsonpath={.status}"),
                std::fs::read_to_string(self.log.path()).unwrap()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn phase(&self, object: &str) -> String {
        self.get(object, "jsonpath={.status.phase}")
    }

    fn get(&self, object: &str, output: &str) -> String {
        let arguments = [
            "-n",
            &self.namespace,
            "get",
            object,
            "-o",
            output,
            "--ignore-not-found",
        ];
        self.plane.kubectl(&arguments).unwrap()
    }

    /// Names of the backups that exist in the bucket.
    fn committed(&self) -> Vec<String> {
        let Ok(folders) = std::fs::read_dir(self.bucket.join("backups")) else {
            return vec![];
        };
        let folders = folders.map(|folder| folder.unwrap().path());
        let whole = folders.filter(|folder| folder.join("velero-backup.json").exists());
        whole
            .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    }
}

impl Drop for Installation<'_> {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        for kind in ["backups", "restores", "backupstoragelocations"] {
            let name = &self.namespace;
            // Without a server nobody takes the finalizers of restores away.
            let patch = r#"{"metadata":{"finalizers":null}}"#;
            let Ok(names) = self.plane.kubectl(&["-n", name, "get", kind, "-o", "name"]) else {
                continue;
            };
            for object in names.lines().filter(|_| kind == "restores") {
                let _ =
                    self.plane
                        .kubectl(&["-n", name, "patch", object, "--type=merge", "-p", patch]);
            }
        }
        let _ = self
            .plane
            .kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

/// The binary, pointed at a control plane and a namespace, blind to the user's settings.
fn ark(plane: &ControlPlane, namespace: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ark"));
    command
        .env_remove("KUBECONFIG")
        .env_remove("ARK_NAMESPACE")
        .env_remove("VELERO_NAMESPACE")
        .env("HOME", "/nonexistent")
        .arg("--kubeconfig")
        .arg(plane.kubeconfig())
        .args(["--namespace", namespace]);
    command
}

/// Applies `count` config maps of about 2 KB to a namespace; their data tells their name.
fn many_config_maps(plane: &ControlPlane, namespace: &str, count: usize) {
    let payload = "x".repeat(2000);
    let items: Vec<_> = (0..count)
        .map(|i| {
            serde_json::json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": format!("item-{i:05}"), "namespace": namespace},
                "data": {"name": format!("item-{i:05}"), "payload": payload},
            })
        })
        .collect();
    let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": items});
    plane
        .kubectl_stdin(&["create", "-f", "-", "-o", "name"], &list.to_string())
        .unwrap();
}

/// `name` to `data` of the config maps that [`many_config_maps`] made.
fn config_maps(
    plane: &ControlPlane,
    namespace: &str,
) -> std::collections::BTreeMap<String, String> {
    let json = plane
        .kubectl(&["-n", namespace, "get", "configmaps", "-o", "json"])
        .unwrap();
    let list: serde_json::Value = serde_json::from_str(&json).unwrap();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            (
                item["metadata"]["name"].as_str().unwrap().to_owned(),
                item["data"].to_string(),
            )
        })
        .filter(|(name, _)| name.starts_with("item-"))
        .collect()
}
