//! Listings in pages and by folder; deletion in batches.

use ark_engine::port::PutMode;
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{Subject, Verdict, Violation, create, ensure, keys_of, list_of};
use crate::probe::{LayoutError, check_layout};

/// More than a page of a listing and than a batch of a deletion.
const MANY: usize = 1203;

/// All keys of a prefix are listed once, in order; deletion takes them all, absent
/// ones and doubles along.
pub async fn many_keys(subject: &Subject) -> Verdict {
    let keys: Vec<String> = (0..MANY)
        .map(|number| format!("many/{}/{number:05}", number % 7))
        .collect();
    let body = Bytes::from_static(b"x");
    stream::iter(&keys)
        .map(|key| create(subject, key, &body))
        .buffer_unordered(32)
        .try_collect::<()>()
        .await?;
    create(subject, "manyfold", &body).await?;

    let mut sorted = keys.clone();
    sorted.sort_unstable();
    let listed = list_of(subject, "many/").await?;
    ensure!(
        listed
            .iter()
            .all(|entry| entry.size == 1 && entry.modified.is_some()),
        "wrong sizes or times"
    );
    let listed: Vec<_> = listed.into_iter().map(|entry| entry.key).collect();
    ensure!(
        listed == sorted,
        "{} keys listed of {MANY}, or in another order",
        listed.len()
    );
    ensure!(
        keys_of(subject, "many").await?.len() == MANY + 1,
        "a prefix need not end in `/`"
    );
    ensure!(
        keys_of(subject, "many/3/0").await?.len() == MANY.div_ceil(7),
        "the start of a name"
    );
    ensure!(
        keys_of(subject, "none/").await?.is_empty(),
        "something is listed where nothing is"
    );

    let mut gone = keys;
    gone.extend([
        "many/absent".to_owned(),
        "absent".to_owned(),
        "many/0/00000".to_owned(),
    ]);
    subject.store.delete(&gone).await?;
    subject.store.delete(&gone[..1]).await?;
    subject.store.delete(&[]).await?;
    ensure!(
        keys_of(subject, "").await? == ["manyfold"],
        "too few or too many are deleted"
    );
    Ok(())
}

/// Folders are the first parts of keys, each once, sorted.
pub async fn folders(subject: &Subject) -> Verdict {
    let store = &subject.store;
    ensure!(
        store.list_dirs("").await?.is_empty(),
        "folders in an empty store"
    );
    for key in [
        "backups/b/1",
        "backups/b/2",
        "backups/a/1",
        "backups/a-b/1",
        "backups/file",
        "kopia/x",
        "top",
    ] {
        create(subject, key, &Bytes::new()).await?;
    }
    ensure!(
        store.list_dirs("").await? == ["backups", "kopia"],
        "at the top"
    );
    for prefix in ["backups/", "backups"] {
        let found = store.list_dirs(prefix).await?;
        ensure!(found == ["a", "a-b", "b"], "below {prefix}: {found:?}");
    }
    ensure!(
        store.list_dirs("backups/a/").await?.is_empty(),
        "of a folder without folders"
    );
    ensure!(
        store.list_dirs("none/").await?.is_empty(),
        "of a folder that is not there"
    );
    Ok(())
}

/// The rule about folders at the top, see [`check_layout`].
pub async fn layout(subject: &Subject) -> Verdict {
    let check = || check_layout(&*subject.store);
    let fail = |error: LayoutError| Violation::Answer(error.to_string());
    check().await.map_err(fail)?;
    for key in [
        "backups/b/x",
        "restores/r/x",
        "kopia/k",
        "restic/r",
        "plugins/p",
        "metadata/revision",
        "object",
    ] {
        subject
            .store
            .put(key, Bytes::new(), PutMode::Create)
            .await?;
    }
    check().await.map_err(fail)?;
    // An upload under way must not make the location invalid.
    let mut upload = subject.store.upload("backups/c/x", PutMode::Create).await?;
    upload.write(Bytes::from_static(b"x")).await?;
    check().await.map_err(fail)?;
    upload.abort().await?;
    for key in ["d/1", "c/1", "b/1", "a/1"] {
        create(subject, key, &Bytes::new()).await?;
    }
    match check().await {
        Err(error @ LayoutError::Foreign { .. }) => {
            ensure!(error.to_string().contains(": a, b, c, ...;"), "{error}");
            Ok(())
        }
        other => Err(Violation::Answer(format!(
            "foreign folders are overlooked: {other:?}"
        ))),
    }
}
