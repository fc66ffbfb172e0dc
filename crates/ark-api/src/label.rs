//! Label, annotation, tag and finalizer keys, and the values that fit in them.
//!
//! The keys are those of Velero: other tools select by them.

use sha2::{Digest, Sha256};

/// Longest label value that Kubernetes takes, in bytes.
const MAX_VALUE: usize = 63;
/// Hexadecimal digits of the checksum that ends a shortened value.
const SUM: usize = 6;

/// Label: name of the backup an object belongs to or was restored from.
pub const BACKUP_NAME: &str = "velero.io/backup-name";
/// Label: UID of the backup an object belongs to.
pub const BACKUP_UID: &str = "velero.io/backup-uid";
/// Label: name of the restore an object belongs to or was made by.
pub const RESTORE_NAME: &str = "velero.io/restore-name";
/// Label: UID of the restore an object belongs to.
pub const RESTORE_UID: &str = "velero.io/restore-uid";
/// Label on backups: the schedule that made them.
pub const SCHEDULE_NAME: &str = "velero.io/schedule-name";
/// Label on backups and repositories: their storage location.
pub const STORAGE_LOCATION: &str = "velero.io/storage-location";
/// Label on repositories: namespace of the volumes in them.
pub const VOLUME_NAMESPACE: &str = "velero.io/volume-namespace";
/// Label on repositories: their type.
pub const REPOSITORY_TYPE: &str = "velero.io/repository-type";
/// Label: UID of the pod whose volume is moved.
pub const POD_UID: &str = "velero.io/pod-uid";
/// Label: UID of the claim whose volume is moved.
pub const PVC_UID: &str = "velero.io/pvc-uid";
/// Label on data uploads and downloads: the operation they carry out.
pub const ASYNC_OPERATION_ID: &str = "velero.io/async-operation-id";
/// Label on the config map with the result of a data upload.
pub const RESOURCE_USAGE: &str = "velero.io/resource-usage";
/// Value of [`RESOURCE_USAGE`] for results of data uploads.
pub const RESOURCE_USAGE_DATA_UPLOAD_RESULT: &str = "DataUpload";
/// Label: namespace and name of a claim, joined by a dot.
pub const PVC_NAMESPACE_NAME: &str = "velero.io/pvc-namespace-name";
/// Label on the config map that keeps what deletion of a data upload needs.
pub const DATA_UPLOAD_SNAPSHOT_INFO: &str = "velero.io/data-upload-snapshot-info";
/// Label on mover pods: the data upload they work for.
pub const DATA_UPLOAD: &str = "velero.io/data-upload";
/// Label on mover pods: the data download they work for.
pub const DATA_DOWNLOAD: &str = "velero.io/data-download";
/// Label on mover pods: the pod volume backup they work for.
pub const POD_VOLUME_BACKUP: &str = "velero.io/pod-volume-backup";
/// Label on mover pods: the pod volume restore they work for.
pub const POD_VOLUME_RESTORE: &str = "velero.io/pod-volume-restore";
/// Label on mover pods: which part of the system exposes the volume to them.
pub const EXPOSER_POD_GROUP: &str = "velero.io/exposer-pod-group";
/// Label on movers from Accepted until InProgress.
pub const EXPOSE_ON_GOING: &str = "velero.io/expose-on-going";
/// Label by which a claim waits for the volume that is being restored for it.
pub const DYNAMIC_PV_RESTORE: &str = "velero.io/dynamic-pv-restore";
/// Label on any object: only the value `true` keeps it out of backups.
pub const EXCLUDE_FROM_BACKUP: &str = "velero.io/exclude-from-backup";
/// Label on claims: default key that groups volumes into one group snapshot.
pub const VOLUME_GROUP: &str = "velero.io/volume-group";
/// Label on volume snapshot classes, annotation on claims: the class to use.
pub const CSI_VOLUME_SNAPSHOT_CLASS: &str = "velero.io/csi-volumesnapshot-class";
/// Label on volume group snapshot classes: the class to use.
pub const CSI_VOLUME_GROUP_SNAPSHOT_CLASS: &str = "velero.io/csi-volumegroupsnapshot-class";
/// Annotation on claims: the volume group snapshot class to use. Spelt unlike
/// [`CSI_VOLUME_GROUP_SNAPSHOT_CLASS`].
pub const CSI_VOLUME_GROUP_SNAPSHOT_CLASS_OF_CLAIM: &str =
    "velero.io/csi-volume-group-snapshot-class";
/// Annotation on backups, followed by a driver's name: the volume snapshot
/// class for that driver.
pub const CSI_VOLUME_SNAPSHOT_CLASS_OF_DRIVER: &str = "velero.io/csi-volumesnapshot-class_";
/// Annotation on backups, followed by a driver's name: the volume group
/// snapshot class for that driver.
pub const CSI_VOLUME_GROUP_SNAPSHOT_CLASS_OF_DRIVER: &str =
    "velero.io/csi-volumegroupsnapshot-class_";
/// Label on config maps that configure a plugin.
pub const PLUGIN_CONFIG: &str = "velero.io/plugin-config";
/// Label on maintenance jobs: the repository they work on.
pub const REPO_NAME: &str = "velero.io/repo-name";
/// Label on backups: why they could not be expired.
pub const GC_FAILURE: &str = "velero.io/gc-failure";

/// Annotation on backups: Kubernetes version of the cluster they came from.
pub const SOURCE_CLUSTER_GIT_VERSION: &str = "velero.io/source-cluster-k8s-gitversion";
/// Annotation on backups: major Kubernetes version of their cluster.
pub const SOURCE_CLUSTER_MAJOR_VERSION: &str = "velero.io/source-cluster-k8s-major-version";
/// Annotation on backups: minor Kubernetes version of their cluster.
pub const SOURCE_CLUSTER_MINOR_VERSION: &str = "velero.io/source-cluster-k8s-minor-version";
/// Annotation on backups: how long item actions wait for things to get ready.
pub const RESOURCE_TIMEOUT: &str = "velero.io/resource-timeout";
/// Annotation on backups and restores: time limit for file backups of volumes.
pub const POD_VOLUME_TIMEOUT: &str = "velero.io/pod-volume-timeout";
/// Annotation that an item action leaves to drop the item from the backup.
pub const SKIP_FROM_BACKUP: &str = "velero.io/skip-from-backup";
/// Annotation that an item action leaves so that the items it names pass the
/// filters; taken off before the item is written.
pub const MUST_INCLUDE_ADDITIONAL_ITEMS: &str = "backup.velero.io/must-include-additional-items";
/// Annotation by which the CSI action leaves a volume to another method.
pub const SKIPPED_NO_CSI_PV: &str = "backup.velero.io/skipped-no-csi-pv";
/// Annotation on pods: the volumes to back up as files.
pub const BACKUP_VOLUMES: &str = "backup.velero.io/backup-volumes";
/// Annotation on pods: the volumes not to back up as files.
pub const BACKUP_VOLUMES_EXCLUDES: &str = "backup.velero.io/backup-volumes-excludes";
/// Label and annotation on claims: their volume snapshot.
pub const VOLUME_SNAPSHOT_NAME: &str = "velero.io/volume-snapshot-name";
/// Annotation on volume snapshots: the storage system's handle.
pub const CSI_SNAPSHOT_HANDLE: &str = "velero.io/csi-volumesnapshot-handle";
/// Annotation on volume snapshots: the size a restored volume needs.
pub const CSI_SNAPSHOT_RESTORE_SIZE: &str = "velero.io/csi-volumesnapshot-restore-size";
/// Annotation on volume snapshots: the driver that made them.
pub const CSI_DRIVER_NAME: &str = "velero.io/csi-driver-name";
/// Annotation on volume snapshots: deletion policy of their content.
pub const CSI_CONTENT_DELETION_POLICY: &str = "velero.io/csi-vsc-deletion-policy";
/// Annotation on volume snapshots: handle of the group they were taken in.
pub const CSI_GROUP_SNAPSHOT_HANDLE: &str = "velero.io/csi-volumegroupsnapshot-handle";
/// Annotation on claims: their data upload.
pub const DATA_UPLOAD_NAME: &str = "velero.io/data-upload-name";
/// Annotation on volumes restored under another name: the old one.
pub const ORIGINAL_PV_NAME: &str = "velero.io/original-pv-name";
/// Annotation on any object: `true` or `false` decides whether its status is restored.
pub const RESTORE_STATUS: &str = "velero.io/restore-status";
/// Annotation on pod volume backups: the claim behind the volume.
pub const PVC_NAME: &str = "velero.io/pvc-name";
/// Annotation on pods, followed by a volume's name: snapshot of that volume,
/// in backups older than the kind `PodVolumeBackup`.
pub const POD_SNAPSHOT_PREFIX: &str = "snapshot.velero.io/";

/// Annotation of kubectl's: the object as it was last applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Tag on snapshots in clouds: the backup.
pub const TAG_BACKUP: &str = "velero.io/backup";
/// Tag on snapshots in clouds: the persistent volume.
pub const TAG_PV: &str = "velero.io/pv";

/// Finalizer on restores: their files in the bucket are to be removed.
pub const RESTORE_FINALIZER: &str = "restores.velero.io/external-resources-finalizer";
/// Finalizer on data uploads and downloads that have not ended.
pub const DATA_MOVE_FINALIZER: &str = "velero.io/data-upload-download-finalizer";
/// Finalizer on pod volume backups and restores that have not ended.
pub const POD_VOLUME_FINALIZER: &str = "velero.io/pod-volume-finalizer";
/// Finalizer on the content of volume snapshots while they are needed.
pub const SNAPSHOT_CONTENT_FINALIZER: &str = "velero.io/volume-snapshot-content-protect-finalizer";

/// A name in the form in which it is put into, and looked up in, a label
/// value: names longer than 63 bytes keep their first 57 and end in the first
/// six digits of their SHA-256. Two writers must shorten alike, since the
/// result is a key.
pub fn valid_value(name: &str) -> String {
    if name.len() <= MAX_VALUE {
        return name.to_owned();
    }
    let sum = hex::encode(Sha256::digest(name));
    format!(
        "{}{}",
        &name[..name.floor_char_boundary(MAX_VALUE - SUM)],
        &sum[..SUM]
    )
}

/// Selects the objects whose label `key` has `name`, in the form of
/// [`valid_value`].
pub fn selector(key: &str, name: &str) -> String {
    format!("{key}={}", valid_value(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stay() {
        let longest = "a".repeat(63);
        assert_eq!(valid_value(&longest), longest);
        assert_eq!(valid_value(""), "");
    }

    #[test]
    fn long_names_end_in_their_checksum() {
        // The checksum of 64 letters `a` is well known: ffe054fe7ae0cb6d...
        let name = "a".repeat(64);
        assert_eq!(valid_value(&name), format!("{}ffe054", "a".repeat(57)));
        assert_eq!(
            valid_value("the-quick-brown-fox-jumps-over-the-lazy-dog-and-then-comes-back-again"),
            "the-quick-brown-fox-jumps-over-the-lazy-dog-and-then-come65ea7f",
        );
        assert_eq!(
            valid_value(&format!("{}{}", "a".repeat(56), "\u{e4}".repeat(8)))
                .chars()
                .count(),
            62
        );
    }
}
