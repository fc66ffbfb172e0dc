//! Tokens of service accounts: generated ones are generated again, those that a
//! person asked for are filled in anew.

use serde_json::Value;

use super::{Context, Effects, remove_at};
use crate::restore::Rule;

pub(super) const KINDS: &[&str] = &["secrets"];

const ACCOUNT: &str = "/metadata/annotations/kubernetes.io~1service-account.name";

pub(super) fn run(secret: &mut Value, _: &Context<'_>, effects: &mut Effects) {
    if secret["type"] != "kubernetes.io/service-account-token" {
        return;
    }
    let name = secret
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let account = secret.pointer(ACCOUNT).and_then(Value::as_str);
    if account.is_some_and(|account| name.starts_with(&format!("{account}-token-"))) {
        effects.skip = Some(Rule::GeneratedToken);
        return;
    }
    remove_at(
        secret,
        "/metadata/annotations",
        &["kubernetes.io/service-account.uid"],
    );
    remove_at(secret, "/data", &["token", "ca.crt"]);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::restore::tests::act;

    fn token(name: &str) -> Value {
        json!({
            "metadata": {"name": name, "annotations": {
                "kubernetes.io/service-account.name": "web",
                "kubernetes.io/service-account.uid": "u",
            }},
            "type": "kubernetes.io/service-account-token",
            "data": {"token": "dA==", "ca.crt": "Yw==", "namespace": "bg==", "extra": "eA=="},
        })
    }

    #[test]
    fn generated_tokens_are_left_out_and_wanted_ones_emptied() {
        assert_eq!(
            act("secrets", &mut token("web-token-x2b")).skip,
            Some(Rule::GeneratedToken)
        );
        let mut wanted = token("ci");
        assert_eq!(act("secrets", &mut wanted).skip, None);
        assert_eq!(
            wanted["data"],
            json!({"namespace": "bg==", "extra": "eA=="})
        );
        assert_eq!(
            wanted["metadata"]["annotations"],
            json!({"kubernetes.io/service-account.name": "web"})
        );
    }

    #[test]
    fn other_secrets_keep_their_data() {
        let mut secret = json!({"metadata": {"name": "web-token-a"}, "type": "Opaque", "data": {"token": "dA=="}});
        let before = secret.clone();
        assert_eq!(act("secrets", &mut secret).skip, None);
        assert_eq!(secret, before);
    }
}
