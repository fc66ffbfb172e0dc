//! Objects of unknown length: whole, or not there.

use std::time::Duration;

use ark_engine::port::{PutMode, StoreErrorKind};

use super::{Subject, Verdict, create, ensure, keys_of, must_fail, pattern, stream_of, upload};

/// Every length around the edges of a part arrives as it was written.
pub async fn upload_sizes(subject: &Subject) -> Verdict {
    let part = subject.part_size;
    for size in [0, 1, part - 1, part, part + 1, 20 << 20] {
        let key = format!("sizes/{size}");
        let body = pattern(size as u64, size);
        // A size that divides nothing, so that chunks lie across parts.
        upload(subject, &key, (&body, 700_001), PutMode::Create).await?;
        ensure!(
            stream_of(subject, &key).await? == body,
            "{size} bytes come back as others"
        );
    }
    let whole = pattern(9, 2 * part + 5);
    upload(
        subject,
        "sizes/one-chunk",
        (&whole, whole.len()),
        PutMode::Create,
    )
    .await?;
    ensure!(
        stream_of(subject, "sizes/one-chunk").await? == whole,
        "a chunk larger than a part"
    );
    Ok(())
}

/// A create is refused when the key is taken, small or large; a replace is not.
pub async fn upload_modes(subject: &Subject) -> Verdict {
    let there = pattern(1, 10);
    create(subject, "k", &there).await?;
    for size in [5, subject.part_size + 1] {
        let body = pattern(2, size);
        let refused = upload(subject, "k", (&body, 1 << 20), PutMode::Create).await;
        must_fail("upload", StoreErrorKind::AlreadyExists, refused)?;
        ensure!(
            stream_of(subject, "k").await? == there,
            "a refused upload changed the object"
        );
    }
    let body = pattern(3, subject.part_size + 1);
    upload(subject, "k", (&body, 1 << 20), PutMode::Replace).await?;
    ensure!(
        stream_of(subject, "k").await? == body,
        "replace does not replace"
    );
    Ok(())
}

/// An upload that was dropped or aborted is never seen, and bars nobody.
pub async fn unfinished_uploads_are_unseen(subject: &Subject) -> Verdict {
    let body = pattern(1, 2 * subject.part_size + 1);
    for abort in [false, true] {
        let mut upload = subject
            .store
            .upload("x/unfinished", PutMode::Create)
            .await?;
        upload.write(body.clone()).await?;
        ensure!(
            subject.store.stat("x/unfinished").await?.is_none(),
            "seen while it is written"
        );
        ensure!(
            keys_of(subject, "").await?.is_empty(),
            "listed while it is written"
        );
        if abort {
            upload.abort().await?;
        } else {
            drop(upload);
        }
        ensure!(
            subject.store.stat("x/unfinished").await?.is_none(),
            "seen after its end"
        );
        ensure!(
            keys_of(subject, "").await?.is_empty(),
            "listed after its end"
        );
    }
    if subject.forgets_uploads {
        create(subject, "x/unfinished", &pattern(2, 5)).await?;
    } else {
        let all = (&body, body.len());
        upload(subject, "x/unfinished", all, PutMode::Create).await?;
    }
    Ok(())
}

/// After a write that was cancelled half-way the upload does not pretend to be whole.
pub async fn cancelled_uploads_end(subject: &Subject) -> Verdict {
    let body = pattern(1, 40 * subject.part_size.min(1 << 20));
    let mut upload = subject.store.upload("cancelled", PutMode::Create).await?;
    upload.write(pattern(2, 10)).await?;
    // Either it was cancelled, or it was done at once.
    let done = tokio::time::timeout(Duration::from_micros(1), upload.write(body.clone())).await;
    let finished = upload.finish().await;
    if done.is_err() {
        ensure!(
            finished.is_err(),
            "finished with a hole where the cancelled write was"
        );
        ensure!(
            subject.store.stat("cancelled").await?.is_none(),
            "seen with a hole"
        );
    }
    Ok(())
}
