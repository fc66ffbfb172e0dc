//! The resource policies of a backup: found, read, and fit for its filters.

use ark_api::BackupSpec;

use crate::backup::filters;
use crate::backup::surroundings::Surroundings;
use crate::policy::ResourcePolicies;

/// The policies that the spec names, from what the caller found under that name.
pub(super) fn read(
    spec: &BackupSpec,
    around: &Surroundings<'_>,
    messages: &mut Vec<String>,
) -> ResourcePolicies {
    let Some(reference) = &spec.resource_policy else {
        return ResourcePolicies::default();
    };
    let name = &reference.name;
    if !reference.kind.eq_ignore_ascii_case("configmap") {
        messages.push(format!(
            "resourcePolicy: `{}` cannot hold policies; the kind must be configmap",
            reference.kind
        ));
        return ResourcePolicies::default();
    }
    let Some(data) = &around.policy_data else {
        messages.push(format!(
            "resourcePolicy: ConfigMap `{name}` does not exist in the server's namespace"
        ));
        return ResourcePolicies::default();
    };
    match ResourcePolicies::read(name, data) {
        Ok(policies) => {
            if filters::uses_old(spec)
                && !(policies.kinds.is_empty() && policies.namespaces.is_empty())
            {
                messages.push(format!(
                    "resourcePolicy: the includeExcludePolicy of ConfigMap `{name}` cannot be combined \
                     with includedResources, excludedResources and includeClusterResources: use the \
                     lists for cluster-scoped and namespace-scoped resources"
                ));
            }
            if filters::uses_old(spec) && !policies.filters.is_empty() {
                messages.push(format!(
                    "resourcePolicy: namespacedFilterPolicies and clusterScopedFilterPolicy of ConfigMap \
                     `{name}` cannot be combined with includedResources, excludedResources and \
                     includeClusterResources: use the lists for cluster-scoped and namespace-scoped \
                     resources, or the policy's includeExcludePolicy"
                ));
            }
            policies
        }
        Err(problems) => {
            let problems = problems.iter();
            messages.extend(problems.map(|problem| format!("resourcePolicy: {problem}")));
            ResourcePolicies::default()
        }
    }
}
