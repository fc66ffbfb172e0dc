//! What snapshots and disks are tagged with. Pure.
//!
//! Names may not have a slash and more; as in Velero's plugin there is a `-` instead.
//! Ark's own prefixes are known again by that.

use ark_engine::port::{DiskRequest, OWN_TAGS, SnapshotRequest, Tags};
use serde_json::Value;

/// MiB per second of a snapshot's disk, which Velero's list of snapshots has no place for.
pub(super) const THROUGHPUT: &str = "ark.heptio.com/throughput";
/// Tags that a resource may have.
const MOST: usize = 50;
/// Characters that a name may not have.
const FORBIDDEN: [char; 7] = ['<', '>', '%', '&', '\\', '?', '/'];
/// Beginnings of names that only Azure may use.
const RESERVED: [&str; 3] = ["azure", "microsoft", "windows"];

/// Those of the request and the location, then as many of the disk's own as there is
/// room for. `throughput`: the disk's, if it is set to one.
pub(super) fn of_snapshot(
    request: &SnapshotRequest,
    of_location: &Tags,
    disk: &Value,
    throughput: Option<i64>,
) -> Value {
    let mut all = request.tags.clone();
    if let Some(throughput) = throughput {
        all.insert(THROUGHPUT.to_owned(), throughput.to_string());
    }
    written(&[&all, of_location, &without_arks(tags(disk))])
}

/// Those of the request, then as many of the snapshot's as there is room for.
pub(super) fn of_disk(request: &DiskRequest, snapshot: &Value) -> Value {
    written(&[&request.tags, &without_arks(tags(snapshot))])
}

/// The tags of a thing.
pub(super) fn tags(thing: &Value) -> Tags {
    let pairs = thing["tags"].as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    pairs
        .map(|(name, value)| (key(name), text(value)))
        .collect()
}

fn without_arks(mut tags: Tags) -> Tags {
    tags.retain(|key, _| !key.starts_with(OWN_TAGS[0]));
    tags
}

fn written(tags: &[&Tags]) -> Value {
    let mut all = serde_json::Map::new();
    for (key, value) in tags.iter().copied().flatten() {
        let name = name(key);
        // Capitals make no difference in a name.
        let is_there = all.keys().any(|other| other.eq_ignore_ascii_case(&name));
        if all.len() < MOST && !is_there && !is_reserved(&name) {
            all.insert(name, value.as_str().into());
        }
    }
    Value::Object(all)
}

fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.iter().any(|prefix| name.starts_with(prefix))
}

fn name(key: &str) -> String {
    key.replace(FORBIDDEN, "-")
}

fn key(name: &str) -> String {
    let own = OWN_TAGS.iter().find_map(|prefix| {
        let rest = name.strip_prefix(self::name(prefix).as_str())?;
        Some(format!("{prefix}{rest}"))
    });
    own.unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(tags: &[(&str, &str)]) -> SnapshotRequest {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        SnapshotRequest {
            disk: ark_engine::port::Disk {
                id: String::new(),
                zone: String::new(),
            },
            token: "t".to_owned(),
            tags: tags.iter().map(own).collect(),
        }
    }

    #[test]
    fn names_without_slashes_are_known_again() {
        let asked = request(&[
            ("ark.heptio.com/backup-uid", "u"),
            ("velero.io/pv", "p"),
            ("example.com/Team", "Größe"),
            ("azure.workload.identity/use", "true"),
        ]);
        let disk = json!({"tags": {"APP": "shop", "ark.heptio.com-restore-uid": "old"}});
        let location = [("app", "location")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
        let made = of_snapshot(&asked, &location, &disk, Some(125));
        assert_eq!(
            made,
            json!({
                "app": "location",
                "ark.heptio.com-backup-uid": "u",
                "ark.heptio.com-throughput": "125",
                "example.com-Team": "Größe",
                "velero.io-pv": "p",
            })
        );
        let read = tags(&json!({"tags": made}));
        assert_eq!(read["ark.heptio.com/backup-uid"], "u");
        assert_eq!(read["velero.io/pv"], "p");
        assert_eq!(read[THROUGHPUT], "125");
    }

    #[test]
    fn a_disk_keeps_the_tags_of_its_snapshot_but_arks() {
        let asked = DiskRequest {
            snapshot: "s".to_owned(),
            disk_type: String::new(),
            zone: String::new(),
            iops: None,
            token: "t".to_owned(),
            tags: [("ark.heptio.com/restore-uid".to_owned(), "r".to_owned())].into(),
        };
        let mut old: Tags = (0..60)
            .map(|n| (format!("key-{n}"), n.to_string()))
            .collect();
        old.insert("ark.heptio.com-backup-uid".to_owned(), "b".to_owned());
        let made = of_disk(&asked, &json!({ "tags": old }));
        let made = made.as_object().unwrap();
        assert_eq!(made.len(), MOST);
        assert_eq!(made["ark.heptio.com-restore-uid"], "r");
        assert!(!made.contains_key("ark.heptio.com-backup-uid"));
    }
}
