//! Commands in containers, through a real API server to a simulated node.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use ark_engine::port::{
    Cluster as _, ClusterError, ClusterErrorKind, ExecCommand, ExecEnd, Execution,
};
use ark_kube::Connection;
use ark_testkit::{ControlPlane, Options, SIMULATED_NODE};

use super::connect;

/// A control plane with a node and the pod `shop` in `default`.
fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| {
        let plane = ControlPlane::start(&Options {
            without_controllers: true,
            simulated_node: true,
            // Without controllers no namespace has an account for its pods.
            apiserver_arguments: vec!["--disable-admission-plugins=ServiceAccount".to_owned()],
            ..Options::default()
        })
        .unwrap();
        let pod = format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "shop", "namespace": "default"}},
                "spec": {{"nodeName": "{SIMULATED_NODE}",
                  "containers": [{{"name": "web", "image": "web:1"}}]}}}}"#
        );
        plane.kubectl_stdin(&["create", "-f", "-"], &pod).unwrap();
        plane
            .kubectl(&["wait", "--for=condition=Ready", "pod/shop", "--timeout=60s"])
            .unwrap();
        plane
    })
}

async fn sh(
    connection: &Connection,
    (pod, container): (&str, &str),
    script: &str,
    seconds: u64,
) -> Result<Execution, ClusterError> {
    let command = ["sh".to_owned(), "-c".to_owned(), script.to_owned()];
    let command = ExecCommand {
        namespace: "default",
        pod,
        container,
        command: &command,
        timeout: Duration::from_secs(seconds),
    };
    connection.exec(&command).await
}

const WEB: (&str, &str) = ("shop", "web");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_outputs_and_the_end_come_back() {
    let connection = connect(plane()).await;
    let execution = sh(&connection, WEB, "echo out; echo err >&2", 60)
        .await
        .unwrap();
    assert_eq!(execution.end, ExecEnd::Exited(0));
    assert_eq!(execution.stdout.text(), "out");
    assert_eq!(execution.stderr.text(), "err");

    let execution = sh(&connection, WEB, "echo why >&2; exit 3", 60)
        .await
        .unwrap();
    // The simulated node tells exit codes in words.
    let ExecEnd::Failed(reason) = &execution.end else {
        panic!("{execution:?}");
    };
    assert!(reason.contains("exit status 3"), "{reason}");
    assert_eq!(execution.stderr.text(), "why");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn output_without_end_is_cut() {
    let connection = connect(plane()).await;
    let script = "head -c 1000000 /dev/zero | tr '\\0' x";
    let execution = sh(&connection, WEB, script, 60).await.unwrap();
    assert_eq!(execution.end, ExecEnd::Exited(0));
    let text = execution.stdout.text();
    assert!(text.len() < 70_000 && text.ends_with("(934464 more bytes)"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_takes_too_long_is_left() {
    let connection = connect(plane()).await;
    let started = Instant::now();
    let execution = sh(&connection, WEB, "echo begun; sleep 50", 4)
        .await
        .unwrap();
    assert_eq!(execution.end, ExecEnd::TimedOut);
    assert_eq!(execution.stdout.text(), "begun");
    assert!(started.elapsed() < Duration::from_secs(40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_has_the_server_s_words() {
    let connection = connect(plane()).await;
    let error = sh(&connection, ("nobody", "web"), "true", 60)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::NotFound);
    assert!(
        error.to_string().contains("pods \"nobody\" not found"),
        "{error}"
    );

    let error = sh(&connection, ("shop", "db"), "true", 60)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::Invalid);
    assert!(error.to_string().contains("container db"), "{error}");
}
