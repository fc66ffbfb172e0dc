//! Flags of `velero install` that have no work to do here, and those of the server
//! that it takes.

use crate::args::foreign::{Flag, Table, Takes, Then, switch, value};

const NO_NODE_AGENT: &str = "this version has no node agent";
const NO_CSI: &str = "CSI snapshots are not taken by this version";

/// Flags of `velero install`.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfInstall;

impl Table for OfInstall {
    const FLAGS: &'static [Flag] = &[
        switch("apply", "objects are applied in any case"),
        value("plugins", "storage and item actions are built in"),
        switch("csi-snapshot-early-frequent-polling", NO_CSI),
        unwanted(
            "use-node-agent",
            "files of volumes are not saved by this version, so there is no node agent: \
             take the flag away",
        ),
        unwanted(
            "use-node-agent-windows",
            "files of volumes are not saved by this version, so there is no node agent: \
             take the flag away",
        ),
        switch("privileged-node-agent", NO_NODE_AGENT),
        switch("node-agent-disable-host-path", NO_NODE_AGENT),
        value("kubelet-root-dir", NO_NODE_AGENT),
        value("node-agent-configmap", NO_NODE_AGENT),
        value("node-agent-priority-class-name", NO_NODE_AGENT),
        value("node-agent-pod-cpu-limit", NO_NODE_AGENT),
        value("node-agent-pod-cpu-request", NO_NODE_AGENT),
        value("node-agent-pod-mem-limit", NO_NODE_AGENT),
        value("node-agent-pod-mem-request", NO_NODE_AGENT),
        of_server("backup-repository-configmap", Takes::Value),
        of_server("concurrent-backups", Takes::Value),
        of_server("default-repo-maintain-frequency", Takes::Value),
        of_server("default-snapshot-move-data", Takes::Switch),
        of_server("default-volumes-to-fs-backup", Takes::Switch),
        of_server("disable-informer-cache", Takes::Switch),
        of_server("garbage-collection-frequency", Takes::Value),
        of_server("item-block-worker-count", Takes::Value),
        of_server("keep-latest-maintenance-jobs", Takes::Value),
        of_server("maintenance-job-cpu-limit", Takes::Value),
        of_server("maintenance-job-cpu-request", Takes::Value),
        of_server("maintenance-job-mem-limit", Takes::Value),
        of_server("maintenance-job-mem-request", Takes::Value),
        of_server("pod-volume-operation-timeout", Takes::Value),
        of_server("repo-maintenance-job-configmap", Takes::Value),
        of_server("restore-only", Takes::Switch),
        of_server("schedule-skip-immediately", Takes::Switch),
        of_server("uploader-type", Takes::Value),
    ];
}

const fn unwanted(name: &'static str, why: &'static str) -> Flag {
    Flag {
        name,
        takes: Takes::Switch,
        then: Then::Only("false", why),
    }
}

const fn of_server(name: &'static str, takes: Takes) -> Flag {
    Flag {
        name,
        takes,
        then: Then::Forward,
    }
}
