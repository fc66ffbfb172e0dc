//! Many writers, one key, one winner: what leases and commit markers rest on.

use ark_engine::port::{PutMode, StoreError, StoreErrorKind};
use bytes::Bytes;
use futures::future::join_all;

use super::{Subject, Verdict, create, ensure, pattern, stream_of, upload};

const WRITERS: u64 = 16;
const ROUNDS: u64 = 4;

/// Of writers that create the same key at once exactly one succeeds, and its bytes
/// are there.
pub async fn one_of_racing_puts_wins(subject: &Subject) -> Verdict {
    for round in 0..ROUNDS {
        let key = format!("race/{round}");
        let bodies: Vec<_> = (0..WRITERS).map(|writer| pattern(writer, 10_000)).collect();
        let writes = bodies.iter().map(|body| {
            let (subject, key, body) = (subject.clone(), key.clone(), body.clone());
            tokio::spawn(async move { create(&subject, &key, &body).await })
        });
        let results = join_all(writes).await.into_iter().map(joined).collect();
        judge(subject, &key, &bodies, results).await?;
    }
    Ok(())
}

/// The same for uploads: within a part, which end as one `PUT`, and of several.
pub async fn one_of_racing_uploads_wins(subject: &Subject) -> Verdict {
    for size in [1000, subject.part_size + 1] {
        let key = format!("race/{size}");
        let bodies: Vec<_> = (0..WRITERS).map(|writer| pattern(writer, size)).collect();
        let writes = bodies.iter().map(|body| {
            let (subject, key, body) = (subject.clone(), key.clone(), body.clone());
            let chunk = 1 << 20;
            tokio::spawn(
                async move { upload(&subject, &key, (&body, chunk), PutMode::Create).await },
            )
        });
        let results = join_all(writes).await.into_iter().map(joined).collect();
        judge(subject, &key, &bodies, results).await?;
    }
    Ok(())
}

type Outcome = Result<(), StoreError>;

fn joined(task: Result<Outcome, tokio::task::JoinError>) -> Outcome {
    task.unwrap_or_else(|panic| {
        Err(StoreError {
            kind: StoreErrorKind::Other,
            operation: "race",
            key: String::new(),
            message: panic.to_string(),
        })
    })
}

async fn judge(subject: &Subject, key: &str, bodies: &[Bytes], results: Vec<Outcome>) -> Verdict {
    let mut winners = Vec::new();
    for (writer, result) in results.into_iter().enumerate() {
        match result {
            Ok(()) => winners.push(writer),
            Err(error) => ensure!(
                error.kind == StoreErrorKind::AlreadyExists,
                "{key}: writer {writer} failed with {error:?}"
            ),
        }
    }
    let alone = subject.atomic_completion || bodies[0].len() <= subject.part_size;
    let enough = if alone {
        winners.len() == 1
    } else {
        !winners.is_empty()
    };
    ensure!(enough, "{key}: {} winners", winners.len());
    let there = stream_of(subject, key).await?;
    let of_a_winner = winners.iter().any(|&winner| there == bodies[winner]);
    ensure!(of_a_winner, "{key}: other bytes than a winner's");
    Ok(())
}
