//! What a sync has to do, as a value: which backups of the bucket the cluster
//! lacks, and which resources of the cluster have lost their backup.
//!
//! Pure. The cluster must be read before the bucket: then a backup that was
//! finished in between shows in the bucket alone, where creating its resource
//! meets the existing one and is dropped, and a resource that says `Completed`
//! was in the bucket when the bucket was read.

use std::collections::{BTreeMap, BTreeSet};

use ark_api::{BackupPhase, label};
use ark_archive::heptio;
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A backup as the cluster knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    /// `spec.storageLocation`.
    pub(crate) location: String,
    /// Its phase.
    pub(crate) phase: BackupPhase,
    /// Whether a job of this server works on it.
    pub(crate) busy: bool,
}

/// The cluster's side.
#[derive(Debug, Clone, Default)]
pub(crate) struct InCluster {
    /// Backups by name.
    pub(crate) backups: BTreeMap<String, Known>,
    /// Names of backups whose deletion is asked for and not done.
    pub(crate) deleting: BTreeSet<String>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SyncPlan {
    /// Names to create resources for, in order.
    pub(crate) import: Vec<String>,
    /// Names of resources to delete, in order.
    pub(crate) remove: Vec<String>,
}

/// Compares `location`'s committed backups with the cluster.
pub(crate) fn plan_sync(
    cluster: &InCluster,
    location: &str,
    bucket: &BTreeSet<String>,
) -> SyncPlan {
    let import = bucket
        .iter()
        .filter(|name| !cluster.backups.contains_key(*name) && !cluster.deleting.contains(*name))
        .cloned()
        .collect();
    let finished = |phase: &BackupPhase| {
        matches!(phase, BackupPhase::Completed | BackupPhase::PartiallyFailed)
    };
    let remove = cluster
        .backups
        .iter()
        .filter(|(name, known)| {
            known.location == location
                && finished(&known.phase)
                && !known.busy
                && !cluster.deleting.contains(*name)
                && !bucket.contains(*name)
        })
        .map(|(name, _)| name.clone())
        .collect();
    SyncPlan { import, remove }
}

/// Where an imported backup goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    /// The server's namespace.
    pub(crate) namespace: &'a str,
    /// The location whose bucket has the backup.
    pub(crate) location: &'a str,
    /// UIDs of the schedules that there are, by name.
    pub(crate) schedules: &'a BTreeMap<String, String>,
}

/// What becomes of a backup's metadata file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Adoption {
    /// Create this resource.
    Create(Value),
    /// Whoever writes it has not finished; look again at the next sync.
    Unfinished,
    /// It cannot be a resource of this name; the reason is for the log.
    Refused(String),
}

/// Makes the cluster's resource from a metadata file: it keeps labels,
/// annotations, spec and status, and belongs to this cluster otherwise. A backup of
/// Heptio Ark loses its expiration, which nobody has looked at for years: it shall be
/// seen, not deleted.
pub(crate) fn adopt(
    mut document: Value,
    name: &str,
    to: Destination<'_>,
    now: Timestamp,
) -> Adoption {
    let stored = document.pointer("/metadata/name").and_then(Value::as_str);
    if stored != Some(name) {
        let stored = stored.unwrap_or_default();
        return Adoption::Refused(format!(
            "the file in folder `{name}` is of backup `{stored}`"
        ));
    }
    match settle(&mut document, now) {
        Settled::Finished => {}
        Settled::Unfinished => return Adoption::Unfinished,
        Settled::Malformed => return Adoption::Refused("its status is not an object".to_owned()),
    }
    let is_old = heptio::is_converted(&document);
    let Value::Object(members) = &mut document else {
        return Adoption::Refused("not an object".to_owned());
    };
    if is_old && let Some(Value::Object(status)) = members.get_mut("status") {
        status.remove("expiration");
    }
    members.insert("apiVersion".to_owned(), ark_api::V1.into());
    members.insert("kind".to_owned(), "Backup".into());
    members.insert(
        "metadata".to_owned(),
        metadata(members.get("metadata"), name, to),
    );
    let spec = members
        .entry("spec")
        .or_insert_with(|| Value::Object(Map::new()));
    if !spec.is_object() {
        *spec = Value::Object(Map::new());
    }
    spec["storageLocation"] = to.location.into();
    Adoption::Create(document)
}

enum Settled {
    Finished,
    Unfinished,
    Malformed,
}

/// Looks at the phase. A backup whose writer never came back counts as partial
/// once it has expired, so that it can be seen and deleted.
fn settle(document: &mut Value, now: Timestamp) -> Settled {
    use BackupPhase as Phase;
    let status = document
        .get_mut("status")
        .filter(|status| !status.is_null());
    let Some(status) = status else {
        return Settled::Unfinished;
    };
    let Value::Object(status) = status else {
        return Settled::Malformed;
    };
    let phase = Phase::from(
        status
            .get("phase")
            .and_then(Value::as_str)
            .unwrap_or_default(),
    );
    match phase {
        Phase::Completed | Phase::PartiallyFailed | Phase::Failed | Phase::FailedValidation => {
            return Settled::Finished;
        }
        // The empty name reads as an unknown one.
        Phase::Other(name) if !name.is_empty() => return Settled::Finished,
        Phase::Deleting => return Settled::Unfinished,
        _ => {}
    }
    let expiration = status.get("expiration").and_then(Value::as_str);
    let expired = expiration
        .and_then(|text| text.parse::<Timestamp>().ok())
        .is_some_and(|expiration| expiration < now);
    if !expired {
        return Settled::Unfinished;
    }
    status.insert("phase".to_owned(), Phase::PartiallyFailed.as_str().into());
    Settled::Finished
}

/// Labels and annotations stay; what tells of the object in another cluster
/// (uid, owners, finalizers, times) does not. A schedule owns its backup again when
/// it is the very one that made it: an owner that is not there would have the
/// resource collected as garbage.
fn metadata(stored: Option<&Value>, name: &str, to: Destination<'_>) -> Value {
    let part = |field: &str| {
        let part = stored.and_then(|stored| stored.get(field));
        part.and_then(Value::as_object).cloned().unwrap_or_default()
    };
    let mut labels = part("labels");
    labels.remove(label::GC_FAILURE);
    labels.insert(
        label::STORAGE_LOCATION.to_owned(),
        label::valid_value(to.location).into(),
    );
    let mut annotations = part("annotations");
    annotations.remove(crate::attempts::ANNOTATION);
    annotations.remove(ark_api::cancel::ANNOTATION);
    annotations.remove(label::LAST_APPLIED);
    let mut metadata = serde_json::json!({
        "name": name,
        "namespace": to.namespace,
        "labels": labels,
        "annotations": annotations,
    });
    let owners = stored.and_then(|stored| stored.get("ownerReferences")?.as_array());
    let owners: Vec<&Value> = owners
        .into_iter()
        .flatten()
        .filter(|owner| is_known_schedule(owner, to))
        .collect();
    if !owners.is_empty() {
        metadata["ownerReferences"] = owners.into_iter().cloned().collect();
    }
    metadata
}

fn is_known_schedule(owner: &Value, to: Destination<'_>) -> bool {
    let part = |field: &str| owner.get(field).and_then(Value::as_str);
    let uid = part("name").and_then(|name| to.schedules.get(name));
    part("kind") == Some("Schedule")
        && part("apiVersion") == Some(ark_api::V1)
        && uid.is_some()
        && uid.map(String::as_str) == part("uid")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TO: Destination<'_> = Destination {
        namespace: "ark",
        location: "here",
        schedules: &BTreeMap::new(),
    };

    fn now() -> Timestamp {
        "2026-02-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_import_belongs_to_this_cluster() {
        let file = json!({
            "metadata": {
                "name": "b", "namespace": "velero", "uid": "u", "resourceVersion": "7",
                "ownerReferences": [{"name": "o"}], "finalizers": ["x"],
                "labels": {"velero.io/storage-location": "there", "team": "a"},
                "annotations": {"velero.io/source-cluster-k8s-gitversion": "v1.30.0"},
            },
            "spec": {"storageLocation": "there", "ttl": "1h0m0s", "future": {"a": 1}},
            "status": {"phase": "Completed", "expiration": "2026-01-01T00:00:00Z", "warnings": 2},
        });
        let Adoption::Create(made) = adopt(file, "b", TO, now()) else {
            panic!("not created")
        };
        let expected = json!({
            "apiVersion": "velero.io/v1", "kind": "Backup",
            "metadata": {
                "name": "b", "namespace": "ark",
                "labels": {"velero.io/storage-location": "here", "team": "a"},
                "annotations": {"velero.io/source-cluster-k8s-gitversion": "v1.30.0"},
            },
            "spec": {"storageLocation": "here", "ttl": "1h0m0s", "future": {"a": 1}},
            "status": {"phase": "Completed", "expiration": "2026-01-01T00:00:00Z", "warnings": 2},
        });
        assert_eq!(made, expected);
    }

    #[test]
    fn only_the_schedule_that_made_it_owns_it_again() {
        let schedules = BTreeMap::from([
            ("same".to_owned(), "1".to_owned()),
            ("made-anew".to_owned(), "2".to_owned()),
        ]);
        let to = Destination {
            schedules: &schedules,
            ..TO
        };
        let owner = |kind: &str, name: &str, uid: &str| json!({"apiVersion": ark_api::V1, "kind": kind, "name": name, "uid": uid});
        let owners = [
            owner("Schedule", "same", "1"),
            owner("Schedule", "made-anew", "1"),
            owner("Schedule", "gone", "3"),
            owner("Backup", "same", "1"),
        ];
        let file = json!({
            "metadata": {"name": "b", "ownerReferences": owners},
            "status": {"phase": "Completed"},
        });
        let Adoption::Create(made) = adopt(file, "b", to, now()) else {
            panic!("not created")
        };
        assert_eq!(made["metadata"]["ownerReferences"], json!([owners[0]]));
    }

    #[test]
    fn backups_of_heptio_ark_never_expire() {
        let mut file = json!({
            "apiVersion": "ark.heptio.com/v1", "kind": "Backup",
            "metadata": {"name": "b", "namespace": "heptio-ark", "finalizers": ["gc.ark.heptio.com"],
                         "labels": {"ark-schedule": "nightly"}},
            "spec": {"ttl": "24h0m0s"},
            "status": {"phase": "Completed", "expiration": "2018-01-01T00:00:00Z"},
        });
        heptio::convert(&mut file);
        let Adoption::Create(made) = adopt(file, "b", TO, now()) else {
            panic!("not created")
        };
        assert_eq!(made["status"], json!({"phase": "Completed"}));
        assert_eq!(
            made["metadata"]["labels"]["velero.io/schedule-name"],
            "nightly"
        );
        assert_eq!(made["metadata"]["finalizers"], Value::Null);
        assert_eq!(
            made["metadata"]["annotations"][heptio::ORIGIN_ANNOTATION],
            heptio::ORIGIN
        );
    }

    #[test]
    fn unfinished_backups_wait_until_they_expire() {
        let file = |phase: &str, expiration: &str| {
            json!({
                "metadata": {"name": "b"},
                "status": {"phase": phase, "expiration": expiration},
            })
        };
        let late = "2026-03-01T00:00:00Z";
        for phase in [
            "",
            "InProgress",
            "Finalizing",
            "WaitingForPluginOperations",
            "Deleting",
        ] {
            assert_eq!(
                adopt(file(phase, late), "b", TO, now()),
                Adoption::Unfinished,
                "{phase}"
            );
        }
        let Adoption::Create(made) =
            adopt(file("Finalizing", "2026-01-01T00:00:00Z"), "b", TO, now())
        else {
            panic!("not created")
        };
        assert_eq!(made["status"]["phase"], "PartiallyFailed");
    }

    #[test]
    fn files_that_cannot_be_the_backup_are_refused() {
        for file in [
            json!({"metadata": {"name": "other"}}),
            json!([]),
            json!({}),
            json!(null),
        ] {
            assert!(matches!(adopt(file, "b", TO, now()), Adoption::Refused(_)));
        }
        let odd = json!({"metadata": {"name": "b"}, "status": "Completed"});
        assert!(matches!(adopt(odd, "b", TO, now()), Adoption::Refused(_)));
    }

    fn phase() -> impl Strategy<Value = BackupPhase> {
        let all: Vec<BackupPhase> = BackupPhase::ALL.to_vec();
        prop::sample::select(all)
    }

    prop_compose! {
        fn cluster()(
            backups in prop::collection::btree_map(
                "[a-f]",
                (prop::sample::select(vec!["here", "there"]), phase(), any::<bool>()),
                0..6,
            ),
            deleting in prop::collection::btree_set("[a-f]", 0..3),
        ) -> InCluster {
            let known = |(location, phase, busy): (&str, BackupPhase, bool)| {
                Known { location: location.to_owned(), phase, busy }
            };
            let backups = backups.into_iter().map(|(name, of)| (name, known(of))).collect();
            InCluster { backups, deleting }
        }
    }

    proptest! {
        #[test]
        fn sync_touches_only_what_it_may_and_comes_to_rest(
            cluster in cluster(),
            bucket in prop::collection::btree_set("[a-f]", 0..6),
        ) {
            let plan = plan_sync(&cluster, "here", &bucket);
            for name in &plan.import {
                prop_assert!(bucket.contains(name));
                prop_assert!(!cluster.backups.contains_key(name));
                prop_assert!(!cluster.deleting.contains(name));
            }
            for name in &plan.remove {
                let known = &cluster.backups[name];
                prop_assert!(!bucket.contains(name));
                prop_assert_eq!(known.location.as_str(), "here");
                prop_assert!(known.phase.is_terminal() && !known.busy);
                prop_assert!(!cluster.deleting.contains(name));
            }
            // Carried out, it leaves nothing to do.
            let mut after = cluster.clone();
            after.backups.retain(|name, _| !plan.remove.contains(name));
            for name in plan.import {
                let known = Known {
                    location: "here".to_owned(),
                    phase: BackupPhase::Completed,
                    busy: false,
                };
                after.backups.insert(name, known);
            }
            prop_assert_eq!(plan_sync(&after, "here", &bucket), SyncPlan::default());
            // Every committed backup that nobody deletes is known.
            for name in bucket.difference(&after.deleting) {
                prop_assert!(after.backups.contains_key(name));
            }
        }
    }
}
