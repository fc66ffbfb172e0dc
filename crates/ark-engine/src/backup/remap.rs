//! Definitions that must be saved in the version they were made in, see
//! [`action::needs_v1beta1`].

use super::plan::{BackupPlan, Versions};
use crate::action::backup as action;
use crate::job::Job;
use crate::object::Object;
use crate::port::{ApiResource, Discovery, Target};

const GROUP: &str = "apiextensions.k8s.io";
const PLURAL: &str = "customresourcedefinitions";
const OLD: &str = "v1beta1";

/// The definition as v1beta1 has it, where it needs that and the cluster still
/// serves it; every other object as it is. With all versions saved there is
/// nothing to do. It keeps its place among the v1 definitions.
pub(super) async fn in_old_version(
    job: &Job,
    plan: &BackupPlan,
    discovery: &Discovery,
    resource: &ApiResource,
    object: Object,
) -> Object {
    let is_definition = resource.plural == PLURAL && resource.group == GROUP;
    if !is_definition || plan.versions == Versions::All {
        return object;
    }
    let resources = &discovery.resources;
    let old = resources
        .iter()
        .find(|one| one.plural == PLURAL && one.group == GROUP && one.version == OLD);
    let Some(old) = old else {
        return object;
    };
    let wants = object
        .to_value()
        .is_ok_and(|value| action::needs_v1beta1(&value));
    if !wants {
        return object;
    }
    let name = object.head().name.clone();
    let target = Target {
        resource: old,
        namespace: None,
        name: &name,
    };
    let why = match job.ports.cluster.get(target).await {
        Ok(Some(found)) if found.head().resource_version == object.head().resource_version => {
            return found;
        }
        Ok(Some(_)) => "it changed meanwhile".to_owned(),
        Ok(None) => "it was deleted meanwhile".to_owned(),
        Err(error) => error.to_string(),
    };
    job.warn(format!(
        "{PLURAL}.{GROUP} {name}: saved as v1, which may refuse it when it is restored, because it \
         could not be read as {OLD}: {why}"
    ));
    object
}
