//! Flags of Velero's server that have no work to do here: the arguments of a
//! deployment can stay as they are.

use crate::args::foreign::{Flag, ForeignArgs, Table, Takes, Then, switch, value};

const ADAPTS: &str = "calls follow what the API server can take; \
                      --max-concurrent-k8s-connections bounds them";
const NO_REPOSITORIES: &str = "this version keeps no repositories of volume data";
const NO_OPERATIONS: &str = "no operation outlasts the job that began it";
const KLOG: &str = "--log-level and --log-format rule the log";

/// Flags of Velero's server.
#[derive(Debug, Clone, Copy)]
pub(super) struct OfServer;

impl Table for OfServer {
    const FLAGS: &'static [Flag] = &[
        value("backup-repository-configmap", NO_REPOSITORIES),
        value("client-burst", ADAPTS),
        value("client-qps", ADAPTS),
        value("default-repo-maintain-frequency", NO_REPOSITORIES),
        Flag {
            name: "default-snapshot-move-data",
            takes: Takes::Switch,
            then: Then::Only(
                "false",
                "volume data is not moved by this version, so backups would lack it: \
                 take the flag away, or set it to false",
            ),
        },
        Flag {
            name: "default-volumes-to-fs-backup",
            takes: Takes::Switch,
            then: Then::Only(
                "false",
                "files of volumes are not saved by this version, so backups would lack them: \
                 take the flag away, or set it to false",
            ),
        },
        switch(
            "disable-informer-cache",
            "other people's objects are never cached",
        ),
        value(
            "fs-backup-timeout",
            "files of volumes are not saved by this version",
        ),
        value("item-operation-sync-frequency", NO_OPERATIONS),
        value("keep-latest-maintenance-jobs", NO_REPOSITORIES),
        value("maintenance-job-cpu-limit", NO_REPOSITORIES),
        value("maintenance-job-cpu-request", NO_REPOSITORIES),
        value("maintenance-job-mem-limit", NO_REPOSITORIES),
        value("maintenance-job-mem-request", NO_REPOSITORIES),
        value(
            "plugin-dir",
            "item actions are built in; plugins are not loaded",
        ),
        value(
            "pod-volume-operation-timeout",
            "files of volumes are not saved by this version",
        ),
        value("profiler-address", "there is no profiler to listen for"),
        value("repo-maintenance-job-configmap", NO_REPOSITORIES),
        value(
            "restore-resource-priorities",
            "the order of kinds is built in, and holds Velero's",
        ),
        Flag {
            name: "uploader-type",
            takes: Takes::Value,
            then: Then::Only(
                "kopia",
                "files of volumes are not saved by this version, and restic repositories cannot \
                 be read: take the flag away",
            ),
        },
        value(
            "volume-group-snapshot-label-key",
            "snapshots of groups of volumes are not taken by this version",
        ),
        switch("alsologtostderr", KLOG),
        switch("logtostderr", KLOG),
        value("stderrthreshold", KLOG),
        value("v", KLOG),
        value("vmodule", KLOG),
    ];
}

/// Those that were given.
pub(super) type ServerForeignArgs = ForeignArgs<OfServer>;

#[cfg(test)]
mod tests {
    use super::super::passed_over;
    use crate::error::CommandError;

    /// Every flag of Velero's server, with a value as people write it, and
    /// whether it works, is passed over or is refused.
    const VELERO: &[(&str, &str)] = &[
        ("--backup-sync-period=1m", "works"),
        ("--client-qps=100", "passed over"),
        ("--client-burst=100", "passed over"),
        ("--client-page-size=500", "works"),
        ("--concurrent-backups=2", "works"),
        ("--default-backup-storage-location=default", "works"),
        ("--default-backup-ttl=720h", "works"),
        ("--default-item-operation-timeout=4h", "works"),
        ("--default-repo-maintain-frequency=1h", "passed over"),
        ("--default-snapshot-move-data", "refused"),
        ("--default-snapshot-move-data=false", "works"),
        ("--default-volume-snapshot-locations=aws:a,azure:b", "works"),
        ("--default-volumes-to-fs-backup", "refused"),
        ("--default-volumes-to-fs-backup=false", "works"),
        ("--disable-controllers=gc,backup-sync", "works"),
        ("--disable-informer-cache", "passed over"),
        ("--disable-informer-cache=true", "passed over"),
        ("--fs-backup-timeout=4h", "passed over"),
        ("--garbage-collection-frequency=1h", "works"),
        ("--item-block-worker-count=4", "works"),
        ("--item-operation-sync-frequency=10s", "passed over"),
        ("--log-format=json", "works"),
        ("--log-level=debug", "works"),
        ("--max-concurrent-k8s-connections=30", "works"),
        ("--metrics-address=:8085", "works"),
        ("--plugin-dir=/plugins", "passed over"),
        ("--profiler-address=localhost:6060", "passed over"),
        ("--repo-maintenance-job-configmap=x", "passed over"),
        ("--backup-repository-configmap=x", "passed over"),
        ("--resource-timeout=10m", "works"),
        ("--restore-only", "works"),
        ("--restore-resource-priorities=pods,secrets", "passed over"),
        ("--schedule-skip-immediately", "works"),
        ("--store-validation-frequency=1m", "works"),
        ("--terminating-resource-timeout=10m", "works"),
        ("--uploader-type=kopia", "works"),
        ("--uploader-type=restic", "refused"),
        ("--volume-group-snapshot-label-key=x", "passed over"),
        ("--features=EnableCSI", "works"),
        ("--keep-latest-maintenance-jobs=3", "passed over"),
        ("--maintenance-job-cpu-request=1", "passed over"),
        ("--v=4", "passed over"),
    ];

    fn judged(arguments: &[&str]) -> Result<Vec<String>, CommandError> {
        passed_over(arguments.iter().map(|argument| (*argument).to_owned()))
    }

    #[test]
    fn every_flag_of_velero_does_what_the_table_says() {
        for (flag, expected) in VELERO {
            let found = match judged(&[flag]) {
                Ok(lines) if lines.is_empty() => "works",
                Ok(lines) => {
                    assert_eq!(lines.len(), 1, "{flag}");
                    "passed over"
                }
                Err(error) => {
                    let name = flag.split('=').next().unwrap_or_default();
                    assert!(error.message.contains(name), "{}", error.message);
                    "refused"
                }
            };
            assert_eq!(found, *expected, "{flag}");
        }
    }

    #[test]
    fn arguments_of_a_deployment_are_judged_together() {
        let as_installed = ["--features=", "--uploader-type=kopia", "--client-qps", "50"];
        assert_eq!(judged(&as_installed).unwrap().len(), 1);
        let error = judged(&["--uploader-type", "restic", "--default-snapshot-move-data"]);
        let text = error.unwrap_err().message;
        assert!(text.contains("restic") && text.contains("moved"), "{text}");
    }
}
