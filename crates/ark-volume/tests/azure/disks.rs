//! What of a disk comes back with its data, where, and as whom it is asked for.

use ark_engine::port::{DiskErrorKind, SnapshotState};
use ark_testkit::disks::Fault;

use super::*;

#[tokio::test]
async fn sku_zone_encryption_and_tags_go_with_the_data() {
    let azure = Azure::new(&[("tags", "team=shop")]).await;
    let set =
        "/subscriptions/shop/resourceGroups/k/providers/Microsoft.Compute/diskEncryptionSets/k";
    let id = azure.disk(|disk| {
        disk.kind = "Premium_LRS".to_owned();
        disk.zones = vec!["2".to_owned()];
        disk.encryption = Some(set.to_owned());
        disk.labels.insert("app".to_owned(), "shop".to_owned());
    });
    let snapshot = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let snapshot = snapshot.unwrap();
    assert_eq!(snapshot.zone, "westeurope-2");
    assert_eq!(snapshot.disk_type, "Premium_LRS");
    let kept = &azure.cloud.snapshots()[0];
    assert!(kept.incremental, "{kept:?}");
    assert_eq!(kept.owner.to_lowercase(), OWNER, "beside its disk");
    assert_eq!(kept.labels["team"], "shop");
    assert_eq!(kept.labels["app"], "shop");
    assert_eq!(kept.encryption.as_deref(), Some(set));

    let mut request = disk_of(&snapshot);
    let same = azure.disks.create_disk(&request).await.unwrap();
    assert_eq!(same.zone, "westeurope-2");
    request.zone = "westeurope-3".to_owned();
    request.token = unique_name("disk");
    let other = azure.disks.create_disk(&request).await.unwrap();
    for (made, zone) in [(same, "2"), (other, "3")] {
        let copy = azure.kept(&made.id);
        assert_eq!(
            (copy.kind.as_str(), copy.zones),
            ("Premium_LRS", vec![zone.to_owned()])
        );
        assert_eq!(copy.encryption.as_deref(), Some(set));
        assert_eq!(copy.labels["app"], "shop");
        assert!(
            !copy.labels.contains_key("ark.heptio.com-backup-uid"),
            "{:?}",
            copy.labels
        );
    }
    for nowhere in ["eastus-1", "westeurope", "2"] {
        request.zone = nowhere.to_owned();
        let error = azure.disks.create_disk(&request).await.unwrap_err();
        assert_eq!(error.kind, DiskErrorKind::Invalid, "{error}");
        assert!(error.message.contains("westeurope-1"), "{error}");
    }
}

#[tokio::test]
async fn a_disk_that_is_in_all_zones_has_none_of_its_own() {
    let azure = Azure::new(&[]).await;
    let id = azure.disk(|disk| disk.kind = "Premium_ZRS".to_owned());
    let snapshot = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let mut request = disk_of(&snapshot.unwrap());
    assert_eq!(request.zone, "");
    // As Velero's lists may have it.
    request.zone = "westeurope-1".to_owned();
    let made = azure.disks.create_disk(&request).await.unwrap();
    assert_eq!(made.zone, "");
    assert_eq!(azure.kept(&made.id).kind, "Premium_ZRS");
}

#[tokio::test]
async fn snapshots_are_kept_where_the_location_says() {
    let config = [("subscriptionId", "Vault"), ("resourceGroup", "Safe")];
    let azure = Azure::new(&config).await;
    let id = azure.disk(|_| {});
    let snapshot = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let snapshot = snapshot.unwrap();
    let folder = super::id("snapshots", "vault/safe", "");
    assert!(snapshot.id.starts_with(&folder), "{snapshot:?}");
    let found = azure
        .disks
        .find_snapshots("ark.heptio.com/backup-uid", None);
    assert_eq!(found.await.unwrap()[0].id, snapshot.id);
    let made = azure.disks.create_disk(&disk_of(&snapshot)).await.unwrap();
    assert!(
        made.id.starts_with(&super::id("disks", OWNER, "")),
        "{made:?}"
    );
}

#[tokio::test]
async fn without_a_group_new_disks_are_where_the_old_ones_were() {
    let file = FILE.replace("AZURE_RESOURCE_GROUP=MC_shop\n", "");
    let azure = Azure::with(&file, &[("resourceGroup", "safe")]).await;
    let id = azure.disk(|disk| disk.owner = "shop/data".to_owned());
    let snapshot = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let made = azure.disks.create_disk(&disk_of(&snapshot.unwrap())).await;
    let made = made.unwrap();
    assert!(
        made.id.starts_with(&super::id("disks", "shop/data", "")),
        "{made:?}"
    );
}

#[tokio::test]
async fn snapshots_are_whole_where_the_location_says_and_the_disk_allows() {
    let azure = Azure::new(&[("incremental", "false")]).await;
    for (sku, incremental) in [("Premium_LRS", false), ("PremiumV2_LRS", true)] {
        let id = azure.disk(|disk| disk.kind = sku.to_owned());
        let request = snapshot_of(&id);
        azure.disks.create_snapshot(&request).await.unwrap();
        let all = azure.cloud.snapshots();
        let kept = all.iter().find(|one| one.name == request.token).unwrap();
        assert_eq!(kept.incremental, incremental, "{sku}");
    }
}

#[tokio::test]
async fn a_snapshot_tells_how_far_it_is() {
    let azure = Azure::new(&[]).await;
    azure.cloud.set_snapshot_steps(9);
    let id = azure.disk(|_| {});
    let snapshot = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let ids = [snapshot.unwrap().id];
    let mut told = Vec::new();
    for _ in 0..20 {
        let mut states = azure.disks.snapshot_states(&ids).await.unwrap();
        match states.remove(&ids[0]).unwrap() {
            SnapshotState::Pending(percent) => told.push(percent.unwrap()),
            SnapshotState::Completed => break,
            failed @ SnapshotState::Failed(_) => panic!("{failed:?}"),
        }
    }
    assert!(
        told.len() > 2 && told.is_sorted() && told[0] < told[2],
        "{told:?}"
    );
}

#[tokio::test]
async fn a_snapshot_that_fails_says_why_and_leaves_nothing() {
    let azure = Azure::new(&[]).await;
    azure.cloud.set_operation_steps(3);
    azure.cloud.fail_next_snapshot("the disk is gone");
    let id = azure.disk(|_| {});
    let error = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let error = error.unwrap_err();
    assert!(error.message.contains("the disk is gone"), "{error}");
    assert!(azure.cloud.snapshots().is_empty());
}

#[tokio::test]
async fn tokens_are_for_management_and_asked_for_once() {
    let azure = Azure::new(&[]).await;
    for _ in 0..3 {
        azure
            .disks
            .find_snapshots("velero.io/x", None)
            .await
            .unwrap();
    }
    let questions = azure.tokens.questions();
    assert_eq!(questions.len(), 1);
    let question = &questions[0];
    assert!(
        question.head.starts_with("POST /tenant/oauth2/v2.0/token "),
        "{question:?}"
    );
    let scope = "scope=https%3A%2F%2Fmanagement.azure.com%2F.default";
    assert!(question.body.contains(scope), "{question:?}");
    for request in azure.cloud.requests() {
        assert_eq!(request.authorization.as_deref(), Some("Bearer for-disks"));
    }
    azure.cloud.fail(Fault::new("GET", "/snapshots", 403));
    let error = azure.disks.find_snapshots("velero.io/x", None).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Denied);
    assert!(
        error.message.starts_with("AuthorizationFailed: "),
        "{error}"
    );
}

#[tokio::test]
async fn who_gets_no_token_is_told_by_whom() {
    let azure = Azure::new(&[]).await;
    let mut location = location(&azure.cloud, &azure.tokens, FILE, &[]);
    // The server of disks gives no tokens: 404.
    let wrong = azure.cloud.endpoint();
    location
        .config
        .insert("activeDirectoryAuthorityURI".to_owned(), wrong);
    let disks = ark_volume::open(&location).await.unwrap();
    let error = disks.find_snapshots("velero.io/x", None).await.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Denied);
    assert!(error.message.contains("127.0.0.1 answers"), "{error}");
    assert!(!error.message.contains("secret"), "{error}");
}
