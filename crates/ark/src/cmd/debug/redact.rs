//! What must not be in a bundle: credentials that people put into configs, and
//! addresses that carry their own key.

use ark_api::label::LAST_APPLIED;
use serde_json::Value;

/// What stands where something was taken out.
const REDACTED: &str = "<redacted>";
/// Parts of keys whose values are credentials.
const SECRET_WORDS: [&str; 6] = [
    "password",
    "secretkey",
    "accesskey",
    "token",
    "privatekey",
    "connectionstring",
];
/// The object without credentials. References to Secrets stay: they are names.
pub(super) fn redacted(mut object: Value) -> Value {
    walk(&mut object);
    object
}

fn walk(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.remove(LAST_APPLIED);
            entries.remove("managedFields");
            for (key, value) in entries.iter_mut() {
                if value.is_string() && is_secret(key) {
                    *value = Value::from(REDACTED);
                } else {
                    walk(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(walk),
        Value::String(text) => without_keys(text),
        _ => {}
    }
}

fn is_secret(key: &str) -> bool {
    let plain: String = key
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

/// Takes user, password and query out of an address.
fn without_keys(text: &mut String) {
    let Ok(mut address) = url::Url::parse(text) else {
        return;
    };
    if !address.has_host() {
        return;
    }
    let has_user = !address.username().is_empty() || address.password().is_some();
    if !has_user && address.query().is_none() {
        return;
    }
    let _ = address.set_username("");
    let _ = address.set_password(None);
    if address.query().is_some() {
        address.set_query(Some(REDACTED));
    }
    *text = address.to_string();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn credentials_are_masked_and_the_rest_stays() {
        let object = json!({
            "metadata": {"name": "default", "annotations": {LAST_APPLIED: "{}", "a": "b"}},
            "spec": {
                "config": {
                    "region": "eu-1", "s3Url": "http://user:word@minio:9000/",
                    "secretAccessKey": "x", "storageAccountKeyEnvVar": "AZURE_KEY", "apiToken": "y",
                },
                "credential": {"name": "cloud-credentials", "key": "cloud"},
            },
            "status": {"downloadURL": "https://s3.example.com/b/c?X-Amz-Signature=1"},
        });
        assert_eq!(
            redacted(object),
            json!({
                "metadata": {"name": "default", "annotations": {"a": "b"}},
                "spec": {
                    "config": {
                        "region": "eu-1", "s3Url": "http://minio:9000/",
                        "secretAccessKey": REDACTED, "storageAccountKeyEnvVar": "AZURE_KEY",
                        "apiToken": REDACTED,
                    },
                    "credential": {"name": "cloud-credentials", "key": "cloud"},
                },
                "status": {"downloadURL": "https://s3.example.com/b/c?%3Credacted%3E"},
            })
        );
    }
}
