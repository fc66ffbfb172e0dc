//! Whose status is restored as well. Pure.
//!
//! By kind (`spec.restoreStatus`) or by an annotation of the object, which has
//! the last word.

use ark_api::{RestoreSpec, label};
use serde_json::{Value, json};

use crate::port::Discovery;
use crate::select::ResourceFilter;

/// Decides whether an object gets its status back.
#[derive(Debug, Clone)]
pub(crate) struct StatusFilter(Option<ResourceFilter>);

impl StatusFilter {
    pub(crate) fn new(spec: &RestoreSpec, discovery: &Discovery) -> Self {
        Self(spec.restore_status.as_ref().map(|status| {
            ResourceFilter::resolve(
                &status.included_resources,
                &status.excluded_resources,
                discovery,
            )
        }))
    }

    /// The merge patch for the status subresource, if the object is to get one.
    pub(crate) fn patch(&self, kind: &str, object: &Value, status: Option<Value>) -> Option<Value> {
        let status = status.filter(|status| !status.is_null())?;
        let wish = object
            .pointer("/metadata/annotations")
            .and_then(|annotations| annotations[label::RESTORE_STATUS].as_str());
        let wanted = match wish {
            Some("true") => true,
            Some("false") => false,
            _ => self.0.as_ref().is_some_and(|filter| filter.allows(kind)),
        };
        wanted.then(|| json!({"status": status}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_annotation_has_the_last_word() {
        let filter = |spec: Value| {
            let spec: RestoreSpec = serde_json::from_value(spec).unwrap();
            StatusFilter::new(&spec, &Discovery::default())
        };
        let off = filter(json!({}));
        let all = filter(json!({"restoreStatus": {}}));
        let some = filter(json!({"restoreStatus": {"includedResources": ["widgets.x.io"]}}));
        let restores = |filter: &StatusFilter, kind: &str, wish: Option<&str>| {
            let object = json!({"metadata": {"annotations": wish.map(|w| json!({label::RESTORE_STATUS: w}))}});
            filter.patch(kind, &object, Some(json!({"a": 1}))).is_some()
        };
        assert!(!restores(&off, "pods", None) && restores(&off, "pods", Some("true")));
        assert!(restores(&all, "pods", None) && !restores(&all, "pods", Some("false")));
        assert!(restores(&some, "widgets.x.io", None) && !restores(&some, "pods", None));
        assert!(all.patch("pods", &json!({}), None).is_none());
    }
}
