//! What becomes of the data of the volumes that a backup holds: noted while
//! objects pass, decided at the end. Pure.
//!
//! This version saves no data of volumes itself. What a rule or the backup
//! leaves out on purpose is recorded; what should have been saved is warned of.

use std::collections::{BTreeMap, BTreeSet};

use ark_archive::side::{BackupVolumeInfo, PersistentVolumeInfo};
use serde_json::Value;

use crate::policy::{Method, ResourcePolicies, Volume, chosen_by_pod, decide};

/// Namespace and name.
type ClaimKey = (String, String);

/// The volumes seen so far: a few hundred bytes each.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    disks: BTreeMap<String, Disk>,
    claims: BTreeMap<ClaimKey, Claim>,
    /// Claims whose files a pod wants copied.
    files: BTreeSet<ClaimKey>,
    /// Volumes of pods without a claim whose files are to be copied.
    of_pods: u64,
}

#[derive(Debug)]
struct Disk {
    facts: Volume,
    claim: Option<ClaimKey>,
    info: PersistentVolumeInfo,
}

#[derive(Debug)]
struct Claim {
    facts: Volume,
    /// The volume that it is bound to, or empty.
    volume: String,
}

/// What is known of the volumes when all objects are in.
#[derive(Debug, Default)]
pub(super) struct Fates {
    /// One entry a volume.
    pub infos: Vec<BackupVolumeInfo>,
    /// Data that should be in the backup and is not.
    pub warnings: Vec<String>,
}

/// Whether objects of this kind must be shown to [`Volumes::see`].
pub(super) fn concerns(kind: &str) -> bool {
    matches!(
        kind,
        "persistentvolumes" | "persistentvolumeclaims" | "pods"
    )
}

impl Volumes {
    /// Takes note of an object that goes into the backup.
    pub(super) fn see(&mut self, kind: &str, object: &Value, policies: &ResourcePolicies) {
        match kind {
            "persistentvolumes" => self.see_disk(object),
            "persistentvolumeclaims" => self.see_claim(object),
            "pods" => self.see_pod(object, policies),
            _ => {}
        }
    }

    fn see_disk(&mut self, object: &Value) {
        let claim = &object["spec"]["claimRef"];
        let claim = claim["name"]
            .as_str()
            .map(|name| (text(&claim["namespace"]), name.to_owned()));
        let labels = object["metadata"]["labels"].as_object();
        let info = PersistentVolumeInfo {
            reclaim_policy: text(&object["spec"]["persistentVolumeReclaimPolicy"]),
            labels: labels
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), text(value)))
                .collect(),
        };
        let disk = Disk {
            facts: Volume::persistent(object),
            claim,
            info,
        };
        self.disks.insert(text(&object["metadata"]["name"]), disk);
    }

    fn see_claim(&mut self, object: &Value) {
        let key = (
            text(&object["metadata"]["namespace"]),
            text(&object["metadata"]["name"]),
        );
        let claim = Claim {
            facts: Volume::default().claimed_by(object),
            volume: text(&object["spec"]["volumeName"]),
        };
        self.claims.insert(key, claim);
    }

    fn see_pod(&mut self, pod: &Value, policies: &ResourcePolicies) {
        for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
            let chosen = chosen_by_pod(pod, volume, false);
            if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
                if chosen {
                    let namespace = text(&pod["metadata"]["namespace"]);
                    self.files.insert((namespace, claim.to_owned()));
                }
                continue;
            }
            let facts = Volume::of_pod(volume);
            let rule = policies.rule_for(&facts).map(|(_, action)| action);
            // Without a word about it, a pod's own volume is not worth saving.
            if decide(rule, chosen, Some(false)) == Method::Files {
                self.of_pods += 1;
            }
        }
    }

    /// Decides over each volume.
    pub(super) fn fates(
        &self,
        policies: &ResourcePolicies,
        snapshot_volumes: Option<bool>,
    ) -> Fates {
        let mut fates = Fates::default();
        let mut unsaved: BTreeMap<&'static str, u64> = BTreeMap::new();
        let bound: BTreeMap<&str, &ClaimKey> = self
            .claims
            .iter()
            .map(|(key, claim)| (claim.volume.as_str(), key))
            .collect();
        for (name, disk) in &self.disks {
            let key = disk
                .claim
                .as_ref()
                .or_else(|| bound.get(name.as_str()).copied());
            let facts = match key.and_then(|key| self.claims.get(key)) {
                Some(claim) => disk.facts.clone().with_claim_of(&claim.facts),
                None => disk.facts.clone(),
            };
            let files = key.is_some_and(|key| self.files.contains(key));
            let rule = policies.rule_for(&facts);
            let method = decide(rule.map(|(_, action)| action), files, snapshot_volumes);
            let number = rule.map(|(number, _)| number);
            if let Some(why) = missing(method, number.is_some()) {
                *unsaved.entry(why).or_default() += 1;
            }
            let (namespace, claim) = key.cloned().unwrap_or_default();
            fates.infos.push(BackupVolumeInfo {
                pv_name: name.clone(),
                pv_info: Some(disk.info.clone()),
                ..skipped(namespace, claim, reason(method, number, policies))
            });
        }
        for ((namespace, name), claim) in self.waiting_claims() {
            let Some((number, action)) = policies.rule_for(&claim.facts) else {
                continue;
            };
            let method = decide(Some(action), false, snapshot_volumes);
            let why = reason(method, Some(number), policies);
            fates
                .infos
                .push(skipped(namespace.clone(), name.clone(), why));
        }
        if self.of_pods > 0 {
            *unsaved.entry(NO_FILES).or_default() += self.of_pods;
        }
        let warnings = unsaved.into_iter();
        fates.warnings = warnings
            .map(|(why, count)| match count {
                1 => format!("1 volume is saved as an object, without its data: {why}"),
                _ => format!("{count} volumes are saved as objects, without their data: {why}"),
            })
            .collect();
        fates
    }

    fn waiting_claims(&self) -> impl Iterator<Item = (&ClaimKey, &Claim)> {
        self.claims
            .iter()
            .filter(|(_, claim)| claim.volume.is_empty())
    }
}

const NO_SNAPSHOTS: &str = "this version takes no volume snapshots. Set snapshotVolumes to false \
                            to say that this is intended";
const NO_RULED_SNAPSHOTS: &str = "a rule wants snapshots of them, and this version takes none";
const NO_FILES: &str = "this version does not copy the files of volumes";
const NO_CUSTOM: &str = "a rule leaves them to another program, and this version knows none";

/// Why data is missing that should be there; `ruled` when a rule says that it should.
fn missing(method: Method, ruled: bool) -> Option<&'static str> {
    match method {
        Method::Snapshot if ruled => Some(NO_RULED_SNAPSHOTS),
        Method::Snapshot => Some(NO_SNAPSHOTS),
        Method::Files => Some(NO_FILES),
        Method::Custom => Some(NO_CUSTOM),
        Method::Skipped | Method::NotWanted => None,
    }
}

fn reason(method: Method, rule: Option<usize>, policies: &ResourcePolicies) -> String {
    let why = match method {
        Method::Skipped => "skipped",
        Method::NotWanted => "snapshotVolumes is false",
        Method::Snapshot => "to be saved by a snapshot, which this version does not take",
        Method::Files => "to be saved as files, which this version does not do",
        Method::Custom => "left to another program",
    };
    match rule {
        Some(number) => format!(
            "{why}, by rule {number} of the volume policies in ConfigMap `{}`",
            policies.source()
        ),
        None => why.to_owned(),
    }
}

fn skipped(pvc_namespace: String, pvc_name: String, skipped_reason: String) -> BackupVolumeInfo {
    BackupVolumeInfo {
        pvc_name,
        pvc_namespace,
        skipped: true,
        skipped_reason,
        ..BackupVolumeInfo::default()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policies(rules: &str) -> ResourcePolicies {
        let text = format!("version: v1\nvolumePolicies: {rules}");
        ResourcePolicies::read("rules", &[("k".to_owned(), text)].into()).unwrap()
    }

    fn volumes(policies: &ResourcePolicies) -> Volumes {
        let mut volumes = Volumes::default();
        let disk = |name: &str, class: &str| {
            json!({"metadata": {"name": name, "labels": {"l": "v"}}, "spec": {
                "storageClassName": class, "capacity": {"storage": "1Gi"}, "persistentVolumeReclaimPolicy": "Retain",
                "csi": {"driver": "d"}, "claimRef": {"namespace": "shop", "name": format!("claim-{name}")}}})
        };
        let claim = |name: &str, volume: &str| {
            json!({"metadata": {"namespace": "shop", "name": name, "labels": {"app": name}},
                   "spec": {"volumeName": volume}, "status": {"phase": if volume.is_empty() {"Pending"} else {"Bound"}}})
        };
        let pod = json!({"metadata": {"namespace": "shop", "name": "web", "annotations": {"backup.velero.io/backup-volumes": "b,cache"}},
            "spec": {"volumes": [{"name": "b", "persistentVolumeClaim": {"claimName": "claim-b"}}, {"name": "cache", "emptyDir": {}}]}});
        volumes.see("pods", &pod, policies);
        for (name, class) in [("a", "scratch"), ("b", "gold"), ("c", "gold")] {
            volumes.see("persistentvolumes", &disk(name, class), policies);
            let claim = claim(&format!("claim-{name}"), name);
            volumes.see("persistentvolumeclaims", &claim, policies);
        }
        volumes.see("persistentvolumeclaims", &claim("waiting", ""), policies);
        volumes
    }

    #[test]
    fn without_rules_everything_unsaved_is_warned_of_and_recorded() {
        let none = ResourcePolicies::default();
        let fates = volumes(&none).fates(&none, None);
        insta::assert_yaml_snapshot!(fates.infos);
        assert_eq!(fates.warnings.len(), 2, "{:?}", fates.warnings);
        let silent = volumes(&none).fates(&none, Some(false));
        assert_eq!(
            silent.warnings.len(),
            1,
            "what a pod asks for is missed anyway"
        );
        assert_eq!(silent.infos[0].skipped_reason, "snapshotVolumes is false");
    }

    #[test]
    fn rules_decide_and_what_they_skip_is_no_cause_for_a_warning() {
        let rules = policies(
            "[{conditions: {storageClass: [scratch]}, action: {type: skip}},
              {conditions: {pvcPhase: [Pending]}, action: {type: skip}},
              {conditions: {pvcLabels: {app: claim-c}}, action: {type: snapshot}},
              {conditions: {csi: {}}, action: {type: skip}}]",
        );
        let fates = volumes(&rules).fates(&rules, Some(false));
        let said: Vec<_> = fates
            .infos
            .iter()
            .map(|info| (info.pvc_name.as_str(), info.skipped_reason.as_str()))
            .collect();
        insta::assert_yaml_snapshot!(said);
        assert_eq!(
            fates.warnings.len(),
            2,
            "one snapshot, and the pod's cache: {:?}",
            fates.warnings
        );
        let all = policies("[{conditions: {}, action: {type: skip}}]");
        assert_eq!(
            volumes(&all).fates(&all, None).warnings,
            Vec::<String>::new()
        );
    }

    #[test]
    fn the_modes_of_a_claim_decide_over_the_volume_bound_to_it() {
        let rules = policies(
            "[{conditions: {pvcVolumeMode: Block, pvcAccessModes: [ReadWriteOnce]}, action: {type: skip}}]",
        );
        let mut volumes = Volumes::default();
        for (name, mode) in [("block", "Block"), ("files", "Filesystem")] {
            let key = json!({"namespace": "shop", "name": name});
            // Those of the volume itself do not count.
            let disk = json!({"metadata": {"name": name}, "spec": {"claimRef": key, "volumeMode": "Block"}});
            let claim = json!({"metadata": key, "status": {"phase": "Bound"}, "spec": {
                "volumeName": name, "volumeMode": mode, "accessModes": ["ReadWriteOnce"]}});
            volumes.see("persistentvolumes", &disk, &rules);
            volumes.see("persistentvolumeclaims", &claim, &rules);
        }
        let fates = volumes.fates(&rules, Some(false));
        let by_rule = fates
            .infos
            .iter()
            .filter(|info| info.skipped_reason.contains("rule 1"));
        let names: Vec<_> = by_rule.map(|info| info.pv_name.as_str()).collect();
        assert_eq!(names, ["block"]);
    }
}
