//! Service accounts: references to generated tokens point at secrets that will
//! not exist again.

use serde_json::Value;

use super::{Context, Effects};

pub(super) const KINDS: &[&str] = &["serviceaccounts"];

pub(super) fn run(account: &mut Value, _: &Context<'_>, _: &mut Effects) {
    let name = account
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let prefix = format!("{name}-token-");
    if let Some(secrets) = account.get_mut("secrets").and_then(Value::as_array_mut) {
        secrets.retain(|secret| {
            !secret["name"]
                .as_str()
                .is_some_and(|name| name.starts_with(&prefix))
        });
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::action::restore::tests::act;

    #[test]
    fn only_generated_tokens_go() {
        let mut account = json!({
            "metadata": {"name": "web"},
            "secrets": [{"name": "web-token-abc"}, {"name": "webhook-token-x"}, {"name": "registry"}],
        });
        act("serviceaccounts", &mut account);
        assert_eq!(
            account["secrets"],
            json!([{"name": "webhook-token-x"}, {"name": "registry"}])
        );
    }
}
