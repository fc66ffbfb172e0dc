//! Requests that stock clients make: downloads and the server's status.

use serde_json::json;

use crate::site::Site;

fn download(site: &Site, name: &str, kind: &str, target: &str) -> String {
    site.add(
        "DownloadRequest",
        name,
        &json!({"target": {"kind": kind, "name": target}}),
    );
    site.wait(
        &format!("downloadrequest/{name}"),
        "{.status.phase}",
        "Processed",
    );
    let request = site.get(&format!("downloadrequest/{name}")).unwrap();
    assert!(request["status"]["expiration"].is_string(), "{request:#}");
    request["status"]["downloadURL"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn files_of_backups_and_restores_can_be_fetched() {
    let mut site = Site::running();
    let shop = site.sample(2);
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    site.add(
        "Restore",
        "r",
        &json!({"backupName": "b", "namespaceMapping": {shop: copy}}),
    );
    site.wait("restore/r", "{.status.phase}", "Completed");
    for (n, (kind, target)) in [
        ("BackupLog", "b"),
        ("BackupContents", "b"),
        ("BackupResourceList", "b"),
        ("BackupResults", "b"),
        ("BackupVolumeInfos", "b"),
        ("RestoreLog", "r"),
        ("RestoreResults", "r"),
        ("RestoreResourceList", "r"),
    ]
    .into_iter()
    .enumerate()
    {
        let url = download(&site, &format!("get-{n}"), kind, target);
        let path = url
            .strip_prefix("file://")
            .unwrap_or_else(|| panic!("{kind}: {url}"));
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{kind}: {path}: {error}"));
        assert_eq!(&bytes[..2], [0x1f, 0x8b], "{kind} is not gzip");
    }
    // Files that a backup lacks are signed all the same: the reader finds out.
    let url = download(&site, "lacking", "CSIBackupVolumeSnapshots", "b");
    assert!(url.ends_with("b-csi-volumesnapshots.json.gz"), "{url}");
}

#[test]
fn the_server_tells_its_version() {
    let site = Site::running();
    site.add("ServerStatusRequest", "who", &json!({}));
    site.wait("serverstatusrequest/who", "{.status.phase}", "Processed");
    let request = site.get("serverstatusrequest/who").unwrap();
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    assert_eq!(request["status"]["serverVersion"], version);
    assert!(request["status"]["processedTimestamp"].is_string());
}

#[test]
fn requests_of_other_namespaces_are_left_alone() {
    let site = Site::running();
    let other = Site::new();
    other.add("ServerStatusRequest", "who", &json!({}));
    site.add("ServerStatusRequest", "who", &json!({}));
    site.wait("serverstatusrequest/who", "{.status.phase}", "Processed");
    assert!(other.get("serverstatusrequest/who").unwrap()["status"].is_null());
}
