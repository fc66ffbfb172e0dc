//! The few kinds of Kubernetes itself that this crate addresses by name.
//!
//! They have been served in these versions for years, so no discovery is needed.

use ark_engine::port::ApiResource;

fn resource(group: &str, version: &str, plural: &str, kind: &str) -> ApiResource {
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        singular: kind.to_lowercase(),
        kind: kind.to_owned(),
        namespaced: true,
        verbs: Vec::new(),
        short_names: Vec::new(),
        preferred: true,
    }
}

pub(crate) fn namespaces() -> ApiResource {
    ApiResource {
        namespaced: false,
        ..resource("", "v1", "namespaces", "Namespace")
    }
}

pub(crate) fn deployments() -> ApiResource {
    resource("apps", "v1", "deployments", "Deployment")
}

pub(crate) fn leases() -> ApiResource {
    resource("coordination.k8s.io", "v1", "leases", "Lease")
}

pub(crate) fn definitions() -> ApiResource {
    ApiResource {
        namespaced: false,
        ..resource(
            "apiextensions.k8s.io",
            "v1",
            "customresourcedefinitions",
            "CustomResourceDefinition",
        )
    }
}

pub(crate) fn pods() -> ApiResource {
    resource("", "v1", "pods", "Pod")
}
