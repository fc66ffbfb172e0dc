//! What may differ between an object and its restored copy, and why. The list is
//! exhaustive: whatever it does not name must be equal, to the last field.

use serde_json::Value;

use super::shop;
use super::state::Id;

/// A difference that is no loss.
pub(crate) struct Allowed {
    /// What may differ, for people.
    pub(crate) what: &'static str,
    /// Why it must.
    pub(crate) why: &'static str,
    /// Resources that it is about, `plural.group`; none for all.
    resources: &'static [&'static str],
    /// Where it stands: names separated by `/`, `*` for each element, `~1` for a
    /// `/` in a name.
    paths: &'static [&'static str],
}

/// The list, as far as it is about fields that are taken off.
const FIELDS: &[Allowed] = &[
    Allowed {
        what: "uid, resourceVersion, creationTimestamp, generation",
        why: "each API server gives its own",
        resources: &[],
        paths: &[
            "metadata/uid",
            "metadata/resourceVersion",
            "metadata/creationTimestamp",
            "metadata/generation",
        ],
    },
    Allowed {
        what: "status",
        why: "controllers observe it anew",
        resources: &[],
        paths: &["status"],
    },
    Allowed {
        what: "uids in references to owners and claims",
        why: "the names they go by are compared",
        resources: &[],
        paths: &[
            "metadata/ownerReferences/*/uid",
            "spec/claimRef/uid",
            "spec/claimRef/resourceVersion",
        ],
    },
    Allowed {
        what: "generateName",
        why: "what is restored has its name already",
        resources: &[],
        paths: &["metadata/generateName"],
    },
    Allowed {
        what: "labels velero.io/backup-name, velero.io/restore-name",
        why: "they tell which restore made the object",
        resources: &[],
        paths: &[
            "metadata/labels/velero.io~1backup-name",
            "metadata/labels/velero.io~1restore-name",
        ],
    },
    Allowed {
        what: "annotation bound-by-controller of claims",
        why: "a restored claim asks for its volume by name",
        resources: &["persistentvolumeclaims"],
        paths: &["metadata/annotations/pv.kubernetes.io~1bound-by-controller"],
    },
    Allowed {
        what: "node and annotations of pods",
        why: "given by scheduler and network; templates are compared",
        resources: &["pods"],
        paths: &["spec/nodeName", "metadata/annotations"],
    },
];

const ADDRESSES: Allowed = Allowed {
    what: "cluster addresses of services",
    why: "they belong to a cluster's network; headless stays headless",
    resources: &["services"],
    paths: &["spec/clusterIP", "spec/clusterIPs"],
};

const OWNERSHIP: Allowed = Allowed {
    what: "managedFields: times, and entries of controllers",
    why: "the entries of who deployed the application are compared",
    resources: &[],
    paths: &["metadata/managedFields"],
};

const DERIVED: Allowed = Allowed {
    what: "events, endpoints, leases, kube-root-ca.crt",
    why: "left out: each cluster makes its own",
    resources: &[],
    paths: &[],
};

/// Resources that are not looked at: the cluster makes and keeps them from others.
pub(crate) const LEFT_OUT: [&str; 6] = [
    "events",
    "events.events.k8s.io",
    "endpoints",
    "endpointslices.discovery.k8s.io",
    "leases.coordination.k8s.io",
    "pods.metrics.k8s.io",
];

/// The certificate of a cluster, which it puts into every namespace.
const CLUSTER_CERTIFICATE: &str = "kube-root-ca.crt";

/// All entries, for people.
pub(crate) fn list() -> impl Iterator<Item = &'static Allowed> {
    FIELDS.iter().chain([&ADDRESSES, &OWNERSHIP, &DERIVED])
}

/// Objects that are not compared: each cluster makes its own.
pub(crate) fn is_made_by_the_cluster(id: &Id) -> bool {
    LEFT_OUT.contains(&id.resource.as_str())
        || (id.resource == "configmaps" && id.name == CLUSTER_CERTIFICATE)
}

/// Takes off an object what may differ.
pub(crate) fn reduce(id: &Id, object: &mut Value) {
    for allowed in FIELDS {
        take_off(allowed, id, object);
    }
    if object["spec"]["clusterIP"] != "None" {
        take_off(&ADDRESSES, id, object);
    }
    let ownership = object.pointer_mut("/metadata/managedFields");
    if let Some(entries) = ownership.and_then(Value::as_array_mut) {
        entries.retain(|entry| entry["manager"] == shop::MANAGER);
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            entry.remove("time");
        }
        if entries.is_empty() {
            take_off(&OWNERSHIP, id, object);
        }
    }
    // No label and none that counts are the same.
    for map in ["labels", "annotations"] {
        if object["metadata"][map]
            .as_object()
            .is_some_and(serde_json::Map::is_empty)
        {
            remove(object, &["metadata", map]);
        }
    }
}

fn take_off(allowed: &Allowed, id: &Id, object: &mut Value) {
    if allowed.resources.is_empty() || allowed.resources.contains(&id.resource.as_str()) {
        for path in allowed.paths {
            let names: Vec<&str> = path.split('/').collect();
            remove(object, &names);
        }
    }
}

fn remove(value: &mut Value, path: &[&str]) {
    let [name, rest @ ..] = path else { return };
    if let (Value::Array(elements), "*") = (&mut *value, *name) {
        for element in elements {
            remove(element, rest);
        }
        return;
    }
    let Value::Object(map) = value else { return };
    let name = name.replace("~1", "/");
    if rest.is_empty() {
        map.remove(&name);
    } else if let Some(inner) = map.get_mut(&name) {
        remove(inner, rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn id(resource: &str) -> Id {
        Id {
            resource: resource.to_owned(),
            namespace: "shop".to_owned(),
            name: "a".to_owned(),
        }
    }

    #[test]
    fn only_what_is_named_goes() {
        let mut service = json!({
            "metadata": {
                "name": "a", "uid": "u", "labels": {"velero.io/backup-name": "b"},
                "ownerReferences": [{"name": "o", "uid": "u"}],
                "managedFields": [
                    {"manager": "shop-deploy", "time": "t", "fieldsV1": {"f:spec": {}}},
                    {"manager": "kube-controller-manager"},
                ],
            },
            "spec": {"clusterIP": "10.0.0.1", "ports": [{"port": 80}]},
            "status": {},
        });
        reduce(&id("services"), &mut service);
        let expected = json!({
            "metadata": {
                "name": "a",
                "ownerReferences": [{"name": "o"}],
                "managedFields": [{"manager": "shop-deploy", "fieldsV1": {"f:spec": {}}}],
            },
            "spec": {"ports": [{"port": 80}]},
        });
        assert_eq!(service, expected);
    }

    #[test]
    fn headless_services_and_other_kinds_keep_their_fields() {
        let mut service = json!({"spec": {"clusterIP": "None", "nodeName": "n"}});
        let before = service.clone();
        reduce(&id("services"), &mut service);
        assert_eq!(service, before);
    }
}
