//! Hooks around the saving of pods, run through the API server's exec endpoint on
//! a simulated node. Each writes a line into a file, so that the file tells their
//! order.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use ark_api::BackupSpec;
use ark_api::hook::HookStatus;
use ark_archive::gunzip::gunzip;
use ark_archive::layout;
use ark_engine::backup::{self, BackupError, Options, Report};
use ark_engine::job::Job;
use ark_engine::progress::{Event, Observer};
use ark_testkit::{ControlPlane, SIMULATED_NODE, unique_name};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Bench;

fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| {
        ControlPlane::start(&ark_testkit::Options {
            without_controllers: true,
            simulated_node: true,
            // Without controllers no namespace has an account for its pods.
            apiserver_arguments: vec!["--disable-admission-plugins=ServiceAccount".to_owned()],
            ..ark_testkit::Options::default()
        })
        .unwrap()
    })
}

/// A namespace with pods, and the file that their hooks write into.
struct Scene {
    bench: Bench,
    namespace: String,
    dir: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let bench = Bench::on(plane()).await;
        let namespace = unique_name("hooks");
        bench
            .plane
            .kubectl(&["create", "namespace", &namespace])
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        Self {
            bench,
            namespace,
            dir,
        }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("lines")
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.file()).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// A script that adds a line to the file.
    fn say(&self, line: &str) -> String {
        format!("echo {line} >> {}", self.file().display())
    }

    /// A hook of the spec.
    fn hook(&self, line: &str) -> Value {
        exec(&self.say(line))
    }

    /// Makes a running pod; `annotations` are hooks, `claim` is mounted.
    fn pod(&self, name: &str, annotations: &Value, claim: Option<&str>) {
        let volumes: Vec<Value> = claim
            .iter()
            .map(|claim| json!({"name": "data", "persistentVolumeClaim": {"claimName": claim}}))
            .collect();
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"app": name},
                "annotations": annotations},
            "spec": {"nodeName": SIMULATED_NODE, "volumes": volumes,
                "initContainers": [{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}],
                "containers": [{"name": "main", "image": "main:1"}, {"name": "log", "image": "log:1"}]},
        });
        let plane = self.bench.plane;
        plane
            .kubectl_stdin(&["create", "-f", "-"], &pod.to_string())
            .unwrap();
        let ready = [
            "wait",
            "--for=jsonpath={.status.phase}=Running",
            "--timeout=60s",
            "-n",
        ];
        let pod = format!("pod/{name}");
        plane
            .kubectl(&[&ready[..], &[&self.namespace, &pod]].concat())
            .unwrap();
    }

    fn spec(&self, rules: &Value) -> BackupSpec {
        serde_json::from_value(json!({
            "includedNamespaces": [self.namespace],
            "includedResources": ["pods", "persistentvolumeclaims"],
            "hooks": {"resources": rules},
        }))
        .unwrap()
    }

    async fn back_up(&self, rules: &Value) -> Report {
        self.bench
            .back_up("b", self.spec(rules), &Options::default())
            .await
    }

    async fn pods(&self) -> Vec<String> {
        let items = self.bench.contents("b").await;
        let pods = items
            .keys()
            .filter(|key| key.group_resource.resource == "pods");
        pods.map(|key| key.name.clone()).collect()
    }

    async fn log(&self) -> String {
        let store = &self.bench.ports.store;
        let packed = store.read(&layout::log("b"), 1 << 20).await.unwrap();
        String::from_utf8(gunzip(&packed, 1 << 20).unwrap()).unwrap()
    }
}

/// Notes ends of hooks and progress of saving, in their order.
#[derive(Default)]
struct Recorder(Mutex<Vec<&'static str>>);

impl Observer for Recorder {
    fn on(&self, event: &Event) {
        let step = match event {
            Event::Note(text) if text.ends_with(": done") && text.contains(": pre hook") => "pre",
            Event::Note(text) if text.ends_with(": done") => "post",
            Event::Done(_) => "saved",
            _ => return,
        };
        self.0.lock().unwrap().push(step);
    }
}

fn exec(script: &str) -> Value {
    json!({"exec": {"command": ["sh", "-c", script]}})
}

fn counts(report: &Report) -> (i64, i64) {
    let HookStatus {
        hooks_attempted,
        hooks_failed,
    } = report.status.hook_status.clone().unwrap();
    (hooks_attempted, hooks_failed)
}

fn phase(report: &Report) -> String {
    report.status.phase.as_ref().unwrap().to_string()
}

fn messages(report: &Report) -> String {
    let all: Vec<&str> = report.issues.iter().map(|i| i.message.as_str()).collect();
    all.join("\n")
}

async fn wait_for(path: &Path) {
    while !path.exists() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pods_of_one_block_are_all_prepared_before_and_released_after() {
    let scene = Scene::new().await;
    let annotated = json!({
        "pre.hook.backup.velero.io/command": json!(["sh", "-c", scene.say("pre-b-annotation")]).to_string(),
        "pre.hook.backup.velero.io/container": "proxy",
    });
    scene.pod("a", &json!({}), Some("data"));
    scene.pod("b", &annotated, Some("data"));
    scene.pod("quiet", &json!({}), None);
    let rules = json!([{
        "name": "freeze",
        "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]},
        "pre": [scene.hook("pre-spec"), exec("echo flushed; echo careful >&2")],
        "post": [scene.hook("post-spec")],
    }]);
    let recorder = Arc::new(Recorder::default());
    let job = Job::new(
        scene.bench.ports.clone(),
        Arc::clone(&recorder) as Arc<dyn Observer>,
        CancellationToken::new(),
    );
    let backup = scene.bench.validated("b", "uid", scene.spec(&rules));
    let report = backup::run(&job, &backup, &Options::default()).await;
    let report = report.unwrap();
    assert_eq!(phase(&report), "Completed", "{}", messages(&report));
    let steps = recorder.0.lock().unwrap().clone();
    let order = ["pre", "pre", "pre", "saved", "post", "post"];
    assert_eq!(steps[steps.len() - 6..], order);
    assert_eq!(
        scene.lines(),
        ["pre-spec", "pre-b-annotation", "post-spec", "post-spec"]
    );
    assert_eq!(counts(&report), (5, 0));
    assert_eq!(scene.pods().await, ["a", "b", "quiet"]);
    let log = scene.log().await;
    let namespace = &scene.namespace;
    for line in [
        format!("pods {namespace}/a: pre hook of `freeze` in container `main`: stdout: flushed"),
        format!("pods {namespace}/a: pre hook of `freeze` in container `main`: stderr: careful"),
        format!("pods {namespace}/b: pre hook of `annotation` in container `proxy`: done"),
        format!("item block: pods {namespace}/a, {namespace}/b; claims {namespace}/data"),
    ] {
        assert!(log.contains(&line), "{line}\nis not in\n{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_whose_hook_must_not_fail_is_left_out_and_released() {
    let scene = Scene::new().await;
    scene.pod("bad", &json!({}), None);
    scene.pod("good", &json!({}), None);
    let broken = scene.say("broken") + "; echo no disk >&2; exit 3";
    let rules = json!([{
        "name": "freeze",
        "labelSelector": {"matchLabels": {"app": "bad"}},
        "pre": [
            {"exec": {"command": ["sh", "-c", broken], "onError": "Fail"}},
            scene.hook("never"),
        ],
        "post": [scene.hook("released")],
    }, {
        "name": "all", "pre": [scene.hook("all")],
    }]);
    let report = scene.back_up(&rules).await;
    assert_eq!(phase(&report), "PartiallyFailed");
    assert_eq!(scene.pods().await, ["good"]);
    assert_eq!(scene.lines(), ["broken", "released", "all"]);
    assert_eq!(counts(&report), (3, 1));
    let messages = messages(&report);
    assert!(messages.contains("exit status 3"), "{messages}");
    assert!(messages.contains("/bad: left out"), "{messages}");
    assert!(scene.log().await.contains("stderr: no disk"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_failures_keep_the_pod_and_are_counted() {
    let scene = Scene::new().await;
    let slow = json!({
        "hook.backup.velero.io/command": r#"["sleep", "50"]"#,
        "hook.backup.velero.io/timeout": "2s",
        "hook.backup.velero.io/on-error": "Continue",
    });
    scene.pod("slow", &slow, None);
    scene.pod("other", &json!({}), None);
    let rules = json!([{
        "name": "nowhere",
        "labelSelector": {"matchLabels": {"app": "other"}},
        "pre": [{"exec": {"command": ["true"], "container": "absent"}}, scene.hook("next")],
    }]);
    let report = scene.back_up(&rules).await;
    assert_eq!(phase(&report), "PartiallyFailed");
    assert_eq!(scene.pods().await, ["other", "slow"]);
    assert_eq!(scene.lines(), ["next"], "hooks behind an unset onError run");
    assert_eq!(counts(&report), (3, 2));
    let messages = messages(&report);
    assert!(messages.contains("did not end within 2 s"), "{messages}");
    assert!(
        messages.contains("no running container `absent`"),
        "{messages}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_run_at_the_same_time_when_there_are_workers() {
    let scene = Scene::new().await;
    // Each waits until the other one runs.
    let meet = |own: &str, other: &str| {
        let at = scene.dir.path().display();
        let script = format!("touch {at}/{own}; until [ -e {at}/{other} ]; do sleep 0.1; done");
        json!({
            "pre.hook.backup.velero.io/command": json!(["sh", "-c", script]).to_string(),
            "pre.hook.backup.velero.io/on-error": "Fail",
            "pre.hook.backup.velero.io/timeout": "60s",
        })
    };
    scene.pod("a", &meet("a", "b"), None);
    scene.pod("b", &meet("b", "a"), None);
    let options = Options {
        block_workers: 2,
        ..Options::default()
    };
    let spec = scene.spec(&json!([]));
    let report = scene.bench.back_up("b", spec, &options).await;
    assert_eq!(phase(&report), "Completed", "{}", messages(&report));
    assert_eq!(scene.pods().await, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_backup_releases_what_it_has_frozen() {
    let scene = Scene::new().await;
    scene.pod("a", &json!({}), None);
    let frozen = scene.dir.path().join("frozen");
    let freeze = format!("touch {}; sleep 50", frozen.display());
    let rules = json!([{
        "name": "freeze", "pre": [exec(&freeze)], "post": [scene.hook("released")],
    }]);
    let backup = scene.bench.validated("b", "uid", scene.spec(&rules));
    let cancel = CancellationToken::new();
    let job = scene.bench.job(cancel.clone());
    let options = Options::default();
    let run = backup::run(&job, &backup, &options);
    let stop = async {
        wait_for(&frozen).await;
        cancel.cancel();
    };
    let (result, ()) = futures::join!(run, stop);
    assert!(matches!(result, Err(BackupError::Cancelled)), "{result:?}");
    assert_eq!(scene.lines(), ["released"]);
    assert_eq!(job.hooks().hooks_failed, 1);
}
