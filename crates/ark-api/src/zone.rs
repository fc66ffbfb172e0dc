//! Other zones for the disks of a restore: an annotation on its resource.
//!
//! The kind has no field for it. Other servers pass over the annotation.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Annotation on restores: `FROM:TO,FROM:TO`.
pub const ANNOTATION: &str = "ark.heptio.com/zone-mappings";

/// The zones that a restore maps, from old to new.
///
/// # Errors
/// The part that is no pair, in a sentence.
pub fn mappings(metadata: &ObjectMeta) -> Result<BTreeMap<String, String>, String> {
    let annotations = metadata.annotations.as_ref();
    let text = annotations.and_then(|annotations| annotations.get(ANNOTATION));
    let pairs = pairs(text.map_or("", String::as_str));
    let pairs = pairs
        .map_err(|part| format!("annotation {ANNOTATION}: `{part}` is not of the form FROM:TO"));
    Ok(pairs?.into_iter().collect())
}

/// Reads `FROM:TO,FROM:TO`, as users write mappings.
///
/// # Errors
/// The part that is no pair.
pub fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let parts = text.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    let pairs = parts.map(|part| match part.split_once(':') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => {
            Ok((from.to_owned(), to.to_owned()))
        }
        _ => Err(part.to_owned()),
    });
    pairs.collect()
}

/// Asks for other zones.
pub fn request(metadata: &mut ObjectMeta, mappings: &BTreeMap<String, String>) {
    if mappings.is_empty() {
        return;
    }
    let pairs = mappings.iter().map(|(from, to)| format!("{from}:{to}"));
    let text = pairs.collect::<Vec<_>>().join(",");
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(ANNOTATION.to_owned(), text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read() {
        let mut metadata = ObjectMeta::default();
        assert_eq!(mappings(&metadata), Ok(BTreeMap::new()));
        request(&mut metadata, &BTreeMap::new());
        assert_eq!(metadata.annotations, None);
        let wanted = [("a-1", "a-2"), ("b-1", "a-3")].map(|(from, to)| (from.into(), to.into()));
        let wanted = BTreeMap::from(wanted);
        request(&mut metadata, &wanted);
        assert_eq!(
            metadata.annotations.as_ref().unwrap()[ANNOTATION],
            "a-1:a-2,b-1:a-3"
        );
        assert_eq!(mappings(&metadata), Ok(wanted));
        for wrong in ["a-1", "a-1:", ":a-2", "a:b,c"] {
            let annotations = metadata.annotations.get_or_insert_default();
            annotations.insert(ANNOTATION.to_owned(), wrong.to_owned());
            let error = mappings(&metadata).unwrap_err();
            assert!(error.contains("FROM:TO"), "{error}");
        }
    }
}
