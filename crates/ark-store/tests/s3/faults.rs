//! Passing failures pass; lasting ones end as what they are, in bounded time, and
//! leave nothing behind.

use std::time::{Duration, Instant};

use ark_engine::port::{PutMode, StoreErrorKind, Upload};
use ark_store::conformance::pattern;
use ark_testkit::fault::{Fault, Rule};
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;

use crate::bucket::{ATTEMPTS, Broken, PART};

const PASSING: [Fault; 3] = [Fault::Reset, Fault::InternalError, Fault::SlowDown];

async fn whole(broken: &Broken, key: &str) -> Result<Bytes, ark_engine::port::StoreError> {
    let mut stream = broken.store.stream(key).await?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = stream.try_next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

#[tokio::test]
async fn calls_survive_what_passes() {
    let broken = Broken::open().await;
    let body = pattern(1, 50_000);
    for fault in PASSING {
        let key = format!("{fault:?}");
        let again = || broken.proxy.set([Rule::new("", fault).first(ATTEMPTS - 1)]);
        again();
        broken
            .store
            .put(&key, body.clone(), PutMode::Create)
            .await
            .unwrap();
        again();
        assert_eq!(broken.store.read(&key, 1 << 20).await.unwrap(), body);
        again();
        assert_eq!(
            broken.store.read_range(&key, 7..9).await.unwrap(),
            body[7..9]
        );
        again();
        assert_eq!(whole(&broken, &key).await.unwrap(), body);
        again();
        assert!(broken.store.stat(&key).await.unwrap().is_some());
        again();
        let listed: Vec<_> = broken
            .store
            .list("")
            .await
            .unwrap()
            .try_collect()
            .await
            .unwrap();
        assert_eq!(listed.len(), 1);
        again();
        assert!(broken.store.list_dirs("").await.unwrap().is_empty());
        again();
        broken
            .store
            .delete(&[key.clone(), "absent".to_owned()])
            .await
            .unwrap();
        assert!(broken.direct.stat(&key).await.unwrap().is_none());
    }
    assert!(broken.proxy.faults() >= PASSING.len() * 8 * (ATTEMPTS - 1));
}

#[tokio::test]
async fn uploads_survive_what_passes_at_every_step() {
    let broken = Broken::open().await;
    let body = pattern(2, 2 * PART + 3);
    for fault in PASSING.into_iter().chain([Fault::ResetUpload(100_000)]) {
        let key = format!("{fault:?}");
        broken.proxy.set([
            // Together within the budget of the last call, which may meet them all.
            Rule::new("uploads", fault).method("POST").first(1),
            Rule::new("partNumber=1", fault).method("PUT").first(1),
            Rule::new("partNumber=3", fault).method("PUT").first(1),
            Rule::new("uploadId=", fault).method("POST").first(1),
        ]);
        let mut upload = broken.store.upload(&key, PutMode::Create).await.unwrap();
        for chunk in body.chunks(1_000_003) {
            upload.write(body.slice_ref(chunk)).await.unwrap();
        }
        upload.finish().await.unwrap();
        assert_eq!(whole(&broken, &key).await.unwrap(), body, "{key}");
    }
}

#[tokio::test]
async fn calls_end_when_it_lasts() {
    let broken = Broken::open().await;
    let there = pattern(3, 1000);
    broken
        .store
        .put("there", there.clone(), PutMode::Create)
        .await
        .unwrap();
    for fault in PASSING {
        broken.proxy.set([Rule::new("", fault)]);
        let before = broken.proxy.faults();
        let started = Instant::now();
        let kinds = [
            broken
                .store
                .put("new", there.clone(), PutMode::Create)
                .await
                .err(),
            broken.store.read("there", 1 << 20).await.err(),
            broken.store.read_range("there", 0..5).await.err(),
            broken.store.stream("there").await.err(),
            broken.store.stat("there").await.err(),
            broken.store.list_dirs("").await.err(),
            broken.store.delete(&["there".to_owned()]).await.err(),
        ]
        .map(|error| error.map(|error| error.kind));
        assert_eq!(kinds, [Some(StoreErrorKind::Unavailable); 7], "{fault:?}");
        assert_eq!(
            broken.proxy.faults() - before,
            7 * ATTEMPTS,
            "{fault:?}: a budget a call"
        );
        assert!(started.elapsed() < Duration::from_secs(10));
        let listed: Result<Vec<_>, _> = broken.store.list("").await.unwrap().try_collect().await;
        assert_eq!(listed.unwrap_err().kind, StoreErrorKind::Unavailable);
    }
    broken.proxy.set([]);
    assert_eq!(broken.store.read("there", 1 << 20).await.unwrap(), there);
    assert!(broken.store.stat("new").await.unwrap().is_none());
}

#[tokio::test]
async fn the_servers_words_are_told() {
    let broken = Broken::open().await;
    broken.proxy.set([Rule::new("", Fault::SlowDown)]);
    let error = broken
        .store
        .put("k", Bytes::new(), PutMode::Create)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot write `k`: SlowDown: "),
        "{error}"
    );
    assert!(error.is_retryable());
}

async fn write_all(upload: &mut Box<dyn Upload>, body: &Bytes) -> Option<StoreErrorKind> {
    for chunk in body.chunks(PART) {
        if let Err(error) = upload.write(body.slice_ref(chunk)).await {
            return Some(error.kind);
        }
    }
    None
}

#[tokio::test]
async fn an_upload_that_cannot_go_on_ends_and_takes_its_parts_back() {
    let broken = Broken::open().await;
    let body = pattern(4, 6 * PART);
    for fault in PASSING {
        broken.proxy.set([Rule::new("partNumber=2", fault)]);
        let mut upload = broken.store.upload("k", PutMode::Create).await.unwrap();
        let failed = match write_all(&mut upload, &body).await {
            Some(kind) => kind,
            None => upload.finish().await.unwrap_err().kind,
        };
        assert_eq!(failed, StoreErrorKind::Unavailable);
        assert!(broken.direct.stat("k").await.unwrap().is_none());
        assert_eq!(broken.open_uploads(), 0, "{fault:?}: parts are left behind");
    }
}

#[tokio::test]
async fn a_dropped_upload_takes_its_parts_back() {
    let broken = Broken::open().await;
    let mut upload = broken.store.upload("k", PutMode::Create).await.unwrap();
    assert_eq!(write_all(&mut upload, &pattern(5, 3 * PART)).await, None);
    let started = Instant::now();
    while broken.open_uploads() == 0 {
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "no upload was begun"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(upload);
    while broken.open_uploads() > 0 {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "parts are left behind"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(broken.direct.stat("k").await.unwrap().is_none());
}

#[tokio::test]
async fn an_upload_dropped_before_it_has_a_name_is_taken_back() {
    let broken = Broken::open().await;
    let late = Fault::Delay(Duration::from_millis(500));
    broken
        .proxy
        .set([Rule::new("uploads", late).method("POST")]);
    let mut upload = broken.store.upload("k", PutMode::Create).await.unwrap();
    assert_eq!(write_all(&mut upload, &pattern(7, 3 * PART)).await, None);
    let started = Instant::now();
    while broken.proxy.count("POST", "uploads") == 0 {
        assert!(started.elapsed() < Duration::from_secs(10), "nothing sent");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(broken.open_uploads(), 0, "it has begun already");
    // Waits for the end, as dropping does not.
    upload.abort().await.unwrap();
    assert_eq!(broken.open_uploads(), 0, "an upload is left behind");
}

#[tokio::test]
async fn parts_without_an_answer_may_come_late_and_are_taken_back_then() {
    let broken = Broken::open().await;
    let lost = Fault::ResetUpload(u64::MAX);
    broken.proxy.set([Rule::new("partNumber=1&", lost)]);
    let mut upload = broken.store.upload("k", PutMode::Create).await.unwrap();
    write_all(&mut upload, &pattern(8, 2 * PART)).await;
    upload.finish().await.unwrap_err();
    assert_eq!(broken.open_uploads(), 0, "parts are left behind");
    let taken_back = broken.proxy.count("DELETE", "uploadId");
    assert_eq!(taken_back, 3, "at once and twice later");
}

#[tokio::test]
async fn a_download_that_breaks_off_is_resumed() {
    let broken = Broken::open().await;
    let body = pattern(6, 3 << 20);
    broken
        .direct
        .put("k", body.clone(), PutMode::Create)
        .await
        .unwrap();
    for fault in [Fault::Truncate(1_000_000), Fault::ResetDownload(1_000_000)] {
        broken
            .proxy
            .set([Rule::new("", fault).method("GET").first(2)]);
        let before = broken.proxy.faults();
        assert_eq!(whole(&broken, "k").await.unwrap(), body, "{fault:?}");
        broken
            .proxy
            .set([Rule::new("", fault).method("GET").first(1)]);
        assert_eq!(
            broken.store.read("k", 4 << 20).await.unwrap(),
            body,
            "{fault:?}"
        );
        broken
            .proxy
            .set([Rule::new("", fault).method("GET").first(1)]);
        let range = 5..2_500_000;
        let part = broken.store.read_range("k", range.clone()).await.unwrap();
        assert_eq!(part, body[5..2_500_000], "{fault:?}");
        assert_eq!(
            broken.proxy.faults() - before,
            4,
            "{fault:?}: every fault was met"
        );
    }
}

#[tokio::test]
async fn a_download_that_keeps_breaking_off_is_an_error_never_a_short_object() {
    let broken = Broken::open().await;
    broken
        .direct
        .put("k", pattern(7, 100_000), PutMode::Create)
        .await
        .unwrap();
    for fault in [Fault::Truncate(0), Fault::ResetDownload(0)] {
        broken.proxy.set([Rule::new("", fault).method("GET")]);
        for error in [
            whole(&broken, "k").await.unwrap_err(),
            broken.store.read("k", 1 << 20).await.unwrap_err(),
            broken.store.read_range("k", 0..100_000).await.unwrap_err(),
        ] {
            let told = [StoreErrorKind::Unavailable, StoreErrorKind::Truncated];
            assert!(told.contains(&error.kind), "{fault:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn an_object_replaced_in_the_middle_of_a_download_is_not_mixed() {
    let broken = Broken::open().await;
    let (old, new) = (pattern(8, 2 << 20), pattern(9, 2 << 20));
    broken
        .direct
        .put("k", old.clone(), PutMode::Create)
        .await
        .unwrap();
    broken.proxy.set([Rule::new("", Fault::Truncate(1 << 20))
        .method("GET")
        .first(1)]);
    let mut stream = broken.store.stream("k").await.unwrap();
    let first = stream.try_next().await.unwrap().unwrap();
    assert_eq!(first, old[..first.len()]);
    broken.direct.put("k", new, PutMode::Replace).await.unwrap();
    let rest: Result<Vec<_>, _> = stream.try_collect().await;
    let error = rest.unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error:?}");
    assert!(error.message.contains("replaced"), "{error}");
}
