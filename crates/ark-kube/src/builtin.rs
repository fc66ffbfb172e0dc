//! The few kinds of Kubernetes itself that this crate addresses by name.
//!
//! They have been served in these versions for years, so no discovery is needed.

use ark_engine::port::ApiResource;

pub(crate) fn deployments() -> ApiResource {
    ApiResource::v1("apps", "deployments", "Deployment", true)
}

pub(crate) fn leases() -> ApiResource {
    ApiResource::v1("coordination.k8s.io", "leases", "Lease", true)
}

pub(crate) fn definitions() -> ApiResource {
    ApiResource::v1(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        false,
    )
}

pub(crate) fn pods() -> ApiResource {
    ApiResource::v1("", "pods", "Pod", true)
}
