//! How the data of each volume is to be saved: noted while objects pass, decided when
//! all are in. Pure; what was decided is carried out by [`super::snapshot`] and told by
//! [`super::volume_record`].

use std::collections::{BTreeMap, BTreeSet};

use ark_api::label;
use ark_archive::side::PersistentVolumeInfo;
use serde_json::Value;

use crate::csi;
use crate::policy::{Action, Method, ResourcePolicies, Volume, chosen_by_pod, decide};
use crate::port::{Disk, SnapshotLocations};

/// Namespace and name.
pub(super) type ClaimKey = (String, String);

/// The volumes seen so far: a few hundred bytes each.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    persistent: BTreeMap<String, Persistent>,
    claims: BTreeMap<ClaimKey, Claim>,
    /// Claims whose files a pod wants copied.
    files: BTreeSet<ClaimKey>,
    /// Volumes of pods without a claim whose files are to be copied, by pod.
    of_pods: BTreeMap<(String, String), Vec<String>>,
}

#[derive(Debug)]
struct Persistent {
    facts: Volume,
    claim: Option<ClaimKey>,
    info: PersistentVolumeInfo,
    disk: Option<DiskSource>,
    /// Its CSI driver, and the driver's handle.
    csi: Option<(String, String)>,
}

#[derive(Debug)]
struct Claim {
    facts: Volume,
    /// The volume that it is bound to, or empty.
    volume: String,
    /// The classes of snapshots that it asks for: alone, and in a group.
    classes: [Option<String>; 2],
}

/// What a snapshot is taken of. A snapshot location that knows the disk comes before CSI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Disk(DiskSource),
    Claim(ClaimSource),
}

/// A disk, and the snapshot location that knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiskSource {
    pub location: String,
    pub disk: Disk,
}

/// A claim whose volume a CSI driver serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClaimSource {
    pub driver: String,
    /// The driver's handle of the volume.
    pub volume: String,
    pub claim: ClaimKey,
    /// The class of snapshots that the claim asks for.
    pub class: Option<String>,
    /// The group whose snapshots are taken at one instant, by the value of its label.
    pub group: Option<String>,
    /// The class of group snapshots that the claim asks for.
    pub group_class: Option<String>,
}

/// How the data of one volume is to be saved, and who says so.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub subject: Subject,
    pub method: Method,
    /// What chose the method, for people: `by default`.
    pub chosen_by: String,
    /// For snapshots, where there is one.
    pub source: Option<Source>,
}

/// Which volume.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    /// A `PersistentVolume`, with the claim that has it.
    Volume {
        name: String,
        claim: Option<ClaimKey>,
        info: PersistentVolumeInfo,
    },
    /// A claim that waits for a volume.
    Claim(ClaimKey),
    /// A volume that a pod has without a claim.
    OfPod { pod: ClaimKey, volume: String },
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
    pub(super) fn see(
        &mut self,
        kind: &str,
        object: &Value,
        policies: &ResourcePolicies,
        locations: &SnapshotLocations,
    ) {
        match kind {
            "persistentvolumes" => self.see_volume(object, locations),
            "persistentvolumeclaims" => self.see_claim(object),
            "pods" => self.see_pod(object, policies),
            _ => {}
        }
    }

    fn see_volume(&mut self, object: &Value, locations: &SnapshotLocations) {
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
        let disk = locations.of(object).map(|(location, disk)| DiskSource {
            location: location.to_owned(),
            disk,
        });
        let volume = Persistent {
            facts: Volume::persistent(object),
            claim,
            info,
            disk,
            csi: csi::volume_of(object).map(|(d, handle)| (d.to_owned(), handle.to_owned())),
        };
        let name = text(&object["metadata"]["name"]);
        self.persistent.insert(name, volume);
    }

    fn see_claim(&mut self, object: &Value) {
        let key = (
            text(&object["metadata"]["namespace"]),
            text(&object["metadata"]["name"]),
        );
        let claim = Claim {
            facts: Volume::default().claimed_by(object),
            volume: text(&object["spec"]["volumeName"]),
            classes: [
                label::CSI_VOLUME_SNAPSHOT_CLASS,
                label::CSI_VOLUME_GROUP_SNAPSHOT_CLASS_OF_CLAIM,
            ]
            .map(|key| {
                object["metadata"]["annotations"][key]
                    .as_str()
                    .map(str::to_owned)
            }),
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
                let pod = (
                    text(&pod["metadata"]["namespace"]),
                    text(&pod["metadata"]["name"]),
                );
                let of_pod = self.of_pods.entry(pod).or_default();
                of_pod.push(text(&volume["name"]));
            }
        }
    }

    /// Decides for each volume; `group_key` is the label that puts claims in groups.
    pub(super) fn decide(
        &self,
        policies: &ResourcePolicies,
        snapshot_volumes: Option<bool>,
        group_key: &str,
    ) -> Vec<Choice> {
        let bound: BTreeMap<&str, &ClaimKey> = self
            .claims
            .iter()
            .map(|(key, claim)| (claim.volume.as_str(), key))
            .collect();
        let mut choices = Vec::new();
        for (name, volume) in &self.persistent {
            let claim = volume.claim.as_ref();
            let claim = claim.or_else(|| bound.get(name.as_str()).copied());
            let facts = match claim.and_then(|key| self.claims.get(key)) {
                Some(claim) => volume.facts.clone().with_claim_of(&claim.facts),
                None => volume.facts.clone(),
            };
            let files = claim.is_some_and(|key| self.files.contains(key));
            let rule = policies.rule_for(&facts);
            let method = decide(rule.map(|(_, action)| action), files, snapshot_volumes);
            let subject = Subject::Volume {
                name: name.clone(),
                claim: claim.cloned(),
                info: volume.info.clone(),
            };
            choices.push(Choice {
                subject,
                method,
                chosen_by: chosen_by(rule, method, policies),
                source: self.source(volume, claim, group_key),
            });
        }
        // A claim without a volume has no data; only a rule gives it a line.
        for (key, claim) in self
            .claims
            .iter()
            .filter(|(_, claim)| claim.volume.is_empty())
        {
            if let Some(rule) = policies.rule_for(&claim.facts) {
                let method = decide(Some(rule.1), false, snapshot_volumes);
                choices.push(Choice {
                    subject: Subject::Claim(key.clone()),
                    method,
                    chosen_by: chosen_by(Some(rule), method, policies),
                    source: None,
                });
            }
        }
        for (pod, volumes) in &self.of_pods {
            choices.extend(volumes.iter().map(|volume| Choice {
                subject: Subject::OfPod {
                    pod: pod.clone(),
                    volume: volume.clone(),
                },
                method: Method::Files,
                chosen_by: "by a rule or an annotation of its pod".to_owned(),
                source: None,
            }));
        }
        choices
    }

    /// What a snapshot of a volume is taken of, if one can be.
    fn source(
        &self,
        volume: &Persistent,
        claim: Option<&ClaimKey>,
        group_key: &str,
    ) -> Option<Source> {
        if let Some(disk) = &volume.disk {
            return Some(Source::Disk(disk.clone()));
        }
        let ((driver, handle), key) = (volume.csi.clone()?, claim?);
        let claim = self.claims.get(key)?;
        let [class, group_class] = claim.classes.clone();
        let group = claim.facts.claim_label(group_key);
        Some(Source::Claim(ClaimSource {
            driver,
            volume: handle,
            claim: key.clone(),
            class,
            group: group.filter(|value| !value.is_empty()).map(str::to_owned),
            group_class,
        }))
    }
}

fn chosen_by(
    rule: Option<(usize, &Action)>,
    method: Method,
    policies: &ResourcePolicies,
) -> String {
    match (rule, method) {
        (Some((number, _)), _) => format!(
            "by rule {number} of the volume policies in ConfigMap `{}`",
            policies.source()
        ),
        (None, Method::Files) => "by an annotation of a pod that mounts it".to_owned(),
        (None, Method::NotWanted) => "by snapshotVolumes: false of the backup".to_owned(),
        (None, _) => "by default".to_owned(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
