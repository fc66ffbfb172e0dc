//! How often a job was begun, kept in its resource.
//!
//! A server that dies while it runs a job starts that job again. One that
//! brings the server down each time must not do so for ever. A server that was
//! told to end takes its attempt back: a job is not to blame for an upgrade.

use ark_api::ObjectMeta;
use ark_engine::port::ClusterErrorKind;
use ark_kube::{Custom, CustomError, CustomResource};

/// Annotation: how many times the job was begun.
pub(crate) const ANNOTATION: &str = "ark.heptio.com/attempts";
/// No job is begun more often.
pub(crate) const MAX: u32 = 3;
/// How often to write when others write at the same time.
const WRITES: usize = 3;

/// How many times the job was begun; what is not a number counts as none.
pub(crate) fn count(metadata: &ObjectMeta) -> u32 {
    let annotations = metadata.annotations.as_ref();
    let text = annotations.and_then(|annotations| annotations.get(ANNOTATION));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Notes that the job is begun once more.
pub(crate) fn add(metadata: &mut ObjectMeta) {
    let next = count(metadata).saturating_add(1);
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(ANNOTATION.to_owned(), next.to_string());
}

/// Takes an attempt back, because the server ends and not because of the job.
/// Best effort: when the API server cannot be asked the attempt counts.
pub(crate) async fn take_back<K: CustomResource>(objects: &Custom<K>, begun: &K) {
    let name = begun.meta().name.as_deref().unwrap_or_default();
    for _ in 0..WRITES {
        match take_back_once(objects, name, begun).await {
            Ok(()) => return,
            Err(error) if error.kind() == Some(ClusterErrorKind::Conflict) => {}
            Err(error) => {
                tracing::warn!(name, %error, "cannot note that the server was told to end");
                return;
            }
        }
    }
}

async fn take_back_once<K: CustomResource>(
    objects: &Custom<K>,
    name: &str,
    begun: &K,
) -> Result<(), CustomError> {
    let Some(found) = objects.get(name).await? else {
        return Ok(());
    };
    // Where it says another number, another server has begun it already.
    let same = found.meta().uid == begun.meta().uid && count(found.meta()) == count(begun.meta());
    if !same {
        return Ok(());
    }
    let mut after = found.clone();
    subtract(after.meta_mut());
    objects.patch_unchanged(name, &found, &after).await?;
    Ok(())
}

fn subtract(metadata: &mut ObjectMeta) {
    let before = count(metadata).saturating_sub(1);
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(ANNOTATION.to_owned(), before.to_string());
}

/// What a job that used up its attempts failed of.
pub(crate) fn used_up() -> String {
    format!(
        "begun {MAX} times, and each time the server ended before it was done; \
         the server's log may say why"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_add_up_and_nonsense_counts_as_none() {
        let mut metadata = ObjectMeta::default();
        assert_eq!(count(&metadata), 0);
        add(&mut metadata);
        add(&mut metadata);
        assert_eq!(count(&metadata), 2);
        subtract(&mut metadata);
        assert_eq!(count(&metadata), 1);
        add(&mut metadata);
        metadata
            .annotations
            .get_or_insert_default()
            .insert(ANNOTATION.into(), "many".into());
        assert_eq!(count(&metadata), 0);
    }
}
