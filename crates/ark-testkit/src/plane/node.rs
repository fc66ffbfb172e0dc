//! A node that is only played, by kwok: pods bound to it are `Running` at once,
//! and a command for one of their containers is run on this machine, as whoever
//! runs the tests. All else goes the way of a real cluster, from the API server's
//! exec endpoint to the node's TLS port.
//!
//! Differences from a real node: an exit code other than 0 is told in words
//! (`exit status 3`) and not as a code.

use std::path::Path;

use anyhow::Result;

use super::ControlPlane;
use crate::ports;
use crate::supervisor::Program;

/// The node's name, for `spec.nodeName` of pods: there is no scheduler.
pub const SIMULATED_NODE: &str = "simulated";

pub(super) const KWOK: &str = "kwok";

const CONFIGURATION: &str = include_str!("node.yaml");

/// What the API server must be told to find the node: it has no name in any DNS.
pub(super) const APISERVER_ARGUMENT: &str = "--kubelet-preferred-address-types=InternalIP";

/// The program, and its configuration as the content of `kwok.yaml` in `dir`.
pub(super) fn program<'a>(path: &'a Path, dir: &Path) -> Result<(Program<'a>, &'static str)> {
    let [port] = ports::free()?;
    let dir = dir.display();
    let program = Program {
        name: KWOK,
        path,
        arguments: vec![
            format!("--kubeconfig={dir}/kubeconfig"),
            format!("--config={dir}/kwok.yaml"),
            format!("--manage-single-node={SIMULATED_NODE}"),
            "--node-ip=127.0.0.1".to_owned(),
            format!("--node-port={port}"),
            format!("--server-address=127.0.0.1:{port}"),
            "--node-lease-duration-seconds=40".to_owned(),
        ],
        environment: Vec::new(),
    };
    Ok((program, CONFIGURATION))
}

/// Makes the node's object; kwok fills in its status.
pub(super) fn create(plane: &ControlPlane) -> Result<()> {
    let node = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"Node\", \"metadata\": {{\"name\": \"{SIMULATED_NODE}\"}}}}"
    );
    plane.kubectl_stdin(&["create", "-f", "-"], &node).map(drop)
}

/// Whether it says that it is ready, and where commands are to be sent.
pub(super) fn check(plane: &ControlPlane) -> Result<()> {
    let path = "--output=jsonpath={.status.conditions[?(@.type==\"Ready\")].status} \
                {.status.daemonEndpoints.kubeletEndpoint.Port}";
    let told = plane.kubectl(&["get", "node", SIMULATED_NODE, path])?;
    anyhow::ensure!(
        told.starts_with("True ") && told.trim().len() > "True ".len(),
        "the node tells {told:?}"
    );
    Ok(())
}
