//! Small objects: written, read whole, in parts, as a stream.

use ark_engine::port::{PutMode, StoreErrorKind};
use bytes::Bytes;

use super::{Subject, Verdict, create, ensure, must_fail, pattern, stream_of};

/// What is put is read; what is not there misses; a create never replaces.
pub async fn puts_and_reads(subject: &Subject) -> Verdict {
    let store = &subject.store;
    must_fail("read", StoreErrorKind::NotFound, store.read("a/b", 9).await)?;
    must_fail(
        "stream",
        StoreErrorKind::NotFound,
        store.stream("a/b").await,
    )?;
    ensure!(
        store.stat("a/b").await?.is_none(),
        "stat sees what is not there"
    );

    for (key, body) in [("a/b", pattern(1, 100_000)), ("empty", Bytes::new())] {
        create(subject, key, &body).await?;
        ensure!(
            store.read(key, 1 << 20).await? == body,
            "{key}: other bytes are read"
        );
        let entry = store.stat(key).await?;
        let entry = entry.filter(|entry| entry.key == key && entry.size == body.len() as u64);
        ensure!(
            entry.is_some_and(|entry| entry.modified.is_some()),
            "{key}: wrong stat"
        );

        must_fail(
            "create",
            StoreErrorKind::AlreadyExists,
            create(subject, key, &pattern(2, 5)).await,
        )?;
        ensure!(
            store.read(key, 1 << 20).await? == body,
            "{key}: a refused create changed it"
        );
        // The same bytes of another writer are a conflict all the same.
        must_fail(
            "create again",
            StoreErrorKind::AlreadyExists,
            create(subject, key, &body).await,
        )?;

        let other = pattern(3, 7);
        store.put(key, other.clone(), PutMode::Replace).await?;
        ensure!(
            store.read(key, 7).await? == other,
            "{key}: replace does not replace"
        );
    }
    must_fail(
        "below an object's key",
        StoreErrorKind::NotFound,
        store.read("a/b/c", 9).await,
    )?;
    must_fail(
        "a folder",
        StoreErrorKind::NotFound,
        store.read("a", 9).await,
    )
}

/// An object larger than the caller's bound is refused.
pub async fn reads_are_bounded(subject: &Subject) -> Verdict {
    let body = pattern(1, 1000);
    create(subject, "k", &body).await?;
    ensure!(
        subject.store.read("k", 1000).await? == body,
        "the bound itself must do"
    );
    must_fail(
        "read",
        StoreErrorKind::TooLarge,
        subject.store.read("k", 999).await,
    )
}

/// A range is exact, or an error.
pub async fn ranges(subject: &Subject) -> Verdict {
    let (store, body) = (&subject.store, pattern(1, 1000));
    create(subject, "k", &body).await?;
    create(subject, "empty", &Bytes::new()).await?;
    for range in [0..1000, 0..1, 999..1000, 17..400] {
        let (start, end) = (range.start, range.end);
        let wanted = body.slice(start..end);
        let found = store.read_range("k", start as u64..end as u64).await?;
        ensure!(found == wanted, "{range:?}: other bytes are read");
    }
    ensure!(
        store.read_range("k", 5..5).await?.is_empty(),
        "5..5 is not empty"
    );
    for range in [0..1001, 999..1001, 1000..1001, 2000..3000] {
        let call = format!("{range:?} of 1000");
        must_fail(
            &call,
            StoreErrorKind::Truncated,
            store.read_range("k", range).await,
        )?;
    }
    must_fail(
        "0..1 of none",
        StoreErrorKind::Truncated,
        store.read_range("empty", 0..1).await,
    )?;
    must_fail(
        "read_range",
        StoreErrorKind::NotFound,
        store.read_range("none", 0..1).await,
    )
}

/// A stream carries the object from its first byte to its last.
pub async fn streams(subject: &Subject) -> Verdict {
    for (key, size) in [("empty", 0), ("one", 1), ("large", 3 << 20)] {
        let body = pattern(4, size);
        create(subject, key, &body).await?;
        ensure!(
            stream_of(subject, key).await? == body,
            "{key}: other bytes are streamed"
        );
    }
    Ok(())
}
