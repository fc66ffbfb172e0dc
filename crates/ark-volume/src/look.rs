//! Looking at snapshots one by one, where a cloud has no call for several.

use std::collections::BTreeMap;

use ark_engine::port::{DiskError, DiskErrorKind, SnapshotState};
use futures::{StreamExt as _, TryStreamExt as _, stream};

/// Snapshots that are looked at at the same time.
const LOOKS: usize = 8;

/// The states of snapshots, by id; one that `look` does not find is left out.
pub(crate) async fn states<F>(
    ids: &[String],
    look: impl Fn(String) -> F,
) -> Result<BTreeMap<String, SnapshotState>, DiskError>
where
    F: Future<Output = Result<SnapshotState, DiskError>>,
{
    let looks = ids.iter().map(|id| {
        let found = look(id.clone());
        async move {
            match found.await {
                Ok(state) => Ok(Some((id.clone(), state))),
                Err(error) if error.kind == DiskErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }
    });
    let looks: Vec<_> = looks.collect();
    let states: Vec<_> = stream::iter(looks).buffered(LOOKS).try_collect().await?;
    Ok(states.into_iter().flatten().collect())
}
