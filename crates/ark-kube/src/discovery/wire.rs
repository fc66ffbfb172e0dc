//! Discovery documents as the server writes them, read with tolerance.
//!
//! Formats: `apidiscovery.k8s.io/v2` (`APIGroupDiscoveryList`), and the older
//! `APIVersions`, `APIGroupList` and `APIResourceList` of `meta/v1`.

use ark_engine::port::ApiResource;
use serde::Deserialize;

use super::{Entry, Service};

#[derive(Deserialize)]
pub(super) struct Kind {
    #[serde(default)]
    pub(super) kind: String,
}

#[derive(Deserialize)]
pub(super) struct GroupDiscoveryList {
    #[serde(default)]
    items: Vec<GroupDiscovery>,
}

#[derive(Deserialize)]
struct GroupDiscovery {
    #[serde(default)]
    metadata: Named,
    #[serde(default)]
    versions: Vec<VersionDiscovery>,
}

#[derive(Deserialize, Default)]
struct Named {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct VersionDiscovery {
    version: String,
    #[serde(default)]
    resources: Vec<ResourceDiscovery>,
    #[serde(default)]
    freshness: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceDiscovery {
    resource: String,
    #[serde(default)]
    response_kind: Option<ResponseKind>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    singular_resource: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
}

#[derive(Deserialize)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

impl GroupDiscoveryList {
    pub(super) fn entries(self) -> Vec<Entry> {
        self.items
            .into_iter()
            .flat_map(GroupDiscovery::entries)
            .collect()
    }
}

impl GroupDiscovery {
    fn entries(self) -> impl Iterator<Item = Entry> {
        let group = self.metadata.name;
        self.versions
            .into_iter()
            .enumerate()
            .map(move |(index, version)| {
                let preferred = index == 0;
                let stale = version.freshness == "Stale";
                let resources = version
                    .resources
                    .into_iter()
                    .filter_map(|r| r.resource(&group, &version.version, preferred))
                    .collect();
                Entry {
                    group: group.clone(),
                    version: version.version,
                    preferred,
                    resources: (!stale).then_some(resources),
                }
            })
    }
}

impl ResourceDiscovery {
    /// `None` for a mere parent of subresources.
    fn resource(self, group: &str, version: &str, preferred: bool) -> Option<ApiResource> {
        let kind = self
            .response_kind
            .map(|k| k.kind)
            .filter(|k| !k.is_empty())?;
        Some(ApiResource {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: self.resource,
            singular: self.singular_resource,
            kind,
            namespaced: self.scope == "Namespaced",
            verbs: self.verbs,
            short_names: self.short_names,
            preferred,
        })
    }
}

/// `/api` without aggregation.
#[derive(Deserialize)]
pub(super) struct PlainVersions {
    #[serde(default)]
    versions: Vec<String>,
}

impl PlainVersions {
    pub(super) fn entries(self) -> Vec<Entry> {
        let ask = |(index, version)| Entry {
            group: String::new(),
            version,
            preferred: index == 0,
            resources: None,
        };
        self.versions.into_iter().enumerate().map(ask).collect()
    }
}

/// `/apis` without aggregation.
#[derive(Deserialize)]
pub(super) struct PlainGroups {
    #[serde(default)]
    groups: Vec<PlainGroup>,
}

#[derive(Deserialize)]
struct PlainGroup {
    name: String,
    #[serde(default)]
    versions: Vec<PlainVersion>,
}

#[derive(Deserialize)]
struct PlainVersion {
    version: String,
}

impl PlainGroups {
    pub(super) fn entries(self) -> Vec<Entry> {
        let ask = |group: PlainGroup| {
            let name = group.name;
            group
                .versions
                .into_iter()
                .enumerate()
                .map(move |(index, version)| Entry {
                    group: name.clone(),
                    version: version.version,
                    preferred: index == 0,
                    resources: None,
                })
        };
        self.groups.into_iter().flat_map(ask).collect()
    }
}

/// `/api/v1`, `/apis/apps/v1`.
#[derive(Deserialize)]
pub(super) struct PlainResources {
    #[serde(default)]
    resources: Vec<PlainResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlainResource {
    name: String,
    #[serde(default)]
    singular_name: String,
    #[serde(default)]
    namespaced: bool,
    kind: String,
    #[serde(default)]
    verbs: Vec<String>,
    #[serde(default)]
    short_names: Vec<String>,
}

impl PlainResources {
    pub(super) fn resources(self, group: &str, version: &str, preferred: bool) -> Vec<ApiResource> {
        self.resources
            .into_iter()
            // `pods/status` and the like.
            .filter(|resource| !resource.name.contains('/'))
            .map(|resource| ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                plural: resource.name,
                singular: resource.singular_name,
                kind: resource.kind,
                namespaced: resource.namespaced,
                verbs: resource.verbs,
                short_names: resource.short_names,
                preferred,
            })
            .collect()
    }
}

/// `apiregistration.k8s.io/v1` `APIServiceList`.
#[derive(Deserialize)]
pub(super) struct ApiServices {
    #[serde(default)]
    items: Vec<ApiService>,
}

#[derive(Deserialize)]
struct ApiService {
    #[serde(default)]
    spec: ApiServiceSpec,
}

#[derive(Deserialize, Default)]
struct ApiServiceSpec {
    #[serde(default)]
    group: String,
    #[serde(default)]
    version: String,
    /// Set when another server answers.
    service: Option<serde::de::IgnoredAny>,
}

impl ApiServices {
    pub(super) fn services(self) -> Vec<Service> {
        self.items
            .into_iter()
            .filter(|item| !item.spec.version.is_empty())
            .map(|item| Service {
                group: item.spec.group,
                version: item.spec.version,
                remote: item.spec.service.is_some(),
            })
            .collect()
    }
}
