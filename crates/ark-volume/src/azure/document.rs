//! Disks and snapshots as Azure writes them: what is asked for, and what is told. Pure.

use ark_engine::port::{DiskError, DiskErrorKind, DiskRequest, SnapshotState};
use serde_json::{Map, Value, json};

use super::api::Call;
use super::id::Id;
use super::{tags, volume};

/// Kinds of disks whose snapshots are incremental or not at all, and whose rates are set.
pub(super) const RATED: [&str; 2] = ["PremiumV2_LRS", "UltraSSD_LRS"];
/// What a copy has from its source: who may read it, and how it is encrypted. Azure would
/// open it to the network of everybody who has a link.
const INHERITED: [&str; 4] = [
    "diskAccessId",
    "encryption",
    "networkAccessPolicy",
    "publicNetworkAccess",
];

/// The body of a request for a copy of something, in the same region.
pub(super) fn copy_of(source: &Id, document: &Value) -> Value {
    let mut properties = Map::new();
    let creation = json!({"createOption": "Copy", "sourceResourceId": source.to_string()});
    properties.insert("creationData".to_owned(), creation);
    for key in INHERITED {
        let value = &document["properties"][key];
        if !value.is_null() {
            properties.insert(key.to_owned(), value.clone());
        }
    }
    json!({"location": document["location"], "properties": properties})
}

/// SKU, zone and rates of a disk that is asked for.
pub(super) fn describe(
    body: &mut Value,
    request: &DiskRequest,
    snapshot: &Value,
) -> Result<(), DiskError> {
    let sku = request.disk_type.as_str();
    if !sku.is_empty() {
        body["sku"] = json!({"name": sku});
    }
    if RATED.contains(&sku) {
        let throughput = tags::tags(snapshot).remove(tags::THROUGHPUT);
        let throughput = throughput.and_then(|text| text.parse::<i64>().ok());
        for (key, value) in [
            ("diskIOPSReadWrite", request.iops),
            ("diskMBpsReadWrite", throughput),
        ] {
            if let Some(value) = value {
                body["properties"][key] = value.into();
            }
        }
    }
    let is_everywhere = sku.ends_with("_ZRS");
    if request.zone.is_empty() || is_everywhere {
        return Ok(());
    }
    let location = text(snapshot, "/location");
    let zone = volume::number(&request.zone);
    let zone = zone.filter(|(region, _)| region.eq_ignore_ascii_case(location));
    let Some((_, number)) = zone else {
        let call = Call {
            deed: "put",
            what: &request.snapshot,
        };
        let message = format!(
            "`{}` is no zone for the disk; the snapshot is in {location}, whose zones are \
             {location}-1 and so on",
            request.zone
        );
        return Err(call.error(DiskErrorKind::Invalid, message));
    };
    body["zones"] = json!([number]);
    Ok(())
}

/// How far a snapshot is.
pub(super) fn state(snapshot: &Value) -> SnapshotState {
    let properties = &snapshot["properties"];
    if let Some(reason) = properties["copyCompletionError"]["errorMessage"].as_str() {
        return SnapshotState::Failed(reason.to_owned());
    }
    // Absent for one that has no copying behind it.
    let percent = properties["completionPercent"].as_f64();
    match properties["provisioningState"].as_str() {
        Some("Succeeded") if percent.is_none_or(|percent| percent >= 100.0) => {
            SnapshotState::Completed
        }
        Some("Failed" | "Canceled") => {
            SnapshotState::Failed("Azure has given it up and tells no reason".to_owned())
        }
        _ => SnapshotState::Pending(percent.map(whole)),
    }
}

/// A percentage without its fraction; never all while something is missing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 99"
)]
fn whole(percent: f64) -> u8 {
    percent.clamp(0.0, 99.0) as u8
}

/// `eastus-1`; empty for a disk that is in all zones, or in none.
pub(super) fn zone_of(disk: &Value) -> String {
    match disk["zones"].as_array().map(Vec::as_slice) {
        Some([zone]) => format!(
            "{}-{}",
            text(disk, "/location"),
            zone.as_str().unwrap_or_default()
        ),
        _ => String::new(),
    }
}

/// A rate that is set for this disk, not one that its size brings.
pub(super) fn rate(disk: &Value, key: &str) -> Option<i64> {
    let is_rated = RATED.contains(&text(disk, "/sku/name"));
    disk["properties"][key].as_i64().filter(|_| is_rated)
}

/// The text at a JSON pointer; empty if there is none.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(sku: &str) -> Value {
        let request = DiskRequest {
            snapshot: "s".to_owned(),
            disk_type: sku.to_owned(),
            zone: "eastus-1".to_owned(),
            iops: Some(5000),
            token: "t".to_owned(),
            tags: ark_engine::port::Tags::new(),
        };
        let snapshot = json!({"location": "EastUS", "tags": {"ark.heptio.com-throughput": "200"}});
        let mut body = json!({"properties": {}});
        describe(&mut body, &request, &snapshot).unwrap();
        body
    }

    #[test]
    fn rates_are_asked_for_where_they_can_be_set() {
        let fast = asked("PremiumV2_LRS");
        let rates = json!({"diskIOPSReadWrite": 5000, "diskMBpsReadWrite": 200});
        assert_eq!(fast["properties"], rates);
        assert_eq!(fast["zones"], json!(["1"]));
        assert_eq!(asked("Premium_LRS")["properties"], json!({}));
        let mut disk = json!({"sku": {"name": "UltraSSD_LRS"}, "properties": rates});
        assert_eq!(rate(&disk, "diskIOPSReadWrite"), Some(5000));
        disk["sku"]["name"] = "Premium_LRS".into();
        assert_eq!(rate(&disk, "diskIOPSReadWrite"), None);
    }

    #[test]
    fn a_snapshot_is_complete_when_nothing_is_copied_any_more() {
        let told = |properties: Value| state(&json!({ "properties": properties }));
        for (properties, expected) in [
            (
                json!({"provisioningState": "Updating"}),
                SnapshotState::Pending(None),
            ),
            (
                json!({"provisioningState": "Succeeded", "completionPercent": 41.9}),
                SnapshotState::Pending(Some(41)),
            ),
            (
                json!({"provisioningState": "Succeeded", "completionPercent": 100.0}),
                SnapshotState::Completed,
            ),
            (
                json!({"provisioningState": "Succeeded"}),
                SnapshotState::Completed,
            ),
        ] {
            assert_eq!(told(properties.clone()), expected, "{properties}");
        }
        let failed = json!({
            "provisioningState": "Succeeded", "completionPercent": 7.0,
            "copyCompletionError": {"errorCode": "CopySourceNotFound", "errorMessage": "gone"},
        });
        assert_eq!(told(failed), SnapshotState::Failed("gone".to_owned()));
        assert!(matches!(
            told(json!({"provisioningState": "Failed"})),
            SnapshotState::Failed(_)
        ));
    }
}
