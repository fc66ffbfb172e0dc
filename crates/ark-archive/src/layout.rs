//! Every object key and every path inside the tarball, one function each.
//!
//! Names only: nothing here reads or writes. Keys are relative to the prefix of
//! the storage location. The table of who writes and reads what is in the
//! crate's own documentation. Source: the layout of Velero's object store and
//! tarballs, format version 1.1.0.

use crate::key::{self, GroupResource, ItemKey, KeyError};

/// Top-level folders that Velero accepts in a storage location. Any other one
/// makes it call the location invalid.
pub const KNOWN_DIRS: [&str; 6] = [
    "backups", "restores", "kopia", "restic", "plugins", "metadata",
];

/// First entry of every tarball since Velero 0.11.
pub const VERSION_PATH: &str = "metadata/version";

/// What ends the folder name of the preferred version's second copy.
pub const PREFERRED_SUFFIX: &str = "-preferredversion";

/// `backups/`: one folder per backup below it.
pub const BACKUPS_DIR: &str = "backups/";

/// `restores/`: one folder per restore below it.
pub const RESTORES_DIR: &str = "restores/";

/// Folder of a backup, with the closing slash.
pub fn backup_dir(backup: &str) -> String {
    format!("backups/{backup}/")
}

/// The backup's metadata: plain JSON, written last, marks the backup as existing.
pub fn metadata(backup: &str) -> String {
    format!("backups/{backup}/velero-backup.json")
}

/// The metadata file of Heptio Ark up to 0.10. Read, never written.
pub fn legacy_metadata(backup: &str) -> String {
    format!("backups/{backup}/ark-backup.json")
}

/// The tarball.
pub fn contents(backup: &str) -> String {
    format!("backups/{backup}/{backup}.tar.gz")
}

/// The backup log, gzip text.
pub fn log(backup: &str) -> String {
    format!("backups/{backup}/{backup}-logs.gz")
}

/// Which objects the backup has, see [`crate::side::ResourceList`].
pub fn resource_list(backup: &str) -> String {
    format!("backups/{backup}/{backup}-resource-list.json.gz")
}

/// Warnings and errors, see [`crate::side::Results`].
pub fn results(backup: &str) -> String {
    format!("backups/{backup}/{backup}-results.gz")
}

/// What became of each volume, see [`crate::side::BackupVolumeInfo`].
pub fn volume_info(backup: &str) -> String {
    format!("backups/{backup}/{backup}-volumeinfo.json.gz")
}

/// Native volume snapshots, see [`crate::side::VolumeSnapshot`].
pub fn volume_snapshots(backup: &str) -> String {
    format!("backups/{backup}/{backup}-volumesnapshots.json.gz")
}

/// Whole `PodVolumeBackup` resources.
pub fn pod_volume_backups(backup: &str) -> String {
    format!("backups/{backup}/{backup}-podvolumebackups.json.gz")
}

/// Asynchronous operations, see [`crate::side::BackupOperation`].
pub fn item_operations(backup: &str) -> String {
    format!("backups/{backup}/{backup}-itemoperations.json.gz")
}

/// CSI snapshots as Velero 1.5 to 1.16 wrote them. Read, never written.
pub fn csi_volume_snapshots(backup: &str) -> String {
    format!("backups/{backup}/{backup}-csi-volumesnapshots.json.gz")
}

/// CSI snapshot contents as Velero 1.5 to 1.16 wrote them. Read, never written.
pub fn csi_volume_snapshot_contents(backup: &str) -> String {
    format!("backups/{backup}/{backup}-csi-volumesnapshotcontents.json.gz")
}

/// CSI snapshot classes as Velero 1.9 to 1.17 wrote them. Read, never written.
pub fn csi_volume_snapshot_classes(backup: &str) -> String {
    format!("backups/{backup}/{backup}-csi-volumesnapshotclasses.json.gz")
}

/// Our index of the tarball, see [`crate::index`].
pub fn index(backup: &str) -> String {
    format!("backups/{backup}/ark-index.gz")
}

/// What Ark knows of a backup beyond Velero's metadata: the instant that it
/// shows, its exceptions, and the digest of the tarball. Plain JSON, written by
/// the engine for people and verification.
pub fn manifest(backup: &str) -> String {
    format!("backups/{backup}/ark-manifest.json")
}

/// Folder of a restore, with the closing slash.
pub fn restore_dir(restore: &str) -> String {
    format!("restores/{restore}/")
}

/// The restore log, gzip text.
pub fn restore_log(restore: &str) -> String {
    format!("restores/{restore}/restore-{restore}-logs.gz")
}

/// Warnings and errors of a restore, see [`crate::side::Results`].
pub fn restore_results(restore: &str) -> String {
    format!("restores/{restore}/restore-{restore}-results.gz")
}

/// What a restore did with each object: `ns/name(created)` and so on.
pub fn restore_resource_list(restore: &str) -> String {
    format!("restores/{restore}/restore-{restore}-resource-list.json.gz")
}

/// Asynchronous operations of a restore, see [`crate::side::RestoreOperation`].
pub fn restore_item_operations(restore: &str) -> String {
    format!("restores/{restore}/restore-{restore}-itemoperations.json.gz")
}

/// What a restore did with each volume. The one key without `restore-` before it.
pub fn restore_volume_info(restore: &str) -> String {
    format!("restores/{restore}/{restore}-volumeinfo.json.gz")
}

/// Path of an object's JSON: `resources/<gr>/namespaces/<ns>/<name>.json` or
/// `resources/<gr>/cluster/<name>.json`.
pub fn item_path(item: &ItemKey) -> String {
    let mut path = item_folder(&item.group_resource, item.namespace.as_deref(), None);
    path.push_str(&item.name);
    path.push_str(".json");
    path
}

/// Path of an object's JSON in one version's folder: `<version>-preferredversion`
/// when the cluster prefers that version, else `<version>`.
pub fn item_version_path(item: &ItemKey, version: &str, preferred: bool) -> String {
    let folder = Some((version, preferred));
    let mut path = item_folder(&item.group_resource, item.namespace.as_deref(), folder);
    path.push_str(&item.name);
    path.push_str(".json");
    path
}

/// The folder that items of one kind and namespace lie in, with closing slash;
/// `version` says which version and whether it is the preferred one.
pub(crate) fn item_folder(
    kind: &GroupResource,
    namespace: Option<&str>,
    version: Option<(&str, bool)>,
) -> String {
    let mut path = format!("resources/{kind}/");
    if let Some((version, preferred)) = version {
        path.push_str(version);
        path.push_str(if preferred { PREFERRED_SUFFIX } else { "" });
        path.push('/');
    }
    match namespace {
        Some(namespace) => {
            path.push_str("namespaces/");
            path.push_str(namespace);
            path.push('/');
        }
        None => path.push_str("cluster/"),
    }
    path
}

/// What a path inside the tarball says about the object it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPath {
    /// Which object.
    pub key: ItemKey,
    /// The version its folder names; `None` for the copy outside version folders.
    pub version: Option<String>,
    /// Whether this is the object in the version that the cluster preferred:
    /// true outside version folders and for `-preferredversion` folders.
    pub preferred: bool,
    /// Whether the path is of the form of Heptio Ark 0.3 and 0.4.
    pub legacy: bool,
}

impl ItemPath {
    /// The path in today's form.
    pub fn path(&self) -> String {
        match &self.version {
            Some(version) => item_version_path(&self.key, version, self.preferred),
            None => item_path(&self.key),
        }
    }
}

/// Reads a tar path. `None` when it is not of an item's form, an error when it
/// is but a part of it could not name an object.
pub fn parse_item_path(path: &str) -> Result<Option<ItemPath>, KeyError> {
    let Some(stem) = path.strip_suffix(".json") else {
        return Ok(None);
    };
    let segments: Vec<&str> = stem.splitn(7, '/').collect();
    let (kind, version, namespace, name, legacy) = match *segments.as_slice() {
        ["resources", kind, "cluster", name] => (kind, None, None, name, false),
        ["resources", kind, "namespaces", ns, name] => (kind, None, Some(ns), name, false),
        ["resources", kind, version, "cluster", name] => (kind, Some(version), None, name, false),
        ["resources", kind, version, "namespaces", ns, name] => {
            (kind, Some(version), Some(ns), name, false)
        }
        ["cluster", kind, name] => (kind, None, None, name, true),
        ["namespaces", ns, kind, name] => (kind, None, Some(ns), name, true),
        _ => return Ok(None),
    };
    let preferred_version = version.and_then(|v| v.strip_suffix(PREFERRED_SUFFIX));
    let plain_version = preferred_version.or(version);
    if let Some(version) = plain_version {
        key::check_version(version)?;
    }
    Ok(Some(ItemPath {
        key: ItemKey::new(kind.parse()?, namespace.map(str::to_owned), name)?,
        version: plain_version.map(str::to_owned),
        preferred: version.is_none() || preferred_version.is_some(),
        legacy,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restore_volume_info_has_no_prefix() {
        assert_eq!(restore_volume_info("r"), "restores/r/r-volumeinfo.json.gz");
        assert_eq!(restore_results("r"), "restores/r/restore-r-results.gz");
    }

    #[test]
    fn item_paths_read_back() {
        let paths = [
            "resources/pods/namespaces/shop/web-0.json",
            "resources/namespaces/cluster/shop.json",
            "resources/deployments.apps/v1-preferredversion/namespaces/shop/web.json.json",
            "resources/clusterroles.rbac.authorization.k8s.io/v1/cluster/system:node.json",
        ];
        for path in paths {
            let item = parse_item_path(path).unwrap().unwrap();
            assert_eq!(item.path(), path);
            assert!(!item.legacy);
        }
        let old = parse_item_path("namespaces/shop/deployments.apps/web.json")
            .unwrap()
            .unwrap();
        assert!(old.legacy && old.preferred);
        assert_eq!(
            old.path(),
            "resources/deployments.apps/namespaces/shop/web.json"
        );
    }

    #[test]
    fn other_files_are_not_items_and_bad_parts_are_errors() {
        for path in [
            "metadata/version",
            "resources/pods/web.json",
            "resources/pods/cluster/a.yaml",
        ] {
            assert_eq!(parse_item_path(path), Ok(None), "{path}");
        }
        for path in [
            "resources/pods/cluster/.json",
            "resources/pods/cluster/...json",
        ] {
            assert!(parse_item_path(path).is_err(), "{path}");
        }
        let doubled = "resources/pods/v1-preferredversion-preferredversion/cluster/a.json";
        assert!(parse_item_path(doubled).is_err());
    }
}
