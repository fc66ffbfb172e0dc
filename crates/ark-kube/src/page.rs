//! A list answer, cut into objects without copying or parsing them.

use std::borrow::Cow;
use std::sync::Arc;

use ark_engine::object::{Object, ObjectError, type_prefix};
use ark_engine::port::{ApiResource, Page, Revision};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// An answer that is not a list of objects.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageError {
    #[error("the answer is not a list: {0}")]
    NotAList(serde_json::Error),
    #[error("item {index} of the list: {error}")]
    Item { index: usize, error: ObjectError },
}

#[derive(Deserialize)]
struct RawList<'a> {
    #[serde(borrow, default)]
    metadata: RawListMeta<'a>,
    // The server writes `null` for an empty list of some kinds.
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

#[derive(Deserialize, Default)]
struct RawListMeta<'a> {
    #[serde(borrow, default, rename = "resourceVersion")]
    resource_version: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "continue")]
    token: Option<Cow<'a, str>>,
    #[serde(default, rename = "remainingItemCount")]
    remaining: Option<u64>,
}

/// Splits `body`; every object is a slice of it.
pub(crate) fn split(body: &Bytes, resource: &ApiResource) -> Result<Page, PageError> {
    let list: RawList<'_> = serde_json::from_slice(body).map_err(PageError::NotAList)?;
    let api_version = resource.api_version();
    let prefix: Arc<str> = type_prefix(&api_version, &resource.kind);
    let items = list
        .items
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(index, raw)| {
            let slice = body.slice_ref(raw.get().as_bytes());
            Object::from_list(slice, &api_version, &resource.kind, &prefix)
                .map_err(|error| PageError::Item { index, error })
        })
        .collect::<Result<_, _>>()?;
    Ok(Page {
        items,
        next: list
            .metadata
            .token
            .filter(|token| !token.is_empty())
            .map(Cow::into_owned),
        revision: Revision(
            list.metadata
                .resource_version
                .unwrap_or_default()
                .into_owned(),
        ),
        remaining: list.metadata.remaining,
        bytes: body.len(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn pods() -> ApiResource {
        ApiResource {
            group: String::new(),
            version: "v1".to_owned(),
            plural: "pods".to_owned(),
            singular: "pod".to_owned(),
            kind: "Pod".to_owned(),
            namespaced: true,
            verbs: Vec::new(),
            short_names: Vec::new(),
            preferred: true,
        }
    }

    #[test]
    fn items_are_slices_of_the_body() {
        let body = Bytes::from_static(
            br#"{"items":[ {"metadata":{"name":"a"}} ],"metadata":{"continue":"t","resourceVersion":"9"},"kind":"PodList"}"#,
        );
        let page = split(&body, &pods()).unwrap();
        assert_eq!(page.next.as_deref(), Some("t"));
        assert_eq!(page.revision, Revision("9".to_owned()));
        assert_eq!(page.items[0].head().kind, "Pod");
        assert_eq!(page.items[0].len(), r#"{"metadata":{"name":"a"}}"#.len());
    }

    #[test]
    fn null_items_are_an_empty_list() {
        let body = Bytes::from_static(br#"{"items":null,"metadata":{"continue":""}}"#);
        let page = split(&body, &pods()).unwrap();
        assert!(page.items.is_empty() && page.next.is_none());
    }

    #[test]
    fn a_bad_item_is_numbered() {
        let body = Bytes::from_static(br#"{"items":[{"metadata":{"name":"a"}},{}]}"#);
        let error = split(&body, &pods()).unwrap_err();
        assert!(
            error.to_string().starts_with("item 1 of the list"),
            "{error}"
        );
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_list_splits_into_what_a_tree_parser_sees(
            specs in prop::collection::vec((".+", tree()), 0..6),
            pretty in any::<bool>(),
            typed in any::<bool>(),
        ) {
            let items: Vec<Value> = specs
                .into_iter()
                .map(|(name, spec)| {
                    let mut item = json!({"metadata": {"name": name}, "spec": spec});
                    if typed {
                        item["apiVersion"] = json!("v1");
                        item["kind"] = json!("Pod");
                    }
                    item
                })
                .collect();
            let list = json!({"kind": "PodList", "metadata": {"resourceVersion": "1"}, "items": items});
            let text = if pretty { serde_json::to_vec_pretty(&list) } else { serde_json::to_vec(&list) };
            let page = split(&Bytes::from(text.unwrap()), &pods()).unwrap();
            prop_assert_eq!(page.items.len(), items.len());
            for (object, mut expected) in page.items.iter().zip(items) {
                expected["apiVersion"] = json!("v1");
                expected["kind"] = json!("Pod");
                prop_assert_eq!(object.to_value().unwrap(), expected);
            }
        }
    }
}
