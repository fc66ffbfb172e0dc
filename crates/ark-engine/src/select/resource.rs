//! Kinds, in all the ways people name them.

use super::glob::Glob;
use super::names::IncludeExclude;
use crate::port::{ApiResource, Discovery};

/// Includes and excludes over kinds, as `plural.group`.
#[derive(Debug, Clone, Default)]
pub struct ResourceFilter(IncludeExclude);

impl ResourceFilter {
    /// Resolves `po`, `Pod`, `deployments.apps` and globs through discovery.
    /// What discovery does not know stays as written: it may name a kind that
    /// exists only inside an archive. The lists are expected to be valid
    /// ([`IncludeExclude::new`]); patterns that cannot be read match nothing.
    pub fn resolve(includes: &[String], excludes: &[String], discovery: &Discovery) -> Self {
        let resolve = |names: &[String]| -> Vec<Glob> {
            names
                .iter()
                .flat_map(|name| resolve_name(name.trim(), &discovery.resources))
                .filter_map(|name| Glob::parse(&name).ok())
                .collect()
        };
        Self(IncludeExclude::from_globs(
            resolve(includes),
            resolve(excludes),
        ))
    }

    /// Whether the kind `plural.group` is in.
    pub fn allows(&self, group_resource: &str) -> bool {
        self.0.allows(group_resource)
    }

    /// Whether the kind is explicitly out.
    pub fn excludes(&self, group_resource: &str) -> bool {
        self.0.excludes(group_resource)
    }

    /// Whether the kind is named by the includes; never true of an empty list.
    pub fn names(&self, group_resource: &str) -> bool {
        !self.0.includes_all() && self.0.includes(group_resource)
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.0.is_everything()
    }
}

fn resolve_name(name: &str, resources: &[ApiResource]) -> Vec<String> {
    if name.contains(['*', '?', '[']) {
        return vec![name.to_owned()];
    }
    let lower = name.to_lowercase();
    let (plain, group) = lower
        .split_once('.')
        .map_or((lower.as_str(), None), |(p, g)| (p, Some(g)));
    let named = |resource: &&ApiResource| {
        resource.plural == plain
            || resource.singular == plain
            || resource.kind.to_lowercase() == plain
            || resource.short_names.iter().any(|short| short == plain)
    };
    let in_group = |resource: &&ApiResource| match group {
        None => true,
        Some(group) => {
            resource.group == group
                || (resource.group.is_empty() && resource.version == group)
                || format!("{}.{}", resource.version, resource.group) == group
                || (!group.is_empty() && resource.group.starts_with(&format!("{group}.")))
        }
    };
    // The first group that knows the name is meant, as kubectl decides.
    match resources.iter().filter(in_group).find(named) {
        Some(resource) => vec![resource.group_resource()],
        None => vec![lower],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::rules::tests::resource;

    #[test]
    fn every_way_to_name_a_kind_is_understood() {
        let mut pods = resource("", "pods", "Pod", true);
        pods.short_names = vec!["po".into()];
        let discovery = Discovery {
            resources: vec![pods, resource("apps", "deployments", "Deployment", true)],
            ..Discovery::default()
        };
        let allows = |name: &str, kind: &str| {
            ResourceFilter::resolve(&[name.to_owned()], &[], &discovery).allows(kind)
        };
        for name in ["po", "Pod", "pods", "pods.v1", "pod*", "p[ao]d?", "*"] {
            assert!(allows(name, "pods"), "{name}");
        }
        for name in [
            "deployments",
            "deployment.apps",
            "deployments.v1.apps",
            "*.apps",
        ] {
            assert!(allows(name, "deployments.apps"), "{name}");
        }
        assert!(!allows("deployments.apps", "pods"));
        assert!(
            allows("widgets.acme.io", "widgets.acme.io"),
            "unknown kinds stay as written"
        );
    }
}
