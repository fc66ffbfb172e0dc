//! What snapshots and disks are tagged with. Pure.

use ark_engine::port::{DiskRequest, SnapshotRequest, Tags};

use super::answer::{TagSet, VolumeItem};

/// The token of the deed that made it.
pub(super) const TOKEN: &str = "ark.heptio.com/token";
/// MiB per second of a snapshot's disk, which Velero's list of snapshots has no place for.
pub(super) const THROUGHPUT: &str = "ark.heptio.com/throughput";
/// Tags that a resource may have.
const MOST: usize = 50;
/// Keys that only AWS may set.
const RESERVED: &str = "aws:";
/// Keys by which AWS's controllers know whose a disk is.
const CLUSTER_OLD: &str = "KubernetesCluster";
const CLUSTER: &str = "kubernetes.io/cluster/";

/// Those of the request, then as many of the disk's own as there is room for.
pub(super) fn of_snapshot(request: &SnapshotRequest, disk: &VolumeItem) -> Tags {
    let mut tags = request.tags.clone();
    tags.insert(TOKEN.to_owned(), request.token.clone());
    if let Some(throughput) = disk.throughput {
        tags.insert(THROUGHPUT.to_owned(), throughput.to_string());
    }
    with_room(tags, disk.tag_set.iter().filter(|(key, _)| !is_arks(key)))
}

/// Those of the request, then as many of the snapshot's as there is room for. In a
/// cluster with a name the disk is that cluster's, whosever the old one was.
pub(super) fn of_disk(request: &DiskRequest, snapshot: &TagSet, cluster: Option<&str>) -> Tags {
    let mut tags = request.tags.clone();
    tags.insert(TOKEN.to_owned(), request.token.clone());
    if let Some(cluster) = cluster {
        tags.insert(format!("{CLUSTER}{cluster}"), "owned".to_owned());
        tags.insert(CLUSTER_OLD.to_owned(), cluster.to_owned());
    }
    let of_others =
        |key: &str| cluster.is_some() && (key.starts_with(CLUSTER) || key == CLUSTER_OLD);
    let old = snapshot.iter();
    with_room(
        tags,
        old.filter(|(key, _)| !is_arks(key) && !of_others(key)),
    )
}

fn is_arks(key: &str) -> bool {
    key.starts_with("ark.heptio.com/")
}

fn with_room<'t>(mut tags: Tags, more: impl Iterator<Item = (&'t str, &'t str)>) -> Tags {
    for (key, value) in more.filter(|(key, _)| !key.starts_with(RESERVED)) {
        if tags.len() >= MOST {
            break;
        }
        tags.entry(key.to_owned())
            .or_insert_with(|| value.to_owned());
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &[&str]) -> TagSet {
        let items = keys
            .iter()
            .map(|key| format!("<item><key>{key}</key><value>old</value></item>"));
        let text = format!("<tagSet>{}</tagSet>", items.collect::<String>());
        quick_xml::de::from_str(&text).unwrap()
    }

    fn request() -> DiskRequest {
        DiskRequest {
            snapshot: "snap-1".into(),
            disk_type: "gp3".into(),
            zone: "z".into(),
            iops: None,
            token: "t".into(),
            tags: [("Name".to_owned(), "new".to_owned())].into(),
        }
    }

    #[test]
    fn a_disk_keeps_the_tags_of_its_snapshot_and_changes_its_cluster() {
        let snapshot = set(&[
            "Name",
            "team",
            "aws:ebs:x",
            "ark.heptio.com/backup-uid",
            "velero.io/backup",
            "kubernetes.io/cluster/old",
            "KubernetesCluster",
        ]);
        let told = |cluster| -> Vec<String> {
            let tags = of_disk(&request(), &snapshot, cluster);
            tags.iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect()
        };
        assert_eq!(
            told(None),
            [
                "KubernetesCluster=old",
                "Name=new",
                "ark.heptio.com/token=t",
                "kubernetes.io/cluster/old=old",
                "team=old",
                "velero.io/backup=old"
            ]
        );
        assert_eq!(
            told(Some("new")),
            [
                "KubernetesCluster=new",
                "Name=new",
                "ark.heptio.com/token=t",
                "kubernetes.io/cluster/new=owned",
                "team=old",
                "velero.io/backup=old"
            ]
        );
    }

    #[test]
    fn no_more_tags_than_aws_allows() {
        let keys: Vec<String> = (0..60).map(|number| format!("key-{number}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let tags = of_disk(&request(), &set(&keys), None);
        assert_eq!(tags.len(), MOST);
        assert!(tags.contains_key(TOKEN) && tags.contains_key("Name"));
    }
}
