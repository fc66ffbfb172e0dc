//! The AWS for tests checks signatures and keeps disks.

use ark_testkit::aws::AwsServer;

#[test]
fn disks_are_kept_and_signatures_checked() {
    let server = AwsServer::shared();
    let disk = server.create_disk(8, &[("VolumeType", "gp3")]).unwrap();
    let disks = server.disks().unwrap();
    let kept = disks.iter().find(|kept| kept.id() == disk).unwrap();
    assert_eq!(kept.text("volume_type"), "gp3");
    assert_eq!(kept.field("size"), 8);

    let mut stranger = AwsServer::start().unwrap();
    stranger.secret_key.push('x');
    let refused = stranger.create_disk(8, &[]).unwrap_err().to_string();
    assert!(refused.contains("AuthFailure"), "{refused}");
    stranger.secret_key.pop();
    assert!(stranger.disks().unwrap().is_empty());
}
