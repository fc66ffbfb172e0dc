//! The parts of EC2's answers that are read.

use ark_engine::port::{SnapshotState, Tags};
use serde::Deserialize;

/// A list.
#[derive(Debug, Deserialize)]
pub(super) struct Set<T> {
    #[serde(default = "Vec::new")]
    pub(super) item: Vec<T>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self { item: Vec::new() }
    }
}

/// Answer of `DescribeVolumes`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Volumes {
    #[serde(default)]
    pub(super) volume_set: Set<VolumeItem>,
    pub(super) next_token: Option<String>,
}

/// A disk; also the answer of `CreateVolume`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeItem {
    pub(super) volume_id: String,
    pub(super) availability_zone: String,
    #[serde(default)]
    pub(super) volume_type: String,
    pub(super) iops: Option<i64>,
    pub(super) throughput: Option<i64>,
    pub(super) status: String,
    #[serde(default)]
    pub(super) tag_set: TagSet,
}

impl VolumeItem {
    /// Whether it is deleted, or about to be.
    pub(super) fn is_leaving(&self) -> bool {
        matches!(self.status.as_str(), "deleting" | "deleted")
    }
}

/// Answer of `DescribeSnapshots`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Snapshots {
    #[serde(default)]
    pub(super) snapshot_set: Set<SnapshotItem>,
    pub(super) next_token: Option<String>,
}

/// A snapshot.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SnapshotItem {
    pub(super) snapshot_id: String,
    status: String,
    /// `42%`.
    #[serde(default)]
    progress: String,
    #[serde(default)]
    status_message: String,
    #[serde(default)]
    pub(super) tag_set: TagSet,
}

impl SnapshotItem {
    /// Its id and how far it is.
    pub(super) fn state(self) -> (String, SnapshotState) {
        let state = match self.status.as_str() {
            "completed" => SnapshotState::Completed,
            "error" if self.status_message.is_empty() => {
                SnapshotState::Failed("EC2 gives no reason".to_owned())
            }
            "error" => SnapshotState::Failed(self.status_message),
            // A snapshot that is archived or brought back from there is pending as well.
            _ => SnapshotState::Pending(self.progress.trim_end_matches('%').parse().ok()),
        };
        (self.snapshot_id, state)
    }
}

/// Answer of `CreateSnapshot`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) snapshot_id: String,
}

/// Tags of a disk or a snapshot.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct TagSet {
    #[serde(default)]
    item: Vec<Tag>,
}

#[derive(Debug, Clone, Deserialize)]
struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

impl TagSet {
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.item.iter().find(|tag| tag.key == key);
        found.map(|tag| tag.value.as_str())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.item.iter();
        all.map(|tag| (tag.key.as_str(), tag.value.as_str()))
    }
}

impl From<TagSet> for Tags {
    fn from(tags: TagSet) -> Self {
        let tags = tags.item.into_iter();
        tags.map(|tag| (tag.key, tag.value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_snapshots_is_read_with_its_token() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <DescribeSnapshotsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
              <requestId>r</requestId>
              <snapshotSet>
                <item><snapshotId>snap-1</snapshotId><volumeId>vol-1</volumeId><status>pending</status>
                  <progress>42%</progress><tagSet><item><key>a/b</key><value>ü &amp; 1</value></item>
                  <item><key>empty</key><value/></item></tagSet></item>
                <item><snapshotId>snap-2</snapshotId><status>error</status>
                  <statusMessage>The key is gone.</statusMessage></item>
                <item><snapshotId>snap-3</snapshotId><status>completed</status><progress>100%</progress></item>
              </snapshotSet>
              <nextToken>more</nextToken>
            </DescribeSnapshotsResponse>"#;
        let page: Snapshots = quick_xml::de::from_str(text).unwrap();
        assert_eq!(page.next_token.as_deref(), Some("more"));
        let first = &page.snapshot_set.item[0].tag_set;
        assert_eq!(
            (first.get("a/b"), first.get("empty")),
            (Some("ü & 1"), Some(""))
        );
        let states: Vec<_> = page
            .snapshot_set
            .item
            .into_iter()
            .map(SnapshotItem::state)
            .collect();
        let wanted = [
            ("snap-1", SnapshotState::Pending(Some(42))),
            ("snap-2", SnapshotState::Failed("The key is gone.".into())),
            ("snap-3", SnapshotState::Completed),
        ];
        assert_eq!(states, wanted.map(|(id, state)| (id.to_owned(), state)));
        let empty = "<DescribeSnapshotsResponse><snapshotSet/></DescribeSnapshotsResponse>";
        let empty: Snapshots = quick_xml::de::from_str(empty).unwrap();
        assert!(empty.snapshot_set.item.is_empty() && empty.next_token.is_none());
    }
}
