//! Pods: they are scheduled anew, get a new token, and need their claims, their
//! priority class and their service account first.

use serde_json::Value;

use super::{Context, Effects, key, remove_at};

pub(super) const KINDS: &[&str] = &["pods"];

/// Annotations by which a pod asks for hooks after it is restored.
const HOOK_PREFIXES: &[&str] = &[
    "post.hook.restore.velero.io/",
    "init.hook.restore.velero.io/",
];

pub(super) fn run(pod: &mut Value, _: &Context<'_>, effects: &mut Effects) {
    remove_at(pod, "/spec", &["nodeName", "priority"]);
    drop_token_volumes(pod);
    if let Some(class) = pod
        .pointer("/spec/priorityClassName")
        .and_then(Value::as_str)
        && !class.is_empty()
    {
        effects
            .additional
            .push(key("scheduling.k8s.io", "priorityclasses", None, class));
    }
    let namespace = pod.pointer("/metadata/namespace").and_then(Value::as_str);
    effects
        .optional
        .push(key("", "serviceaccounts", namespace, account(pod)));
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array);
    for volume in volumes.into_iter().flatten() {
        if let Some(claim) = volume
            .pointer("/persistentVolumeClaim/claimName")
            .and_then(Value::as_str)
        {
            effects
                .additional
                .push(key("", "persistentvolumeclaims", namespace, claim));
        }
    }
    warn_of_hooks(pod, effects);
}

/// Older clusters put the token of the service account into the pod as a
/// volume of its generated secret, which will not exist again.
fn drop_token_volumes(pod: &mut Value) {
    let prefix = format!("{}-token-", account(pod));
    let is_token = |entry: &Value| {
        entry["name"]
            .as_str()
            .is_some_and(|name| name.starts_with(&prefix))
    };
    if let Some(volumes) = pod
        .pointer_mut("/spec/volumes")
        .and_then(Value::as_array_mut)
    {
        volumes.retain(|volume| !is_token(volume));
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        let containers = pod
            .pointer_mut(&format!("/spec/{list}"))
            .and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if let Some(mounts) = container
                .get_mut("volumeMounts")
                .and_then(Value::as_array_mut)
            {
                mounts.retain(|mount| !is_token(mount));
            }
        }
    }
}

/// Name of the pod's service account.
fn account(pod: &Value) -> &str {
    let name = pod
        .pointer("/spec/serviceAccountName")
        .and_then(Value::as_str);
    name.filter(|name| !name.is_empty()).unwrap_or("default")
}

fn warn_of_hooks(pod: &Value, effects: &mut Effects) {
    let annotations = pod
        .pointer("/metadata/annotations")
        .and_then(Value::as_object);
    let hooked = annotations.is_some_and(|map| {
        map.keys()
            .any(|name| HOOK_PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
    });
    if hooked {
        effects.warnings.push(
            "the pod's annotations ask for hooks after the restore, which this version does not run"
                .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::action::restore::tests::act;
    use crate::outcome::describe;

    #[test]
    fn a_pod_forgets_its_node_and_its_token() {
        let mounts = json!([{"name": "web-token-x1"}, {"name": "data"}]);
        let mut pod = json!({
            "metadata": {"name": "p", "namespace": "shop",
                "annotations": {"post.hook.restore.velero.io/command": "x"}},
            "spec": {
                "nodeName": "n1", "priority": 10, "priorityClassName": "high",
                "serviceAccountName": "web",
                "volumes": [
                    {"name": "web-token-x1", "secret": {}},
                    {"name": "data", "persistentVolumeClaim": {"claimName": "d"}},
                ],
                "containers": [{"name": "c", "volumeMounts": mounts}],
                "initContainers": [{"name": "i", "volumeMounts": mounts}],
            }
        });
        let effects = act("pods", &mut pod);
        assert_eq!(
            pod["spec"],
            json!({
                "priorityClassName": "high", "serviceAccountName": "web",
                "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "d"}}],
                "containers": [{"name": "c", "volumeMounts": [{"name": "data"}]}],
                "initContainers": [{"name": "i", "volumeMounts": [{"name": "data"}]}],
            })
        );
        let needs: Vec<_> = effects.additional.iter().map(describe).collect();
        assert_eq!(
            needs,
            [
                "priorityclasses.scheduling.k8s.io high",
                "persistentvolumeclaims shop/d"
            ]
        );
        let accounts: Vec<_> = effects.optional.iter().map(describe).collect();
        assert_eq!(accounts, ["serviceaccounts shop/web"]);
        assert_eq!(effects.warnings.len(), 1);
    }
}
