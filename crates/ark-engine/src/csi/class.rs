//! Which `VolumeSnapshotClass` a snapshot is taken by. Pure.
//!
//! The first that applies:
//! 1. the one that the claim names by annotation,
//! 2. the one that the backup names by annotation for the driver,
//! 3. one of the driver with Velero's label, the first by name,
//! 4. the one of the driver that is the default,
//! 5. the only one of the driver.

use std::collections::BTreeMap;

use ark_api::label;
use serde_json::Value;

/// Marks the class that is used where none is named.
const IS_DEFAULT: &str = "snapshot.storage.kubernetes.io/is-default-class";

/// A class, as far as taking, restoring and deleting snapshots needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Class {
    pub name: String,
    pub driver: String,
    /// Name and namespace of the secret that snapshots are deleted with.
    pub secret: Option<(String, String)>,
    labelled: bool,
    default: bool,
}

impl Class {
    /// Reads a class as the cluster has it.
    pub(crate) fn read(class: &Value) -> Self {
        let text = |pointer: &str| {
            let value = class.pointer(pointer).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let labels = class["metadata"]["labels"].as_object();
        let parameter = |key: &str| {
            let value =
                class["parameters"][format!("csi.storage.k8s.io/snapshotter-{key}")].as_str();
            // Names that are made of the snapshot's own cannot be known here.
            value
                .filter(|value| !value.contains("${"))
                .map(str::to_owned)
        };
        Self {
            name: text("/metadata/name"),
            driver: text("/driver"),
            secret: parameter("secret-name").zip(parameter("secret-namespace")),
            labelled: labels.is_some_and(|all| all.contains_key(label::CSI_VOLUME_SNAPSHOT_CLASS)),
            default: class["metadata"]["annotations"][IS_DEFAULT] == "true",
        }
    }
}

/// Who may name a class.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The claim's annotation.
    pub by_claim: Option<&'a str>,
    /// The backup's annotations.
    pub backup: &'a BTreeMap<String, String>,
}

/// The class for a driver, and what was asked for and could not be had.
///
/// # Errors
/// Why there is none, as a sentence.
pub(crate) fn choose<'c>(
    classes: &'c [Class],
    driver: &str,
    asked: Asked<'_>,
) -> Result<(&'c Class, Vec<String>), String> {
    let key = format!(
        "{}{}",
        label::CSI_VOLUME_SNAPSHOT_CLASS_OF_DRIVER,
        driver.to_lowercase()
    );
    let by_backup = asked.backup.get(&key).map(String::as_str);
    let mut passed_over = Vec::new();
    for (whose, name) in [("claim", asked.by_claim), ("backup", by_backup)] {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            continue;
        };
        let named = classes
            .iter()
            .find(|one| one.name.eq_ignore_ascii_case(name));
        match named {
            Some(class) if class.driver == driver => return Ok((class, passed_over)),
            Some(class) => passed_over.push(format!(
                "the VolumeSnapshotClass `{name}` that the {whose} asks for is of driver `{}`, not `{driver}`",
                class.driver
            )),
            None => passed_over.push(format!(
                "the VolumeSnapshotClass `{name}` that the {whose} asks for does not exist"
            )),
        }
    }
    let mut of_driver: Vec<&Class> = classes.iter().filter(|one| one.driver == driver).collect();
    of_driver.sort_by(|a, b| a.name.cmp(&b.name));
    let chosen = of_driver.iter().find(|class| class.labelled);
    let chosen = chosen.or_else(|| of_driver.iter().find(|class| class.default));
    match (chosen, of_driver.as_slice()) {
        (Some(class), _) => Ok((*class, passed_over)),
        (None, [only]) => Ok((*only, passed_over)),
        (None, []) => Err(format!(
            "no VolumeSnapshotClass is of its CSI driver `{driver}`: make one"
        )),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|class| class.name.as_str()).collect();
            Err(format!(
                "several VolumeSnapshotClasses are of its CSI driver `{driver}` ({}): give one of them the \
                 label {}, or name one by annotation of the claim or the backup",
                names.join(", "),
                label::CSI_VOLUME_SNAPSHOT_CLASS
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn class(name: &str, driver: &str, metadata: &Value) -> Class {
        let mut class = json!({"metadata": metadata, "driver": driver});
        class["metadata"]["name"] = name.into();
        Class::read(&class)
    }

    fn chosen(
        classes: &[Class],
        claim: Option<&str>,
        backup: &[(&str, &str)],
    ) -> Result<String, String> {
        let backup = backup.iter();
        let backup = backup
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let asked = Asked {
            by_claim: claim,
            backup: &backup,
        };
        choose(classes, "Disk.example", asked).map(|(class, passed_over)| {
            let mut said = vec![class.name.clone()];
            said.extend(passed_over);
            said.join("; ")
        })
    }

    #[test]
    fn each_rule_gives_way_to_those_before_it() {
        let labelled = json!({"labels": {"velero.io/csi-volumesnapshot-class": "true"}});
        let default = json!({"annotations": {IS_DEFAULT: "true"}});
        let all = [
            class("Plain", "Disk.example", &json!({})),
            class("usual", "Disk.example", &default),
            class("marked", "Disk.example", &labelled),
            class("other", "other.example", &default),
        ];
        let of_driver = "velero.io/csi-volumesnapshot-class_disk.example";
        assert_eq!(
            chosen(&all, Some("plain"), &[(of_driver, "usual")]).unwrap(),
            "Plain"
        );
        assert_eq!(
            chosen(&all, None, &[(of_driver, "usual")]).unwrap(),
            "usual"
        );
        assert_eq!(chosen(&all, None, &[]).unwrap(), "marked");
        assert_eq!(chosen(&all[..2], None, &[]).unwrap(), "usual");
        assert_eq!(chosen(&all[..1], None, &[]).unwrap(), "Plain");
        let passed_over = chosen(&all, Some("other"), &[(of_driver, "none")]).unwrap();
        assert_eq!(
            passed_over,
            "marked; the VolumeSnapshotClass `other` that the claim asks for is of driver `other.example`, not \
             `Disk.example`; the VolumeSnapshotClass `none` that the backup asks for does not exist"
        );
    }

    #[test]
    fn what_is_not_clear_is_asked_for() {
        let two = [
            class("a", "Disk.example", &json!({})),
            class("b", "Disk.example", &json!({})),
        ];
        assert!(
            chosen(&two, None, &[])
                .unwrap_err()
                .contains("(a, b): give one of them the label")
        );
        let none = [class("a", "other.example", &json!({}))];
        assert!(chosen(&none, None, &[]).unwrap_err().ends_with("make one"));
    }

    #[test]
    fn a_secret_is_known_unless_its_name_is_made_up_later() {
        let read = |name: &str| {
            Class::read(
                &json!({"metadata": {"name": "c"}, "driver": "d", "parameters": {
                "csi.storage.k8s.io/snapshotter-secret-name": name,
                "csi.storage.k8s.io/snapshotter-secret-namespace": "storage"}}),
            )
        };
        assert_eq!(
            read("key").secret,
            Some(("key".to_owned(), "storage".to_owned()))
        );
        assert_eq!(read("${volumesnapshot.name}").secret, None);
    }
}
