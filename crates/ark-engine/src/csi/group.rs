//! Group snapshots: several claims at one instant. Pure.
//!
//! The rules are those of the CSI external-snapshotter; which claims make a group and by
//! which class is Velero's choice.

use std::collections::BTreeMap;

use ark_api::label;
use serde_json::{Value, json};

use super::body::{Named, Policy};
use crate::port::{ApiResource, Discovery};

/// API group.
pub(crate) const GROUP: &str = "groupsnapshot.storage.k8s.io";

/// While a content has it, its driver still has to hear of its deletion.
const CONTENT_FINALIZER: &str =
    "groupsnapshot.storage.kubernetes.io/volumegroupsnapshotcontent-bound-protection";
/// Kind of the groups.
pub(crate) const KIND: &str = "VolumeGroupSnapshot";
/// Marks a content whose group is leaving, so that the driver takes it up.
const BEING_DELETED: &str = "groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-deleted";

/// The kinds, as a cluster serves them.
#[derive(Debug, Clone)]
pub(crate) struct Kinds {
    pub groups: ApiResource,
    pub contents: ApiResource,
    pub classes: ApiResource,
}

impl Kinds {
    /// `None` where the cluster does not serve them all.
    pub(crate) fn of(discovery: &Discovery) -> Option<Self> {
        let find = |plural: &str| discovery.preferred(plural, GROUP).cloned();
        Some(Self {
            groups: find("volumegroupsnapshots")?,
            contents: find("volumegroupsnapshotcontents")?,
            classes: find("volumegroupsnapshotclasses")?,
        })
    }
}

/// A class of group snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Class {
    pub name: String,
    driver: String,
    labelled: bool,
}

impl Class {
    /// Reads a class as the cluster has it.
    pub(crate) fn read(class: &Value) -> Self {
        let labels = class["metadata"]["labels"].as_object();
        Self {
            name: text(&class["metadata"]["name"]),
            driver: text(&class["driver"]),
            labelled: labels
                .is_some_and(|all| all.contains_key(label::CSI_VOLUME_GROUP_SNAPSHOT_CLASS)),
        }
    }
}

/// The class for a driver: the one that a claim names, else the one that the backup's
/// annotation names, else the one with Velero's label, else the only one.
///
/// # Errors
/// Why there is none, as a sentence.
pub(crate) fn choose<'c>(
    classes: &'c [Class],
    driver: &str,
    by_claim: Option<&str>,
    backup: &BTreeMap<String, String>,
) -> Result<&'c Class, String> {
    let key = format!(
        "{}{}",
        label::CSI_VOLUME_GROUP_SNAPSHOT_CLASS_OF_DRIVER,
        driver.to_lowercase()
    );
    let by_backup = backup.get(&key).map(String::as_str);
    let of_driver: Vec<&Class> = classes.iter().filter(|one| one.driver == driver).collect();
    let asked = [by_claim, by_backup];
    let named = asked.into_iter().flatten().find_map(|name| {
        let mut all = of_driver.iter();
        all.find(|class| class.name.eq_ignore_ascii_case(name))
    });
    let labelled = || of_driver.iter().find(|class| class.labelled);
    let only = || match of_driver.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let chosen = named.or_else(labelled).or_else(only);
    chosen.copied().ok_or_else(|| {
        format!(
            "no VolumeGroupSnapshotClass for its CSI driver `{driver}` is named by the claim or the backup, has \
             the label {} or is the only one: make one, or take the label off that puts the claim in a group",
            label::CSI_VOLUME_GROUP_SNAPSHOT_CLASS
        )
    })
}

/// A group snapshot to be taken of all claims with a label.
pub(crate) fn body(version: &str, of: Named<'_>, (key, value): (&str, &str), class: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{version}"),
        "kind": KIND,
        "metadata": {"namespace": of.namespace, "name": of.name, "labels": of.labels},
        "spec": {
            "source": {"selector": {"matchLabels": {key: value}}},
            "volumeGroupSnapshotClassName": class,
        },
    })
}

/// A group that the storage system has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub driver: &'a str,
    pub group: &'a str,
    /// Handles of its snapshots; at least one.
    pub snapshots: &'a [String],
}

/// A content made of what the storage system has. No group stands behind it.
pub(crate) fn content(version: &str, of: Named<'_>, stored: &Stored<'_>, policy: Policy) -> Value {
    let mut content = json!({
        "apiVersion": format!("{GROUP}/{version}"),
        "kind": "VolumeGroupSnapshotContent",
        "metadata": {"name": of.name, "labels": of.labels},
        "spec": {
            "deletionPolicy": policy.text(),
            "driver": stored.driver,
            "source": {"groupSnapshotHandles": {
                "volumeGroupSnapshotHandle": stored.group,
                "volumeSnapshotHandles": stored.snapshots,
            }},
            "volumeGroupSnapshotRef": {"namespace": of.namespace, "name": of.name},
        },
    });
    if policy == Policy::Delete {
        // There from the beginning: a content that is deleted without it is just gone.
        content["metadata"]["finalizers"] = json!([CONTENT_FINALIZER]);
    }
    content
}

/// The change of a content's status that names its group.
pub(crate) fn has_handle(group: &str) -> Value {
    json!({"status": {"volumeGroupSnapshotHandle": group, "readyToUse": true}})
}

/// The change of a group's content that is kept, whatever happens to the group.
pub(crate) fn keep(labels: &BTreeMap<String, String>) -> Value {
    json!({"metadata": {"labels": labels}, "spec": {"deletionPolicy": Policy::Retain.text()}})
}

/// The change of a group's content that is about to be deleted.
pub(crate) fn leave(policy: Policy) -> Value {
    json!({
        "metadata": {"annotations": {BEING_DELETED: "yes"}},
        "spec": {"deletionPolicy": policy.text()},
    })
}

/// The name that the snapshot controller gives the content of a group.
pub(crate) fn content_name(group: &Value) -> Option<String> {
    let bound = group["status"]["boundVolumeGroupSnapshotContentName"].as_str();
    let named = || {
        Some(format!(
            "groupsnapcontent-{}",
            group["metadata"]["uid"].as_str()?
        ))
    };
    bound.map(str::to_owned).or_else(named)
}

/// One snapshot of a group that the storage system has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    /// Handle of the volume.
    pub volume: String,
    /// Handle of its snapshot.
    pub handle: String,
    pub bytes: i64,
}

/// The handle of a group and its members, as its content tells.
pub(crate) fn members(content: &Value) -> Option<(String, Vec<Member>)> {
    let status = &content["status"];
    let group = status["volumeGroupSnapshotHandle"].as_str()?;
    let list = status["volumeSnapshotInfoList"].as_array()?;
    let member = |one: &Value| Member {
        volume: text(&one["volumeHandle"]),
        handle: text(&one["snapshotHandle"]),
        bytes: one["restoreSize"].as_i64().unwrap_or_default(),
    };
    Some((group.to_owned(), list.iter().map(member).collect()))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(name: &str, driver: &str, labelled: bool) -> Class {
        let mut class = json!({"metadata": {"name": name}, "driver": driver});
        if labelled {
            class["metadata"]["labels"] =
                json!({"velero.io/csi-volumegroupsnapshot-class": "true"});
        }
        Class::read(&class)
    }

    #[test]
    fn each_rule_gives_way_to_those_before_it() {
        let all = [
            class("plain", "d.example", false),
            class("marked", "d.example", true),
            class("other", "other.example", false),
        ];
        let key = "velero.io/csi-volumegroupsnapshot-class_d.example".to_owned();
        let (named, none) = ([(key, "plain".to_owned())].into(), BTreeMap::new());
        let chosen =
            |driver, claim, backup| choose(&all, driver, claim, backup).map(|one| &*one.name);
        assert_eq!(chosen("d.example", Some("Marked"), &named), Ok("marked"));
        assert_eq!(chosen("d.example", None, &named), Ok("plain"));
        assert_eq!(
            chosen("d.example", Some("other"), &none),
            Ok("marked"),
            "not of the driver"
        );
        assert_eq!(chosen("other.example", None, &none), Ok("other"));
        assert!(chosen("third.example", None, &none).is_err());
    }

    #[test]
    fn a_content_tells_its_members() {
        let content = json!({"status": {"volumeGroupSnapshotHandle": "g", "volumeSnapshotInfoList": [
            {"volumeHandle": "v", "snapshotHandle": "s", "restoreSize": 5}]}});
        let (group, members) = members(&content).unwrap();
        assert_eq!(group, "g");
        let member = Member {
            volume: "v".into(),
            handle: "s".into(),
            bytes: 5,
        };
        assert_eq!(members, [member]);
    }
}
