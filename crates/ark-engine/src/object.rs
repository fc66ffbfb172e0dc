//! An API object as the engine carries it: JSON bytes with a parsed head.
//!
//! The body is never turned into a tree unless an action must look inside, and
//! is written as it came.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer as _};
use serde_json::Value;

/// The few metadata fields that selection and naming need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// `apiVersion`, such as `apps/v1`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`, absent on cluster-scoped objects.
    pub namespace: Option<String>,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// Whether `metadata.deletionTimestamp` is set.
    pub deleting: bool,
}

/// One API object: raw JSON and its [`Head`].
#[derive(Debug, Clone)]
pub struct Object {
    head: Head,
    /// `{"apiVersion":…,"kind":…` to put before `body[1..]` where the server left it out.
    type_prefix: Option<Arc<str>>,
    body: Bytes,
}

/// Bytes that are not an API object.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// Not JSON, or not of an object's shape.
    #[error("not an API object")]
    Parse(#[source] serde_json::Error),
    /// `metadata.name` is missing.
    #[error("an API object without `metadata.name`")]
    Unnamed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMeta<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uid: Cow<'a, str>,
    #[serde(borrow, default)]
    resource_version: Cow<'a, str>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    deletion_timestamp: Option<IgnoredAny>,
}

impl Object {
    /// Parses the head of a complete object.
    pub fn parse(body: Bytes) -> Result<Self, ObjectError> {
        let head = parse_head(&body, false)?;
        Ok(Self {
            head,
            type_prefix: None,
            body,
        })
    }

    /// An element of a list, whose `apiVersion` and `kind` the server may have
    /// left out because the list has them. `prefix` comes from [`type_prefix`].
    pub fn from_list(
        body: Bytes,
        api_version: &str,
        kind: &str,
        prefix: &Arc<str>,
    ) -> Result<Self, ObjectError> {
        let mut head = parse_head(&body, lacks_type(&body))?;
        let bare = head.api_version.is_empty() && head.kind.is_empty();
        if bare {
            api_version.clone_into(&mut head.api_version);
            kind.clone_into(&mut head.kind);
        }
        Ok(Self {
            head,
            type_prefix: bare.then(|| Arc::clone(prefix)),
            body,
        })
    }

    /// An object from a tree, as actions leave it.
    pub fn from_value(value: &Value) -> Result<Self, ObjectError> {
        let body = serde_json::to_vec(value).map_err(ObjectError::Parse)?;
        Self::parse(Bytes::from(body))
    }

    /// The parsed head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Appends the object's JSON to `out`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match &self.type_prefix {
            Some(prefix) => {
                out.extend_from_slice(prefix.as_bytes());
                out.extend_from_slice(&self.body[1..]);
            }
            None => out.extend_from_slice(&self.body),
        }
    }

    /// The object's JSON in one piece.
    pub fn json(&self) -> Bytes {
        if self.type_prefix.is_none() {
            return self.body.clone();
        }
        let mut out = Vec::new();
        self.write_json(&mut out);
        Bytes::from(out)
    }

    /// The object as a tree; costs many times its bytes in memory.
    pub fn to_value(&self) -> Result<Value, ObjectError> {
        serde_json::from_slice(&self.json()).map_err(ObjectError::Parse)
    }

    /// The same object in memory of its own, where it does not keep the page alive
    /// that it came with.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self {
            body: Bytes::copy_from_slice(&self.body),
            ..self.clone()
        }
    }

    /// Size of the body in bytes, without a type prefix.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether the body is empty; never true of a parsed object.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

/// Builds the text that [`Object::from_list`] puts before bare list items.
pub fn type_prefix(api_version: &str, kind: &str) -> Arc<str> {
    let api_version = Value::from(api_version);
    let kind = Value::from(kind);
    Arc::from(format!("{{\"apiVersion\":{api_version},\"kind\":{kind},"))
}

/// Whether nothing in the object is called `kind`, as in most elements of lists.
/// A quote inside a string is escaped, so text cannot look like a name.
fn lacks_type(body: &[u8]) -> bool {
    memmem::find(body, b"\"kind\":").is_none()
}

/// What has been read of an object's head so far.
#[derive(Default)]
struct RawHead<'a> {
    api_version: Cow<'a, str>,
    kind: Cow<'a, str>,
    metadata: Option<RawMeta<'a>>,
    /// There is no `kind` to wait for.
    bare: bool,
}

impl RawHead<'_> {
    /// Nothing of the head can follow any more: API servers write `apiVersion`
    /// before `kind` or right after it, and both before `metadata`.
    fn is_complete(&self) -> bool {
        let typed = !self.kind.is_empty() && !self.api_version.is_empty();
        self.metadata.is_some() && (typed || self.bare)
    }
}

/// Reads members of an object into a head until it is complete, then stops.
struct HeadVisitor<'h, 'a>(&'h mut RawHead<'a>);

impl<'de> Visitor<'de> for HeadVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an API object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<Cow<'de, str>>()? {
            match name.as_ref() {
                "apiVersion" => self.0.api_version = members.next_value::<Text<'de>>()?.0,
                "kind" => self.0.kind = members.next_value::<Text<'de>>()?.0,
                "metadata" => self.0.metadata = Some(members.next_value()?),
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
            if self.0.is_complete() {
                break;
            }
        }
        Ok(())
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads the head and no more: what follows it is most of the object.
fn parse_head(body: &[u8], bare: bool) -> Result<Head, ObjectError> {
    let mut raw = RawHead {
        bare,
        ..RawHead::default()
    };
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = json.deserialize_map(HeadVisitor(&mut raw));
    // Stopping early is an error to the parser, and what we want.
    if let (Err(error), false) = (read, raw.is_complete()) {
        return Err(ObjectError::Parse(error));
    }
    let Some(metadata) = raw.metadata.filter(|metadata| !metadata.name.is_empty()) else {
        return Err(ObjectError::Unnamed);
    };
    Ok(Head {
        api_version: raw.api_version.into_owned(),
        kind: raw.kind.into_owned(),
        name: metadata.name.into_owned(),
        namespace: metadata
            .namespace
            .map(Cow::into_owned)
            .filter(|n| !n.is_empty()),
        uid: metadata.uid.into_owned(),
        resource_version: metadata.resource_version.into_owned(),
        labels: metadata.labels.unwrap_or_default(),
        deleting: metadata.deletion_timestamp.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_list_items_get_their_type() {
        let prefix = type_prefix("v1", "Pod");
        let body = Bytes::from_static(b"{\"metadata\":{\"name\":\"a\",\"namespace\":\"n\"}}");
        let object = Object::from_list(body, "v1", "Pod", &prefix).unwrap();
        let value = object.to_value().unwrap();
        assert_eq!(value["apiVersion"], "v1");
        assert_eq!(value["kind"], "Pod");
        assert_eq!(object.head().namespace.as_deref(), Some("n"));
    }

    #[test]
    fn a_type_after_the_metadata_is_found() {
        let prefix = type_prefix("v1", "Pod");
        let text =
            br#"{"metadata":{"name":"a"},"spec":{"kind":"x"},"kind":"Pod","apiVersion":"v1"}"#;
        let object = Object::from_list(Bytes::from_static(text), "v1", "Pod", &prefix).unwrap();
        assert_eq!(object.head().kind, "Pod");
        assert_eq!(&object.json()[..], text, "no second type is put before it");
    }

    #[test]
    fn complete_objects_pass_byte_for_byte() {
        let text = b"{ \"kind\":\"Pod\", \"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\"} , \"z\": 1.0}";
        let object = Object::parse(Bytes::from_static(text)).unwrap();
        assert_eq!(&object.json()[..], text);
    }

    #[test]
    fn a_deletion_timestamp_is_seen_and_null_is_not() {
        let with = |stamp: &str| {
            let text = format!("{{\"metadata\":{{\"name\":\"a\",\"deletionTimestamp\":{stamp}}}}}");
            Object::parse(Bytes::from(text)).unwrap().head().deleting
        };
        assert!(with("\"2026-01-01T00:00:00Z\""));
        assert!(!with("null"));
    }

    #[test]
    fn nameless_bytes_are_refused() {
        assert!(matches!(
            Object::parse(Bytes::from_static(b"{\"metadata\":{}}")),
            Err(ObjectError::Unnamed)
        ));
        assert!(matches!(
            Object::parse(Bytes::from_static(b"[]")),
            Err(ObjectError::Parse(_))
        ));
    }
}
