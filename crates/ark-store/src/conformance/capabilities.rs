//! What trying a store out finds.

use super::{Subject, Verdict, ensure, keys_of};
use crate::capability::try_out;

/// Nothing is lacking, and nothing is left behind.
pub async fn nothing_is_lacking(subject: &Subject) -> Verdict {
    let lacks = try_out(subject.store.as_ref(), Some(subject.part_size), 0).await?;
    ensure!(lacks.is_empty(), "it lacks {lacks:?}");
    let left = keys_of(subject, "").await?;
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}
