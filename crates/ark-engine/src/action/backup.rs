//! What happens to an object on its way into a backup: which others it needs,
//! and which traces must not be kept.
//!
//! # Contract
//! An action is pure: it sees one object and answers [`Outcome`]. It runs only
//! for the kinds it names. Objects that it asks for are saved if the filters
//! admit them; a missing one is a warning, not an error of the asking object.

mod crd_remap;
mod pod;
mod pvc;
mod service_account;

use ark_archive::GroupResource;
use serde_json::Value;

pub use crd_remap::needs_v1beta1;
pub use service_account::roles_bound_to;

/// What an action found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Whether the object was changed.
    pub changed: bool,
    /// Objects that this one needs.
    pub related: Vec<Related>,
}

/// An object that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Related {
    /// Its kind, whatever version.
    pub group_resource: GroupResource,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Related {
    fn new(group: &str, resource: &str, namespace: Option<&str>, name: &str) -> Self {
        let group_resource = GroupResource {
            resource: resource.to_owned(),
            group: group.to_owned(),
        };
        Self {
            group_resource,
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }
}

/// An action: the kind it is for, and what it does to the object's tree.
type Action = (&'static str, fn(&mut Value) -> Outcome);

const ACTIONS: &[Action] = &[("pods", pod::run), ("persistentvolumeclaims", pvc::run)];

/// Whether any action is for this kind; others need not be parsed.
pub fn applies_to(group_resource: &str) -> bool {
    ACTIONS.iter().any(|(kind, _)| *kind == group_resource)
}

/// Runs every action of the kind.
pub fn run(group_resource: &str, object: &mut Value) -> Outcome {
    let mut all = Outcome::default();
    for (_, action) in ACTIONS.iter().filter(|(kind, _)| *kind == group_resource) {
        let outcome = action(object);
        all.changed |= outcome.changed;
        all.related.extend(outcome.related);
    }
    all
}
