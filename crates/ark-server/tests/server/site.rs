//! One test's place: a namespace with a server, a bucket, namespaces of its own.

use std::collections::BTreeSet;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ark_api::{
    Backup, BackupStorageLocation, DeleteBackupRequest, DownloadRequest, Restore, Schedule,
    ServerStatusRequest, VolumeSnapshotLocation,
};
use ark_engine::port::{ApiResource, Cluster as _, CreateOptions, Patch, Target};
use ark_kube::{ConnectOptions, Connection, Custom, CustomResource, resource_of};
use ark_server::{Server, ServerError, ServerOptions};
use ark_testkit::{ControlPlane, Namespaces};
use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::MovedClock;
use crate::strict::Files;

/// Far more than anything here takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A running server.
struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ServerError>>,
    address: std::net::SocketAddr,
}

pub(crate) struct Site {
    pub(crate) plane: &'static ControlPlane,
    pub(crate) namespace: String,
    pub(crate) namespaces: Namespaces<'static>,
    pub(crate) runtime: Runtime,
    /// For what is done most often: `kubectl` takes a tenth of a second each time.
    connection: Connection,
    /// What the server goes by.
    pub(crate) clock: Arc<MovedClock>,
    bucket: TempDir,
    server: Option<Running>,
}

impl Site {
    /// A namespace with all kinds and without a server.
    pub(crate) fn new() -> Self {
        Self::on(ControlPlane::shared())
    }

    /// The same in another control plane than that of all tests.
    pub(crate) fn on(plane: &'static ControlPlane) -> Self {
        install_kinds(plane);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let bucket = tempfile::tempdir().unwrap();
        let options = ConnectOptions {
            kubeconfig: Some(plane.kubeconfig().to_owned()),
            ..ConnectOptions::default()
        };
        let connection = runtime
            .block_on(Connection::from_options(&options))
            .unwrap();
        let mut site = Self {
            plane,
            namespace: String::new(),
            namespaces: Namespaces::new(plane),
            runtime,
            connection,
            clock: Arc::default(),
            bucket,
            server: None,
        };
        site.namespace = site.namespace("ark");
        site
    }

    /// A namespace with a running server and an available default location.
    pub(crate) fn running() -> Self {
        let mut site = Self::new();
        site.begin();
        site
    }

    /// Starts a server and gives it an available default location.
    pub(crate) fn begin(&mut self) {
        self.start(|_| {});
        self.add_location("default", self.bucket(), &json!({"default": true}));
        self.wait("bsl/default", "{.status.phase}", "Available");
    }

    pub(crate) fn bucket(&self) -> &Path {
        self.bucket.path()
    }

    /// Starts the server with short times; as the kubelet does, starts it again
    /// when it has lost its lease.
    pub(crate) fn start(&mut self, change: impl FnOnce(&mut ServerOptions)) {
        assert!(self.server.is_none());
        let mut options = ServerOptions {
            namespace: Some(self.namespace.clone()),
            kubeconfig: Some(self.plane.kubeconfig().to_owned()),
            metrics_address: "127.0.0.1:0".to_owned(),
            // The successor of a killed server waits as long; a busy machine may
            // keep a renewal waiting for seconds.
            lease_duration: Duration::from_secs(9),
            ..ServerOptions::default()
        };
        change(&mut options);
        let shutdown = CancellationToken::new();
        let server = self
            .runtime
            .block_on(Server::prepare(options.clone()))
            .unwrap();
        let address = server.address();
        let server = server.with_clock(self.clock.clone());
        let restarted = ServerOptions {
            metrics_address: address.to_string(),
            ..options
        };
        let task = self.runtime.spawn(supervise(
            server,
            restarted,
            self.clock.clone(),
            shutdown.clone(),
        ));
        self.server = Some(Running {
            shutdown,
            task,
            address,
        });
    }

    /// Ends the server as SIGTERM does.
    pub(crate) fn stop(&mut self) {
        let running = self.server.take().unwrap();
        running.shutdown.cancel();
        self.runtime.block_on(running.task).unwrap().unwrap();
    }

    /// Ends the server as SIGKILL does: nothing runs on, nothing is cleaned up.
    pub(crate) fn kill(&mut self) {
        let running = self.server.take().unwrap();
        running.task.abort();
        assert!(
            self.runtime
                .block_on(running.task)
                .unwrap_err()
                .is_cancelled()
        );
    }

    /// The answer to a GET of the server's endpoint, with its head.
    pub(crate) fn ask(&self, path: &str) -> String {
        use std::io::{Read as _, Write as _};
        let address = self.server.as_ref().unwrap().address;
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Typed access to the server's namespace.
    pub(crate) fn custom<K: CustomResource>(&self) -> Custom<K> {
        Custom::new(&self.connection, &self.namespace)
    }

    /// Waits, without polling, until a backup is in one of these phases.
    pub(crate) fn await_backup(&self, name: &str, phases: &[&str]) -> Backup {
        let backups = self.custom::<Backup>();
        let reached = |backup: &Backup| phases.contains(&backup.phase().as_str());
        self.block_on(backups.watch_until(name, reached, PATIENCE))
            .unwrap()
    }

    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let mut all = vec!["-n", &self.namespace];
        all.extend(arguments);
        self.plane.kubectl(&all).unwrap()
    }

    /// One of Ark's objects (`KIND/NAME`) as JSON, `None` when there is none.
    pub(crate) fn get(&self, object: &str) -> Option<Value> {
        let (kind, name) = object.split_once('/').unwrap();
        let resource = resource(kind).unwrap_or_else(|| panic!("{kind} is none of Ark's kinds"));
        let target = Target {
            resource: &resource,
            namespace: Some(&self.namespace),
            name,
        };
        let found = self.block_on(self.connection.get(target)).unwrap();
        found.map(|object| object.to_value().unwrap())
    }

    /// Reasons and types of the events about objects of a kind.
    pub(crate) fn reasons(&self, kind: &str) -> Vec<(String, String)> {
        let selector = format!("regarding.kind={kind}");
        let arguments = [
            "get",
            "events.events.k8s.io",
            "--field-selector",
            &selector,
            "-o",
            "json",
        ];
        let list: Value = serde_json::from_str(&self.kubectl(&arguments)).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let events = list["items"].as_array().unwrap().iter();
        events
            .map(|event| (text(&event["reason"]), text(&event["type"])))
            .collect()
    }

    /// Creates objects; those without a namespace come into the server's.
    pub(crate) fn create(&self, object: &Value) {
        if let Some(resource) = resource(object["kind"].as_str().unwrap()) {
            self.post(&resource, Some(&self.namespace), object);
            return;
        }
        let arguments = ["-n", &self.namespace, "create", "-f", "-"];
        self.plane
            .kubectl_stdin(&arguments, &object.to_string())
            .unwrap();
    }

    fn post(&self, resource: &ApiResource, namespace: Option<&str>, object: &Value) {
        let body = Bytes::from(object.to_string());
        let options = CreateOptions::default();
        let made = self.connection.create(resource, namespace, body, options);
        self.block_on(made).unwrap();
    }

    /// Makes a namespace `prefix-…`.
    pub(crate) fn namespace(&mut self, prefix: &str) -> String {
        let name = self.namespaces.reserve(prefix);
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.post(&ApiResource::namespaces(), None, &object);
        name
    }

    pub(crate) fn add(&self, kind: &str, name: &str, spec: &Value) {
        self.create(&json!({
            "apiVersion": "velero.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec,
        }));
    }

    pub(crate) fn add_location(&self, name: &str, directory: &Path, more: &Value) {
        let mut spec = json!({
            "provider": "fs",
            "objectStorage": {"bucket": directory.to_str().unwrap()},
            "backupSyncPeriod": "1s",
            "validationFrequency": "1s",
        });
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.add("BackupStorageLocation", name, &spec);
    }

    /// Waits until a field (`{.status.phase}`) of one of Ark's objects has a value; the
    /// panic shows the object.
    pub(crate) fn wait(&self, object: &str, path: &str, value: &str) {
        let path = pointer(path);
        let start = Instant::now();
        loop {
            let found = self.get(object).unwrap_or_default();
            let shown = match found.pointer(&path) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            if shown == value {
                return;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "{path} is not {value}: {found:#}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until `done` holds.
    pub(crate) fn until(&self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// A namespace with `count` config maps `item-N`, each with data of its own.
    pub(crate) fn sample(&mut self, count: usize) -> String {
        let namespace = self.namespace("shop");
        let items: Vec<Value> = (0..count)
            .map(|n| {
                json!({
                    "apiVersion": "v1", "kind": "ConfigMap",
                    "metadata": {"name": format!("item-{n}"), "namespace": namespace},
                    "data": {"n": n.to_string()},
                })
            })
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        self.plane
            .kubectl_stdin(&["create", "-f", "-"], &list.to_string())
            .unwrap();
        namespace
    }

    /// How many `item-N` a namespace has with their data as they should be.
    pub(crate) fn intact(&self, namespace: &str) -> usize {
        let arguments = ["-n", namespace, "get", "configmaps", "-o", "json"];
        let list: Value = serde_json::from_str(&self.plane.kubectl(&arguments).unwrap()).unwrap();
        let is_intact = |item: &&Value| {
            let name = item["metadata"]["name"].as_str().unwrap();
            name.strip_prefix("item-")
                .is_some_and(|n| item["data"]["n"] == n)
        };
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(is_intact)
            .count()
    }

    /// Every file of a folder of the bucket, by key.
    pub(crate) fn files(&self, folder: &str) -> Files {
        let mut files = Files::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(self.file(&folder)).unwrap() {
                let path = entry.unwrap().path();
                let key = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
                if path.is_dir() {
                    folders.push(key);
                } else {
                    files.insert(key, std::fs::read(path).unwrap());
                }
            }
        }
        files
    }

    /// A file of the bucket.
    pub(crate) fn file(&self, key: &str) -> PathBuf {
        self.bucket().join(key)
    }
}

async fn supervise(
    mut server: Server,
    options: ServerOptions,
    clock: Arc<MovedClock>,
    shutdown: CancellationToken,
) -> Result<(), ServerError> {
    loop {
        match Box::pin(server.run(shutdown.clone())).await {
            Err(ServerError::LeaseLost) => {
                server = Server::prepare(options.clone())
                    .await?
                    .with_clock(clock.clone());
            }
            end => return end,
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(running) = self.server.take() {
            running.task.abort();
        }
        // Nobody is left to take the finalizers off, and they would keep the
        // namespace.
        let restores = self.block_on(self.custom::<Restore>().list(None));
        for restore in restores.map(|listed| listed.items).unwrap_or_default() {
            let target = Target {
                resource: &resource_of::<Restore>(),
                namespace: Some(&self.namespace),
                name: restore.metadata.name.as_deref().unwrap_or_default(),
            };
            let strip = Bytes::from_static(br#"{"metadata":{"finalizers":null}}"#);
            let _ = self.block_on(self.connection.patch(target, Patch::Merge(strip)));
        }
    }
}

/// `{.metadata.labels.velero\.io/x}`, as kubectl has it, as a JSON pointer (RFC 6901).
fn pointer(path: &str) -> String {
    let escaped = path.trim_matches(['{', '}']).replace('/', "~1");
    let parts: Vec<String> = escaped
        .split("\\.")
        .map(|part| part.replace('.', "/"))
        .collect();
    parts.join(".")
}

/// One of Ark's kinds by its name, its short name or the name with its group.
fn resource(kind: &str) -> Option<ApiResource> {
    let kinds = [
        resource_of::<Backup>(),
        resource_of::<BackupStorageLocation>(),
        resource_of::<DeleteBackupRequest>(),
        resource_of::<DownloadRequest>(),
        resource_of::<Restore>(),
        resource_of::<Schedule>(),
        resource_of::<ServerStatusRequest>(),
        resource_of::<VolumeSnapshotLocation>(),
    ];
    let kind = match kind.trim_end_matches(".velero.io") {
        "bsl" => "BackupStorageLocation",
        kind => kind,
    };
    kinds
        .into_iter()
        .find(|resource| resource.kind.eq_ignore_ascii_case(kind))
}

fn install_kinds(plane: &ControlPlane) {
    static DONE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    // Held until they are there: others wait.
    let mut done = DONE.lock().unwrap();
    if done.insert(plane.url().to_owned()) {
        let items = ark_api::crd::all().unwrap();
        let names: Vec<String> = items
            .iter()
            .map(|one| format!("crd/{}", one.metadata.name.as_deref().unwrap()))
            .collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        let apply = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        plane.kubectl_stdin(&apply, &list.to_string()).unwrap();
        let mut wait = vec!["wait", "--for=condition=Established", "--timeout=60s"];
        wait.extend(names.iter().map(String::as_str));
        plane.kubectl(&wait).unwrap();
    }
}
