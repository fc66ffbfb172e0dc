//! Asking a backup or a restore to stop: an annotation on its resource.
//!
//! The kinds have no field for it. Other servers pass over the annotation.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Annotation on backups and restores: `true` asks the server to stop.
pub const ANNOTATION: &str = "ark.heptio.com/cancel";

/// Whether the object's work is to stop; only the value `true` says so.
pub fn is_requested(metadata: &ObjectMeta) -> bool {
    let annotations = metadata.annotations.as_ref();
    let value = annotations.and_then(|annotations| annotations.get(ANNOTATION));
    value.is_some_and(|value| value == "true")
}

/// Asks for the object's work to stop.
pub fn request(metadata: &mut ObjectMeta) {
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(ANNOTATION.to_owned(), "true".to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_true_is_a_request() {
        let mut metadata = ObjectMeta::default();
        assert!(!is_requested(&metadata));
        request(&mut metadata);
        assert!(is_requested(&metadata));
        let annotations = metadata.annotations.get_or_insert_default();
        annotations.insert(ANNOTATION.to_owned(), "false".to_owned());
        assert!(!is_requested(&metadata));
    }
}
