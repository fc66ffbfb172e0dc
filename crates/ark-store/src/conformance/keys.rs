//! Keys that protocols like to get wrong, and keys that nobody takes.

use ark_engine::port::{PutMode, StoreErrorKind};
use bytes::Bytes;

use super::{Subject, Verdict, create, ensure, keys_of, must_fail, pattern};

const ODD: [&str; 19] = [
    "odd/plain",
    "odd/with space",
    "odd/two  spaces",
    "odd/plus+sign",
    "odd/percent%20sign",
    "odd/a%2Fb",
    "odd/question?mark=1&more=2",
    "odd/hash#fragment",
    "odd/quotes'\"",
    "odd/<xml>&amp;",
    "odd/(paren)[bracket]{brace}",
    "odd/~tilde*star!bang",
    "odd/$dollar,comma;semi:colon=@at",
    "odd/ümläut-é-combining-e\u{301}",
    "odd/日本語/キー",
    "odd/emoji-🦀",
    "odd/.hidden",
    "odd/..two-dots",
    "odd/UPPER-and-lower",
];

/// What is written under an odd key is found under this key and no other.
pub async fn odd_keys(subject: &Subject) -> Verdict {
    for (seed, key) in ODD.into_iter().enumerate() {
        create(subject, key, &pattern(seed as u64, 100 + seed)).await?;
    }
    let mut listed = keys_of(subject, "odd/").await?;
    listed.sort_unstable();
    let mut wanted = ODD.map(str::to_owned).to_vec();
    wanted.sort_unstable();
    ensure!(listed == wanted, "listed as {listed:?}");
    for (seed, key) in ODD.into_iter().enumerate() {
        let body = pattern(seed as u64, 100 + seed);
        ensure!(
            subject.store.read(key, 1000).await? == body,
            "{key}: other bytes are read"
        );
        let last = body.len() as u64 - 1;
        let end = subject.store.read_range(key, last..last + 1).await?;
        ensure!(
            end[..] == body[body.len() - 1..],
            "{key}: other bytes in a range"
        );
        let size = subject.store.stat(key).await?.map(|entry| entry.size);
        ensure!(size == Some(body.len() as u64), "{key}: stat says {size:?}");
    }
    subject.store.delete(&ODD.map(str::to_owned)).await?;
    ensure!(
        keys_of(subject, "").await?.is_empty(),
        "not all odd keys are deleted"
    );
    Ok(())
}

/// Keys that would escape, or that some backend would change, are refused by all.
pub async fn refused_keys(subject: &Subject) -> Verdict {
    let (store, wanted) = (&subject.store, StoreErrorKind::Config);
    for key in [
        "",
        "/",
        "/abs",
        "a/",
        "a//b",
        "..",
        "../a",
        "a/../../b",
        "./a",
        " a",
        "a ",
        "a\nb",
        "a\0b",
        "a\\b",
    ] {
        must_fail(
            key,
            wanted,
            store.put(key, Bytes::new(), PutMode::Replace).await,
        )?;
        must_fail(key, wanted, store.upload(key, PutMode::Replace).await)?;
        must_fail(key, wanted, store.read(key, 1).await)?;
        must_fail(key, wanted, store.read_range(key, 0..1).await)?;
        must_fail(key, wanted, store.stream(key).await)?;
        must_fail(key, wanted, store.stat(key).await)?;
        must_fail(key, wanted, store.delete(&[key.to_owned()]).await)?;
        must_fail(
            key,
            wanted,
            store.sign(key, std::time::Duration::from_secs(1)).await,
        )?;
    }
    for prefix in ["/", "../", "a//"] {
        must_fail(prefix, wanted, store.list(prefix).await)?;
        must_fail(prefix, wanted, store.list_dirs(prefix).await)?;
    }
    Ok(())
}
