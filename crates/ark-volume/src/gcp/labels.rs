//! What snapshots and disks are labelled and described with. Pure.
//!
//! A label takes little: lower-case letters, digits, `-` and `_`. So the tags as they are
//! stand in the description, as JSON, where Velero's plugin has them, too; labels have
//! what one looks for.

use ark_engine::port::{DiskRequest, OWN_TAGS, SnapshotRequest, Tags};
use serde_json::{Value, json};

/// Characters that a description may have.
const DESCRIPTION: usize = 2048;
/// Labels that a thing may have, and characters of one.
const MOST: usize = 64;
const LONGEST: usize = 63;

/// The body of a request for a snapshot.
pub(super) fn of_snapshot(request: &SnapshotRequest, disk: &Value) -> Value {
    body(&request.token, &request.tags, disk)
}

/// The body of a request for a disk: what the snapshot tells stays, but for Ark's own.
pub(super) fn of_disk(request: &DiskRequest, snapshot: &Value) -> Value {
    let mut all = tags(snapshot);
    all.retain(|key, _| !key.starts_with(OWN_TAGS[0]));
    all.extend(request.tags.clone());
    let mut source = snapshot.clone();
    if let Some(labels) = source["labels"].as_object_mut() {
        labels.retain(|key, _| !is_own(key));
    }
    body(&request.token, &all, &source)
}

fn body(name: &str, tags: &Tags, source: &Value) -> Value {
    let mut labels = serde_json::Map::new();
    for (key, value) in tags.iter().filter(|(key, _)| is_ours(key)) {
        labels.insert(label(key), label(value).into());
    }
    let others = source["labels"].as_object();
    for (key, value) in others.into_iter().flatten() {
        if labels.len() < MOST && !labels.contains_key(key) {
            labels.insert(key.clone(), value.clone());
        }
    }
    json!({"name": name, "labels": labels, "description": description(tags)})
}

/// The tags, less those of others that there is no room for.
fn description(tags: &Tags) -> String {
    let mut kept = tags.clone();
    loop {
        let text = json!(kept).to_string();
        let last = kept.keys().rev().find(|key| !is_ours(key)).cloned();
        match last {
            Some(key) if text.len() > DESCRIPTION => kept.remove(&key),
            _ => return text,
        };
    }
}

/// The tags of a thing: those of its description, or its labels where that has none.
pub(super) fn tags(thing: &Value) -> Tags {
    let described = thing["description"].as_str();
    let described = described.and_then(|text| serde_json::from_str::<Tags>(text).ok());
    described.unwrap_or_else(|| {
        let labels = thing["labels"].as_object().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        labels
            .map(|(key, value)| (key.clone(), text(value)))
            .collect()
    })
}

/// The filter of a list for a tag.
pub(super) fn filter(key: &str, value: Option<&str>) -> String {
    let key = label(key);
    match value {
        Some(value) => format!("labels.{key}={}", label(value)),
        None => format!("labels.{key}:*"),
    }
}

fn is_ours(key: &str) -> bool {
    OWN_TAGS.iter().any(|prefix| key.starts_with(prefix))
}

/// Whether a label is one of Ark's own.
fn is_own(label_key: &str) -> bool {
    label_key.starts_with(&label(OWN_TAGS[0]))
}

/// As labels can have it: several texts may come to the same.
fn label(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let lower = text.chars().map(|c| c.to_ascii_lowercase());
    let fit = lower.map(|c| match c {
        '/' => '_',
        c if allowed(c) => c,
        _ => '-',
    });
    fit.take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_label_cannot_have_is_in_the_description() {
        let tags: Tags = [
            ("ark.heptio.com/backup-uid", "0aB.1"),
            ("example.com/Team", "Größe"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
        let made = body("n", &tags, &json!({"labels": {"app": "shop"}}));
        assert_eq!(
            made["labels"],
            json!({"ark-heptio-com_backup-uid": "0ab-1", "app": "shop"})
        );
        assert_eq!(super::tags(&made), tags);
        assert_eq!(
            filter("ark.heptio.com/backup-uid", Some("0aB.1")),
            "labels.ark-heptio-com_backup-uid=0ab-1"
        );
        assert_eq!(filter("velero.io/pv", None), "labels.velero-io_pv:*");
    }

    #[test]
    fn a_description_has_room_for_our_own_tags() {
        let mut tags: Tags = (0..100)
            .map(|number| (format!("key-{number}"), "v".repeat(60)))
            .collect();
        tags.insert("velero.io/pv".to_owned(), "pv".to_owned());
        let text = description(&tags);
        assert!(
            text.len() <= DESCRIPTION && text.contains("velero.io/pv"),
            "{text}"
        );
    }
}
