//! What happens to an object on its way out of a backup: traces of its old
//! cluster go, and the objects it needs are named.
//!
//! # Contract
//! An action is pure: it sees one object, already stripped of given metadata,
//! and what the restore says ([`Context`]). It changes the object in place and
//! answers through [`Effects`]. Actions of one kind run in the order of the
//! table below; one that leaves the object out ends the row.
//!
//! Objects that an action asks for are restored before the asking one, also
//! where the restore does not select cluster-scoped objects by itself.

mod admission_webhook;
mod apiservice;
mod crd_preserve_fields;
mod job;
mod pod;
mod pv;
mod pvc;
mod role_bindings;
mod secret;
mod service;
mod service_account;

use ark_archive::{GroupResource, ItemKey};
use serde_json::Value;

use crate::restore::{Mapping, Rule};

/// What the restore says that actions must know.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// New names of namespaces.
    pub mapping: &'a Mapping,
    /// Whether services keep all their node ports.
    pub preserve_node_ports: bool,
    /// Whether the object is a volume that gets a new disk with its old data.
    pub new_disk: bool,
}

/// What actions answer.
#[derive(Debug, Default)]
pub struct Effects {
    /// Objects to restore first, by their keys in the backup.
    pub additional: Vec<ItemKey>,
    /// The same, for objects that the cluster may have by itself: no warning when
    /// the backup lacks them.
    pub optional: Vec<ItemKey>,
    /// Why the object is left out, if it is.
    pub skip: Option<Rule>,
    /// What cannot be kept.
    pub warnings: Vec<String>,
}

/// One action: the kinds it is for, and what it does.
struct Action {
    kinds: &'static [&'static str],
    run: fn(&mut Value, &Context<'_>, &mut Effects),
}

const ACTIONS: &[Action] = &[
    Action {
        kinds: job::KINDS,
        run: job::run,
    },
    Action {
        kinds: pod::KINDS,
        run: pod::run,
    },
    Action {
        kinds: service::KINDS,
        run: service::run,
    },
    Action {
        kinds: service_account::KINDS,
        run: service_account::run,
    },
    Action {
        kinds: role_bindings::KINDS,
        run: role_bindings::run,
    },
    Action {
        kinds: crd_preserve_fields::KINDS,
        run: crd_preserve_fields::run,
    },
    Action {
        kinds: pvc::KINDS,
        run: pvc::run,
    },
    Action {
        kinds: pv::KINDS,
        run: pv::run,
    },
    Action {
        kinds: apiservice::KINDS,
        run: apiservice::run,
    },
    Action {
        kinds: admission_webhook::KINDS,
        run: admission_webhook::run,
    },
    Action {
        kinds: secret::KINDS,
        run: secret::run,
    },
];

/// The kinds that actions ask for; objects of them can come before their wave.
pub const ADDITIONAL_KINDS: &[&str] = &[
    "persistentvolumes",
    "persistentvolumeclaims",
    "priorityclasses.scheduling.k8s.io",
    "serviceaccounts",
];

/// Runs every action of a kind (`plural.group`).
pub fn run(group_resource: &str, object: &mut Value, context: &Context<'_>) -> Effects {
    let mut effects = Effects::default();
    for action in ACTIONS
        .iter()
        .filter(|action| action.kinds.contains(&group_resource))
    {
        (action.run)(object, context, &mut effects);
        if effects.skip.is_some() {
            break;
        }
    }
    effects
}

/// Key of an object of a core or named group.
fn key(group: &str, resource: &str, namespace: Option<&str>, name: &str) -> ItemKey {
    ItemKey {
        group_resource: GroupResource {
            resource: resource.to_owned(),
            group: group.to_owned(),
        },
        namespace: namespace.map(str::to_owned),
        name: name.to_owned(),
    }
}

/// `metadata.annotations` or another map in the object, if it is there.
fn map_at<'a>(
    object: &'a mut Value,
    pointer: &str,
) -> Option<&'a mut serde_json::Map<String, Value>> {
    object.pointer_mut(pointer)?.as_object_mut()
}

/// Removes keys from a map in the object; absent ones are fine.
fn remove_at(object: &mut Value, pointer: &str, keys: &[&str]) {
    if let Some(map) = map_at(object, pointer) {
        for key in keys {
            map.remove(*key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Runs all actions of a kind as a restore without options would, with
    /// namespace `old` mapped to `new`.
    pub(super) fn act(kind: &str, object: &mut Value) -> Effects {
        let mapping = Mapping::new(&BTreeMap::from([("old".to_owned(), "new".to_owned())]));
        run(
            kind,
            object,
            &Context {
                mapping: &mapping,
                preserve_node_ports: false,
                new_disk: false,
            },
        )
    }

    #[test]
    fn other_kinds_pass_unchanged() {
        let mut object = serde_json::json!({"metadata": {"name": "a"}, "spec": {"nodeName": "n"}});
        let before = object.clone();
        let effects = act("widgets.example.com", &mut object);
        assert_eq!(object, before);
        assert!(effects.additional.is_empty() && effects.skip.is_none());
    }
}
