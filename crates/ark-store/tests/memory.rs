//! What an upload keeps in memory, whatever its length. In a process of its own, so
//! that its memory is its own.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

#[path = "s3/bucket.rs"]
#[expect(dead_code, reason = "shared with the suite, which uses more of it")]
mod bucket;

use std::time::{Duration, Instant};

use ark_engine::port::{PutMode, Upload};
use ark_testkit::fault::{Fault, Rule};
use bytes::Bytes;

use bucket::{Broken, PART, quick};

const CHUNK: usize = 256 << 10;

/// Writes until `limit` bytes are taken or nothing is taken for as long as `patience`.
async fn fill(upload: &mut Box<dyn Upload>, limit: usize, patience: Duration) -> usize {
    let chunk = Bytes::from(vec![7; CHUNK]);
    let mut taken = 0;
    while taken < limit {
        match tokio::time::timeout(patience, upload.write(chunk.clone())).await {
            Ok(written) => written.unwrap(),
            Err(_) => break,
        }
        taken += CHUNK;
    }
    taken
}

/// The high-water mark of this process, in bytes, as Linux tells it.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .unwrap()
        * 1024
}

#[tokio::test]
async fn an_upload_takes_no_more_than_its_parts() {
    let broken = Broken::open().await;
    let bound = quick().parts_in_memory() * PART;
    let before = peak();

    // A server that takes all: many times the bound goes through within it.
    let size = 5 * bound;
    let mut upload = broken
        .direct
        .upload("large", PutMode::Create)
        .await
        .unwrap();
    assert_eq!(fill(&mut upload, size, Duration::from_mins(1)).await, size);
    upload.finish().await.unwrap();
    let grown = peak() - before;
    // As much again for sockets, the client's pool, and what the allocator keeps.
    assert!(
        grown <= 2 * bound,
        "{grown} bytes more, twice {bound} allowed"
    );
    let there = broken.direct.stat("large").await.unwrap().unwrap();
    assert_eq!(there.size, size as u64);
    println!("{size} bytes went through {grown} bytes of memory");

    // A server that takes nothing: the source is asked for so much and no more.
    let never = Fault::Delay(Duration::from_mins(1));
    broken.proxy.set([Rule::new("partNumber", never)]);
    let mut stalled = broken
        .store
        .upload("stalled", PutMode::Create)
        .await
        .unwrap();
    let taken = fill(&mut stalled, 64 << 20, Duration::from_secs(2)).await;
    assert!(
        taken <= bound + CHUNK,
        "{taken} bytes taken, {bound} allowed"
    );
    let flying = quick().parts_in_flight * PART;
    assert!(taken >= flying, "only {taken} bytes taken");
    drop(stalled);
    let dropped = Instant::now();
    while broken.open_uploads() > 0 {
        let waited = dropped.elapsed();
        assert!(
            waited < Duration::from_secs(20),
            "a stalled upload is not taken back"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
