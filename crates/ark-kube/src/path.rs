//! URL paths and queries of the Kubernetes API.

use std::fmt::Write as _;

use ark_engine::port::{ApiResource, ListQuery, Revision};
use url::form_urlencoded::Serializer;

/// `/api/v1/namespaces/shop/pods` or `/apis/apps/v1/deployments`.
pub(crate) fn collection(resource: &ApiResource, namespace: Option<&str>) -> String {
    let mut path = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    if let Some(namespace) = namespace.filter(|_| resource.namespaced) {
        path.push_str("/namespaces/");
        push_segment(&mut path, namespace);
    }
    path.push('/');
    path.push_str(&resource.plural);
    path
}

/// The path of one object.
pub(crate) fn object(resource: &ApiResource, namespace: Option<&str>, name: &str) -> String {
    let mut path = collection(resource, namespace);
    path.push('/');
    push_segment(&mut path, name);
    path
}

/// The path and query of one page of a list.
pub(crate) fn list(query: &ListQuery, token: Option<&str>, limit: u32) -> String {
    let path = collection(&query.resource, query.namespace.as_deref());
    let mut pairs = Serializer::new(String::new());
    pairs.append_pair("limit", &limit.to_string());
    select(&mut pairs, query);
    match (token, &query.at) {
        // The token holds the revision; the server refuses both together.
        (Some(token), _) => {
            pairs.append_pair("continue", token);
        }
        (None, Some(revision)) => {
            pairs.append_pair("resourceVersion", &revision.0);
            pairs.append_pair("resourceVersionMatch", "Exact");
        }
        (None, None) => {}
    }
    format!("{path}?{}", pairs.finish())
}

/// The path and query of a watch, which the server ends after `seconds`.
pub(crate) fn watch(query: &ListQuery, since: &Revision, seconds: u64) -> String {
    let path = collection(&query.resource, query.namespace.as_deref());
    let mut pairs = Serializer::new(String::new());
    pairs.append_pair("watch", "1");
    pairs.append_pair("resourceVersion", &since.0);
    pairs.append_pair("timeoutSeconds", &seconds.to_string());
    select(&mut pairs, query);
    format!("{path}?{}", pairs.finish())
}

fn select(pairs: &mut Serializer<'_, String>, query: &ListQuery) {
    if let Some(selector) = &query.label_selector {
        pairs.append_pair("labelSelector", selector);
    }
    if let Some(selector) = &query.field_selector {
        pairs.append_pair("fieldSelector", selector);
    }
}

/// Names of RBAC objects may hold almost any character.
fn push_segment(path: &mut String, segment: &str) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn core_and_group_paths_differ() {
        assert_eq!(collection(&pods(), None), "/api/v1/pods");
        let web = ApiResource {
            group: "apps".to_owned(),
            plural: "deployments".to_owned(),
            ..pods()
        };
        assert_eq!(
            object(&web, Some("shop"), "web"),
            "/apis/apps/v1/namespaces/shop/deployments/web"
        );
    }

    #[test]
    fn names_cannot_leave_their_segment() {
        assert_eq!(
            object(&pods(), Some("n"), "a/../b?c d%é"),
            "/api/v1/namespaces/n/pods/a%2F..%2Fb%3Fc%20d%25%C3%A9"
        );
    }

    #[test]
    fn the_revision_goes_with_the_first_page_only() {
        let query = ListQuery {
            resource: pods(),
            namespace: None,
            label_selector: Some("a in (b,c)".to_owned()),
            field_selector: None,
            at: Some(Revision("17".to_owned())),
        };
        assert_eq!(
            list(&query, None, 5),
            "/api/v1/pods?limit=5&labelSelector=a+in+%28b%2Cc%29\
             &resourceVersion=17&resourceVersionMatch=Exact"
        );
        assert_eq!(
            list(&query, Some("t="), 5),
            "/api/v1/pods?limit=5&labelSelector=a+in+%28b%2Cc%29&continue=t%3D"
        );
    }
}
