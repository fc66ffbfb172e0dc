//! What a snapshot's status says. Pure.

use serde_json::Value;

/// How far a snapshot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It is not cut yet.
    Asked,
    /// It shows its moment, but cannot be used yet. With the name of its content.
    Cut(String),
    /// A volume can be made of it. With the name of its content.
    Ready(String),
}

/// The state of a `VolumeSnapshot`, or of a `VolumeGroupSnapshot`, which says it alike.
pub(crate) fn of(snapshot: &Value) -> State {
    let status = &snapshot["status"];
    let bound = [
        "boundVolumeSnapshotContentName",
        "boundVolumeGroupSnapshotContentName",
    ];
    let Some(content) = bound.iter().find_map(|key| status[*key].as_str()) else {
        return State::Asked;
    };
    if status["readyToUse"] == true {
        State::Ready(content.to_owned())
    } else if status["creationTime"].is_string() {
        State::Cut(content.to_owned())
    } else {
        State::Asked
    }
}

/// What the driver or the snapshot controller complains of.
pub(crate) fn complaint(object: &Value) -> Option<&str> {
    let message = object["status"]["error"]["message"].as_str();
    message.filter(|message| !message.is_empty())
}

/// Codes of gRPC that say that the same request will be refused again.
const FINAL: &[&str] = &[
    "InvalidArgument",
    "NotFound",
    "AlreadyExists",
    "PermissionDenied",
    "Unauthenticated",
    "FailedPrecondition",
    "OutOfRange",
    "Unimplemented",
];

/// Whether a complaint is a refusal, not slowness: the driver's gRPC code says so.
pub(crate) fn is_refusal(complaint: &str) -> bool {
    let code = complaint.split_once("code = ").map(|(_, rest)| rest);
    let code = code.and_then(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric()).next());
    code.is_some_and(|code| FINAL.contains(&code))
}

/// The name that the snapshot controller gives the content of a snapshot.
pub(crate) fn content_name(snapshot: &Value) -> Option<String> {
    let bound = snapshot["status"]["boundVolumeSnapshotContentName"].as_str();
    let named = || {
        Some(format!(
            "snapcontent-{}",
            snapshot["metadata"]["uid"].as_str()?
        ))
    };
    bound.map(str::to_owned).or_else(named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_snapshot_is_cut_before_it_is_ready() {
        let of = |status: Value| of(&json!({"status": status}));
        assert_eq!(of(Value::Null), State::Asked);
        assert_eq!(
            of(json!({"boundVolumeSnapshotContentName": "c", "readyToUse": false})),
            State::Asked
        );
        let cut =
            json!({"boundVolumeSnapshotContentName": "c", "creationTime": "2026-01-01T00:00:00Z"});
        assert_eq!(of(cut), State::Cut("c".to_owned()));
        let ready = json!({"boundVolumeSnapshotContentName": "c", "readyToUse": true});
        assert_eq!(of(ready), State::Ready("c".to_owned()));
    }

    #[test]
    fn only_some_codes_are_refusals() {
        let said =
            |code: &str| format!("failed to take snapshot: \"rpc error: code = {code} desc = no\"");
        assert!(is_refusal(&said("InvalidArgument")));
        assert!(is_refusal(&said("PermissionDenied")));
        for passing in [
            "DeadlineExceeded",
            "Unavailable",
            "Aborted",
            "ResourceExhausted",
            "Internal",
        ] {
            assert!(!is_refusal(&said(passing)), "{passing}");
        }
        assert!(!is_refusal("the claim is not bound yet"));
    }

    #[test]
    fn the_content_is_known_before_it_is_bound() {
        let snapshot = json!({"metadata": {"uid": "u"}});
        assert_eq!(content_name(&snapshot).unwrap(), "snapcontent-u");
    }
}
