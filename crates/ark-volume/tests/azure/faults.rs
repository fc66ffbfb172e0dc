//! Calls that fail, are throttled, or whose answer is lost.

use std::time::{Duration, Instant};

use ark_engine::port::DiskErrorKind;
use ark_testkit::disks::Fault;

use super::*;

#[tokio::test]
async fn what_is_made_and_not_answered_is_not_made_twice() {
    let azure = Azure::new(&[]).await;
    azure.cloud.set_operation_steps(3);
    let id = azure.disk(|_| {});
    azure.cloud.lose_answer("PUT", "/snapshots/", 1);
    let request = snapshot_of(&id);
    let snapshot = azure.disks.create_snapshot(&request).await.unwrap();
    azure.cloud.lose_answer("PUT", "/disks/", 1);
    let made = azure.disks.create_disk(&disk_of(&snapshot)).await.unwrap();
    assert_eq!(azure.cloud.snapshots().len(), 1);
    assert_eq!(azure.cloud.disks().len(), 2);
    let puts = azure.cloud.requests();
    let puts = puts.iter().filter(|request| request.method == "PUT");
    assert_eq!(puts.count(), 2, "what is there is not asked for again");
    azure.cloud.lose_answer("DELETE", "/disks/", 1);
    azure.disks.delete_disk(&made).await.unwrap();
    assert_eq!(azure.cloud.disks().len(), 1);
}

#[tokio::test]
async fn what_passes_is_waited_out() {
    let azure = Azure::new(&[]).await;
    let id = azure.disk(|_| {});
    for status in [409, 429, 503] {
        for (method, path) in [
            ("GET", "/disks/"),
            ("PUT", "/snapshots/"),
            ("GET", "/DiskOperations/"),
            ("GET", "/snapshots/"),
        ] {
            azure.cloud.fail(Fault::new(method, path, status));
        }
        azure
            .disks
            .create_snapshot(&snapshot_of(&id))
            .await
            .unwrap();
    }
    assert_eq!(azure.cloud.snapshots().len(), 3);
}

#[tokio::test]
async fn azure_says_how_long_to_wait() {
    let azure = Azure::new(&[]).await;
    let id = azure.disk(|_| {});
    azure
        .cloud
        .fail(Fault::new("GET", "/disks/", 429).retry_after(2));
    let begun = Instant::now();
    azure
        .disks
        .create_snapshot(&snapshot_of(&id))
        .await
        .unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn what_stays_is_told_at_once() {
    let azure = Azure::new(&[]).await;
    let id = azure.disk(|_| {});
    let quota =
        r#"{"error": {"code": "OperationNotAllowed", "message": "exceeding approved quota"}}"#;
    let fault = Fault::new("PUT", "/snapshots/", 409).body(quota);
    azure.cloud.fail(fault);
    let error = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, DiskErrorKind::Quota, "{error}");
    assert!(
        error.to_string().contains("/snapshots/snapshot-"),
        "{error}"
    );
}

#[tokio::test]
async fn what_does_not_end_is_given_up_after_the_locations_time() {
    let azure = Azure::new(&[("apiTimeout", "1s")]).await;
    azure.cloud.set_operation_steps(100_000);
    let id = azure.disk(|_| {});
    let error = azure.disks.create_snapshot(&snapshot_of(&id)).await;
    let error = error.unwrap_err();
    assert!(error.message.contains("`apiTimeout`"), "{error}");
    assert!(
        azure.cloud.snapshots().is_empty(),
        "what began is taken back"
    );
}
