//! What of a disk comes back with its data, and as whom it is asked for.

use ark_engine::port::DiskErrorKind;
use ark_testkit::aws::Resource;

use super::*;

fn kept(id: &str) -> Resource {
    let disks = AwsServer::shared().disks().unwrap();
    disks.into_iter().find(|disk| disk.id() == id).unwrap()
}

/// Makes a disk, a snapshot of it, and a disk of that.
async fn copied(disks: &dyn Disks, parameters: &[(&str, &str)]) -> (Snapshot, Resource) {
    let id = AwsServer::shared().create_disk(20, parameters).unwrap();
    let snapshot = disks.create_snapshot(&snapshot_of(&id)).await.unwrap();
    let copy = disks.create_disk(&disk_of(&snapshot)).await.unwrap();
    (snapshot, kept(&copy.id))
}

#[tokio::test]
async fn type_rate_and_throughput_come_back() {
    let disks = open(&[]).await;
    let gp3 = [
        ("VolumeType", "gp3"),
        ("Iops", "4000"),
        ("Throughput", "250"),
    ];
    let (snapshot, copy) = copied(disks.as_ref(), &gp3).await;
    assert_eq!((&*snapshot.disk_type, snapshot.iops), ("gp3", Some(4000)));
    assert_eq!(copy.text("volume_type"), "gp3");
    assert_eq!(
        (copy.field("iops"), copy.field("throughput")),
        (&json!(4000), &json!(250))
    );
    let io1 = [("VolumeType", "io1"), ("Iops", "300")];
    let (_, copy) = copied(disks.as_ref(), &io1).await;
    assert_eq!(
        (copy.text("volume_type"), copy.field("iops")),
        ("io1", &json!(300))
    );
    // A type that refuses to be given a rate.
    let (_, copy) = copied(disks.as_ref(), &[("VolumeType", "st1")]).await;
    assert_eq!(copy.text("volume_type"), "st1");
}

#[tokio::test]
async fn tags_of_the_disk_go_with_its_data() {
    let tag = [
        ("TagSpecification.1.ResourceType", "volume"),
        ("TagSpecification.1.Tag.1.Key", "team"),
        ("TagSpecification.1.Tag.1.Value", "shop"),
    ];
    let disks = open(&[]).await;
    let (snapshot, copy) = copied(disks.as_ref(), &tag).await;
    let snapshots = AwsServer::shared().snapshots().unwrap();
    let snapshot = snapshots
        .iter()
        .find(|one| one.id() == snapshot.id)
        .unwrap();
    assert_eq!(snapshot.tag("team"), Some("shop"));
    assert_eq!(copy.tag("team"), Some("shop"));
    assert_eq!(copy.tag("ark.heptio.com/backup-uid"), None);
}

#[tokio::test]
async fn new_disks_are_encrypted_with_the_locations_key() {
    let (_, copy) = copied(open(&[]).await.as_ref(), &[]).await;
    assert_eq!(copy.field("encrypted"), false);
    let key = "arn:aws:kms:us-east-1:123456789012:key/0a1b";
    let (_, copy) = copied(open(&[("ebsKmsKeyId", key)]).await.as_ref(), &[]).await;
    assert_eq!(copy.field("encrypted"), true);
    assert_eq!(copy.text("kms_key_id"), key);
}

#[tokio::test]
async fn a_disk_can_be_made_in_another_zone() {
    let disks = open(&[]).await;
    let id = AwsServer::shared().create_disk(1, &[]).unwrap();
    let snapshot = disks.create_snapshot(&snapshot_of(&id)).await.unwrap();
    let mut request = disk_of(&snapshot);
    request.zone = format!("{REGION}b");
    let copy = disks.create_disk(&request).await.unwrap();
    assert_eq!(copy.zone, format!("{REGION}b"));
    request.zone.clear();
    let error = disks.create_disk(&request).await.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Invalid, "{error}");
}

#[tokio::test]
async fn a_key_that_is_not_known_is_refused_and_told() {
    let endpoint = AwsServer::shared().endpoint();
    let mut other = location(&endpoint, &[]);
    let wrong = "[default]\naws_access_key_id=AKIAWRONG\naws_secret_access_key=secret\n";
    other.credentials = Credentials::Contents(wrong.into());
    let disks = ark_volume::open(&other).await.unwrap();
    let error = disks.find_snapshots("ark.heptio.com/x", None).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Denied, "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[tokio::test]
async fn the_credentials_profile_is_chosen_by_the_config() {
    let server = AwsServer::shared();
    let mut other = location(&server.endpoint(), &[("profile", "shop")]);
    let file = server.credentials_file().replace("[default]", "[shop]");
    other.credentials = Credentials::Contents(file.into());
    let disks = ark_volume::open(&other).await.unwrap();
    disks
        .find_snapshots("ark.heptio.com/x", None)
        .await
        .unwrap();
    other.config.remove("profile");
    let Err(error) = ark_volume::open(&other).await else {
        panic!("there is no section `default`");
    };
    assert!(error.to_string().contains("default"), "{error}");
}
