//! Webhook configurations from older API versions: `v1` insists on a statement
//! about side effects.

use serde_json::Value;

use super::{Context, Effects};

pub(super) const KINDS: &[&str] = &[
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

pub(super) fn run(configuration: &mut Value, _: &Context<'_>, _: &mut Effects) {
    if configuration["apiVersion"] != "admissionregistration.k8s.io/v1" {
        return;
    }
    let webhooks = configuration
        .get_mut("webhooks")
        .and_then(Value::as_array_mut);
    for webhook in webhooks.into_iter().flatten() {
        if !matches!(
            webhook["sideEffects"].as_str(),
            Some("None" | "NoneOnDryRun")
        ) && let Some(webhook) = webhook.as_object_mut()
        {
            webhook.insert("sideEffects".to_owned(), "None".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::KINDS;
    use crate::action::restore::tests::act;

    #[test]
    fn side_effects_are_stated_where_v1_needs_it() {
        let webhooks = json!([{}, {"sideEffects": "Some"}, {"sideEffects": "NoneOnDryRun"}]);
        let mut v1 = json!({"apiVersion": "admissionregistration.k8s.io/v1", "webhooks": webhooks});
        act(KINDS[0], &mut v1);
        assert_eq!(
            v1["webhooks"],
            json!([{"sideEffects": "None"}, {"sideEffects": "None"}, {"sideEffects": "NoneOnDryRun"}])
        );
        let mut old =
            json!({"apiVersion": "admissionregistration.k8s.io/v1beta1", "webhooks": webhooks});
        act(KINDS[1], &mut old);
        assert_eq!(old["webhooks"], webhooks);
    }
}
