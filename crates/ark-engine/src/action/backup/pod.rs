//! A pod needs the claims that it mounts and its priority class.

use serde_json::Value;

use super::{Outcome, Related};

pub(super) fn run(pod: &mut Value) -> Outcome {
    let namespace = pod["metadata"]["namespace"].as_str();
    let mut related = Vec::new();
    for volume in pod["spec"]["volumes"].as_array().into_iter().flatten() {
        if let Some(claim) = volume["persistentVolumeClaim"]["claimName"].as_str() {
            related.push(Related::new("", "persistentvolumeclaims", namespace, claim));
        }
    }
    if let Some(class) = pod["spec"]["priorityClassName"]
        .as_str()
        .filter(|c| !c.is_empty())
    {
        related.push(Related::new(
            "scheduling.k8s.io",
            "priorityclasses",
            None,
            class,
        ));
    }
    Outcome {
        changed: false,
        related,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_and_priority_class_come_along() {
        let mut pod = serde_json::json!({
            "metadata": {"namespace": "shop"},
            "spec": {"priorityClassName": "high", "volumes": [
                {"name": "a", "emptyDir": {}},
                {"name": "b", "persistentVolumeClaim": {"claimName": "data"}},
            ]}
        });
        let outcome = run(&mut pod);
        assert!(!outcome.changed);
        let names: Vec<_> = outcome
            .related
            .iter()
            .map(|r| (r.namespace.as_deref(), &*r.name))
            .collect();
        assert_eq!(names, [(Some("shop"), "data"), (None, "high")]);
    }
}
