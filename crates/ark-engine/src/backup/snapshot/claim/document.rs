//! What the archive tells of CSI snapshots: each claim names its snapshot, which comes
//! with its content and its class, in the form in which Velero keeps and restores them.

use std::collections::{BTreeMap, BTreeSet};

use ark_api::label;
use ark_archive::{GroupResource, ItemKey};
use serde_json::Value;

use super::{Cut, TakenClaim};
use crate::backup::BackupError;
use crate::backup::block::Name;
use crate::backup::keep::Keeper;
use crate::backup::volumes::ClaimKey;
use crate::csi::GROUP;
use crate::object::Object;
use crate::quantity::{Quantity, raise};

/// Snapshots and their contents, by claim.
pub(super) type Documents = BTreeMap<ClaimKey, (Value, Value)>;

/// Puts the held claims in the archive, and the documents of those that have some;
/// answers the names of their classes.
pub(super) async fn keep(
    keeper: &mut Keeper<'_>,
    taken: &BTreeMap<ClaimKey, &TakenClaim>,
    mut documents: Documents,
    labels: &BTreeMap<String, String>,
) -> Result<BTreeSet<String>, BackupError> {
    let mut classes = BTreeSet::new();
    for (Name { namespace, name }, claim) in std::mem::take(&mut keeper.claims) {
        let key = (namespace, name);
        let cut = taken
            .get(&key)
            .and_then(|one| Some((*one, one.cut.as_ref()?)));
        let Some((one, cut)) = cut else {
            keeper
                .put(&claim.resource, &claim.key, &claim.object)
                .await?;
            continue;
        };
        let mut value = claim.object.to_value()?;
        mark_claim(&mut value, one, cut, labels);
        let object = Object::from_value(&value)?;
        keeper.put(&claim.resource, &claim.key, &object).await?;
        if let Some((mut snapshot, content)) = documents.remove(&key) {
            mark_snapshot(&mut snapshot, one, cut);
            add(keeper, "volumesnapshots", &snapshot).await?;
            add(keeper, "volumesnapshotcontents", &content).await?;
            classes.insert(one.class.clone());
        }
    }
    Ok(classes)
}

/// Puts an object of the snapshot API in the archive.
async fn add(keeper: &mut Keeper<'_>, plural: &str, value: &Value) -> Result<(), BackupError> {
    let Some(resource) = keeper.discovery.preferred(plural, GROUP).cloned() else {
        return Ok(());
    };
    let object = Object::from_value(value)?;
    let key = ItemKey {
        group_resource: GroupResource {
            resource: plural.to_owned(),
            group: GROUP.to_owned(),
        },
        namespace: object.head().namespace.clone(),
        name: object.head().name.clone(),
    };
    keeper.put(&resource, &key, &object).await
}

fn mark_claim(claim: &mut Value, one: &TakenClaim, cut: &Cut, labels: &BTreeMap<String, String>) {
    let metadata = &mut claim["metadata"];
    let snapshot = one.snapshot.as_str();
    metadata["labels"][label::VOLUME_SNAPSHOT_NAME] = label::valid_value(snapshot).into();
    if let Some(backup) = labels.get(label::BACKUP_NAME) {
        metadata["labels"][label::BACKUP_NAME] = backup.as_str().into();
    }
    metadata["annotations"][label::VOLUME_SNAPSHOT_NAME] = snapshot.into();
    if let Some(request) = claim.pointer_mut("/spec/resources/requests/storage") {
        raise(request, cut.bytes);
    }
}

fn mark_snapshot(snapshot: &mut Value, one: &TakenClaim, cut: &Cut) {
    let annotations = &mut snapshot["metadata"]["annotations"];
    for (key, text) in [
        (label::CSI_SNAPSHOT_HANDLE, cut.handle.clone()),
        (label::CSI_DRIVER_NAME, one.source.driver.clone()),
        (label::CSI_CONTENT_DELETION_POLICY, "Retain".to_owned()),
        (
            label::CSI_SNAPSHOT_RESTORE_SIZE,
            Quantity::of_bytes(cut.bytes).to_string(),
        ),
    ] {
        annotations[key] = text.into();
    }
}
