//! How often a job was begun, kept in its resource.
//!
//! A server that dies while it runs a job starts that job again. One that
//! brings the server down each time must not do so for ever.

use ark_api::ObjectMeta;

/// Annotation: how many times the job was begun.
pub(crate) const ANNOTATION: &str = "ark.heptio.com/attempts";
/// No job is begun more often.
pub(crate) const MAX: u32 = 3;

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
        metadata
            .annotations
            .get_or_insert_default()
            .insert(ANNOTATION.into(), "many".into());
        assert_eq!(count(&metadata), 0);
    }
}
