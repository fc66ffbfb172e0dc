//! What must hold for every definition. The definitions as a whole are checked
//! against the files under `deploy/`, and by a real API server.

use super::*;

fn by_kind() -> BTreeMap<String, CustomResourceDefinition> {
    all()
        .unwrap()
        .into_iter()
        .map(|crd| (crd.spec.names.kind.clone(), crd))
        .collect()
}

fn schema_of(crd: &CustomResourceDefinition) -> Value {
    let schema = crd.spec.versions[0]
        .schema
        .clone()
        .unwrap()
        .open_api_v3_schema
        .unwrap();
    serde_json::to_value(schema).unwrap()
}

/// Calls `visit` with every schema inside of `schema`, and its path.
fn walk(path: &str, schema: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    visit(path, schema);
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        walk(&format!("{path}.{name}"), property, visit);
    }
    for inner in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(inner) {
            walk(&format!("{path}[]"), inner, visit);
        }
    }
}

#[test]
fn definitions_are_as_stock_clients_expect() {
    for (kind, crd) in by_kind() {
        let spec = &crd.spec;
        let [version] = spec.versions.as_slice() else {
            panic!("{kind} has one version")
        };
        assert_eq!(
            crd.metadata.name,
            Some(format!("{}.velero.io", spec.names.plural))
        );
        assert_eq!(
            (spec.group.as_str(), spec.scope.as_str()),
            ("velero.io", "Namespaced")
        );
        assert_eq!(spec.names.list_kind, Some(format!("{kind}List")));
        assert_eq!(spec.names.singular, Some(kind.to_lowercase()));
        assert_eq!(
            version.name,
            if kind.starts_with("Data") {
                "v2alpha1"
            } else {
                "v1"
            }
        );
        assert!(version.served && version.storage);
        assert_eq!(
            version.subresources, None,
            "clients patch status with the rest of the object"
        );
        assert!(!crd.metadata.labels.unwrap().contains_key("component"));
    }
}

#[test]
fn names() {
    let names: Vec<String> = by_kind()
        .into_values()
        .map(|crd| {
            let short = crd.spec.names.short_names.unwrap_or_default();
            [vec![crd.spec.names.plural], short].concat().join(" ")
        })
        .collect();
    assert_eq!(
        names,
        [
            "backups",
            "backuprepositories",
            "backupstoragelocations bsl",
            "datadownloads",
            "datauploads",
            "deletebackuprequests",
            "downloadrequests",
            "podvolumebackups",
            "podvolumerestores",
            "restores",
            "schedules",
            "serverstatusrequests ssr",
            "volumesnapshotlocations vsl",
        ]
    );
}

#[test]
fn printer_columns() {
    let mut columns = BTreeMap::new();
    for (kind, crd) in by_kind() {
        for column in crd
            .spec
            .versions
            .into_iter()
            .filter_map(|version| version.additional_printer_columns)
            .flatten()
        {
            let wide = if column.priority.is_some() {
                " (wide)"
            } else {
                ""
            };
            let text = format!("{}{wide}", column.name);
            columns
                .entry(kind.clone())
                .or_insert_with(Vec::new)
                .push(text);
        }
    }
    let columns: Vec<String> = columns
        .into_iter()
        .map(|(kind, names)| format!("{kind}: {}", names.join(", ")))
        .collect();
    assert_eq!(
        columns,
        [
            "BackupRepository: Age, Repository Type",
            "BackupStorageLocation: Phase, Last Validated, Age, Default",
            "DataDownload: Status, Started, Bytes Done, Total Bytes, Storage Location, Age, Node",
            "DataUpload: Status, Started, Bytes Done, Total Bytes, Incremental Bytes (wide), Storage Location, Age, Node",
            "DeleteBackupRequest: BackupName, Status",
            "PodVolumeBackup: Status, Started, Bytes Done, Total Bytes, Incremental Bytes (wide), Storage Location, Age, \
             Node, Uploader",
            "PodVolumeRestore: Status, Started, Bytes Done, Total Bytes, Storage Location, Age, Node, Uploader Type",
            "Schedule: Status, Schedule, LastBackup, Age, Paused",
        ]
    );
}

#[test]
fn required_fields_are_those_of_velero() {
    let mut required = Vec::new();
    for (kind, crd) in by_kind() {
        walk(&kind, &schema_of(&crd), &mut |path, schema| {
            // Selectors and hooks occur in several kinds; one is enough. Velero has no
            // conditions.
            let repeated = path.contains("abelSelector")
                || path.starts_with("Schedule.spec.template")
                || path.ends_with(".status.conditions[]");
            let names: Vec<&str> = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if !repeated && !names.is_empty() {
                required.push(format!("{path}: {}", names.join(", ")));
            }
        });
    }
    assert_eq!(
        required,
        [
            "Backup.spec.hooks.resources[]: name",
            "Backup.spec.hooks.resources[].post[]: exec",
            "Backup.spec.hooks.resources[].post[].exec: command",
            "Backup.spec.hooks.resources[].pre[]: exec",
            "Backup.spec.hooks.resources[].pre[].exec: command",
            "Backup.spec.resourcePolicy: kind, name",
            "BackupRepository.spec: backupStorageLocation, maintenanceFrequency, volumeNamespace",
            "BackupStorageLocation.spec: objectStorage, provider",
            "BackupStorageLocation.spec.credential: key",
            "BackupStorageLocation.spec.objectStorage: bucket",
            "BackupStorageLocation.spec.objectStorage.caCertRef: key",
            "DataDownload.spec: backupStorageLocation, operationTimeout, snapshotID, sourceNamespace, targetVolume",
            "DataDownload.spec.targetVolume: namespace, pv, pvc",
            "DataUpload.spec: backupStorageLocation, operationTimeout, snapshotType, sourceNamespace, sourcePVC",
            "DataUpload.spec.csiSnapshot: storageClass, volumeSnapshot",
            "DeleteBackupRequest.spec: backupName",
            "DownloadRequest.spec: target",
            "DownloadRequest.spec.target: kind, name",
            "PodVolumeBackup.spec: backupStorageLocation, node, pod, repoIdentifier, volume",
            "PodVolumeRestore.spec: backupStorageLocation, pod, repoIdentifier, snapshotID, sourceNamespace, volume",
            "Restore.spec.hooks.resources[]: name",
            "Restore.spec.hooks.resources[].postHooks[].exec: command",
            "Restore.spec.resourceModifier: kind, name",
            "Schedule.spec: schedule, template",
            "ServerStatusRequest.status.plugins[]: kind, name",
            "VolumeSnapshotLocation.spec: provider",
            "VolumeSnapshotLocation.spec.credential: key",
        ]
    );
}

#[test]
fn nothing_is_stricter_than_in_velero() {
    for (kind, crd) in by_kind() {
        walk(&kind, &schema_of(&crd), &mut |path, schema| {
            for limit in [
                "minimum",
                "maximum",
                "minLength",
                "maxLength",
                "pattern",
                "maxItems",
                "oneOf",
                "anyOf",
                "title",
            ] {
                assert!(schema.get(limit).is_none(), "{path} has {limit}");
            }
            let defaulted = ["credential.name", "caCertRef.name"]
                .iter()
                .any(|end| path.ends_with(end));
            assert_eq!(
                schema.get("default"),
                defaulted.then(|| json!("")).as_ref(),
                "{path}"
            );
            assert!(
                path.ends_with("exec.command") || schema.get("minItems").is_none(),
                "{path}"
            );
            for name in schema["enum"].as_array().into_iter().flatten() {
                let may_be_empty = ["uploaderType", "repositoryType"]
                    .iter()
                    .any(|end| path.ends_with(end));
                assert!(
                    name.as_str()
                        .is_some_and(|name| may_be_empty || !name.is_empty()),
                    "{path}"
                );
            }
            let counter = INT64.iter().any(|name| path.ends_with(name));
            if schema["type"] == "integer" {
                assert_eq!(
                    schema.get("format"),
                    counter.then(|| json!("int64")).as_ref(),
                    "{path}"
                );
            }
        });
    }
}

#[test]
fn every_field_is_described() {
    for (kind, crd) in by_kind() {
        walk(&kind, &schema_of(&crd), &mut |path, schema| {
            let anonymous = path.ends_with("[]")
                || path.ends_with(".metadata") && path.matches('.').count() == 1;
            let description = schema.get("description").and_then(Value::as_str);
            assert!(
                anonymous || description.is_some_and(|text| !text.is_empty()),
                "{path}"
            );
            assert!(
                description.is_none_or(|text| !text.replace("\n\n", "").contains('\n')),
                "{path}: {description:?}"
            );
        });
    }
}
