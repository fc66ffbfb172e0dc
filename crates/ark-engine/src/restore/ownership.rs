//! Who owns which fields (`metadata.managedFields`) after a restore. Pure.
//!
//! Tools that apply objects again and again depend on it, so an object must
//! return with its owners, and a restore must not become one of them.
//!
//! The API server honours `managedFields` in a create, and then hands *every*
//! field of the object to the manager that the request names, taking it from
//! all others. So one request is enough exactly when one manager owned the whole
//! object by ordinary updates: the request is sent in that manager's name. Its
//! entry is told apart by name, operation and API version. Owners of the status,
//! which a create ignores, do not matter. In every other case (server-side
//! apply, several managers) the object is created in the name of
//! [`PASSING_MANAGER`] and the stored list is patched in afterwards; that
//! manager in a live object means that the second request is still missing.

use serde_json::{Value, json};

/// Owns the fields of an object between the two requests.
pub(crate) const PASSING_MANAGER: &str = "ark-restore";

/// How an object gets its owners back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ownership {
    /// Nothing is stored about owners.
    Unknown,
    /// By the create alone, in this manager's name.
    Create(String),
    /// By a patch after the create: `{"metadata":{"managedFields":…}}`.
    Patch(Value),
}

impl Ownership {
    /// The field manager to create with; `None` means the adapter's own.
    pub(crate) fn manager(&self) -> Option<&str> {
        match self {
            Self::Unknown => None,
            Self::Create(manager) => Some(manager),
            Self::Patch(_) => Some(PASSING_MANAGER),
        }
    }
}

/// Decides for an object as stored.
pub(crate) fn of(object: &Value) -> Ownership {
    let stored = object.pointer("/metadata/managedFields");
    let Some(entries) = stored
        .and_then(Value::as_array)
        .filter(|entries| !entries.is_empty())
    else {
        return Ownership::Unknown;
    };
    match sole_updater(entries, object["apiVersion"].as_str().unwrap_or_default()) {
        Some(manager) => Ownership::Create(manager.to_owned()),
        None => rewrite(object),
    }
}

/// Ownership by a patch, whatever the owners, for objects that need more
/// requests after the create anyway.
pub(crate) fn rewrite(object: &Value) -> Ownership {
    match object.pointer("/metadata/managedFields") {
        Some(stored @ Value::Array(entries)) if !entries.is_empty() => {
            Ownership::Patch(json!({"metadata": {"managedFields": stored}}))
        }
        _ => Ownership::Unknown,
    }
}

/// Whether a live object still waits for its owners.
pub(crate) fn is_unfinished(live: &Value) -> bool {
    let entries = live
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .any(|entry| entry["manager"] == PASSING_MANAGER)
}

fn sole_updater<'a>(entries: &'a [Value], api_version: &str) -> Option<&'a str> {
    let mut sole = None;
    for entry in entries {
        if entry["subresource"]
            .as_str()
            .is_some_and(|name| !name.is_empty())
        {
            if owns_only_status(entry) {
                continue;
            }
            return None;
        }
        let fits = entry["operation"] == "Update" && entry["apiVersion"] == api_version;
        if sole.is_some() || !fits {
            return None;
        }
        sole = entry["manager"]
            .as_str()
            .filter(|manager| is_sendable(manager));
        sole?;
    }
    sole
}

fn owns_only_status(entry: &Value) -> bool {
    let fields = entry["fieldsV1"].as_object();
    fields.is_some_and(|fields| fields.keys().all(|key| key == "f:status"))
}

/// What the API takes as `fieldManager`: printable, at most 128 characters.
fn is_sendable(manager: &str) -> bool {
    !manager.is_empty()
        && manager.chars().count() <= 128
        && manager.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn object(entries: &[Value]) -> Value {
        json!({"apiVersion": "v1", "metadata": {"name": "a", "managedFields": entries}})
    }

    fn with(mut entry: Value, key: &str, value: &str) -> Value {
        entry[key] = value.into();
        entry
    }

    #[test]
    fn one_updater_needs_one_request() {
        let data = json!({"f:data": {}});
        let status = with(
            entry("kubelet", "Update", &json!({"f:status": {}})),
            "subresource",
            "status",
        );
        let sole = object(&[entry("helm", "Update", &data), status]);
        assert_eq!(of(&sole), Ownership::Create("helm".into()));
        assert_eq!(of(&sole).manager(), Some("helm"));
        assert_eq!(of(&object(&[])), Ownership::Unknown);
        assert_eq!(of(&json!({"metadata": {}})), Ownership::Unknown);
    }

    #[test]
    fn appliers_and_crowds_need_two() {
        let data = json!({"f:data": {}});
        let revision = json!({"f:metadata": {"f:annotations": {}}, "f:status": {}});
        for entries in [
            vec![entry("flux", "Apply", &data)],
            vec![
                entry("helm", "Update", &data),
                entry("kubectl", "Update", &data),
            ],
            vec![with(entry("helm", "Update", &data), "apiVersion", "v2")],
            vec![entry("", "Update", &data)],
            vec![
                entry("helm", "Update", &data),
                with(entry("kcm", "Update", &revision), "subresource", "status"),
            ],
            vec![with(
                entry("hpa", "Update", &json!({"f:status": {}})),
                "subresource",
                "status",
            )],
        ] {
            let object = object(&entries);
            let ownership = of(&object);
            assert_eq!(ownership, rewrite(&object), "{entries:?}");
            assert_eq!(ownership.manager(), Some(PASSING_MANAGER));
        }
    }

    #[test]
    fn the_passing_manager_tells_of_a_missing_request() {
        let data = json!({"f:data": {}});
        assert!(is_unfinished(&object(&[entry(
            PASSING_MANAGER,
            "Update",
            &data
        )])));
        assert!(!is_unfinished(&object(&[entry("helm", "Update", &data)])));
    }
}
