//! From the bytes at a place in the archive to an object and the kind under
//! which the cluster takes it. Trusts no place: an object must be what its path
//! says.

use ark_archive::{Entry, ItemKey};
use bytes::Bytes;

use crate::archive::{Archive, LoadError};
use crate::object::Object;
use crate::outcome::describe;
use crate::port::ApiResource;

/// An object of the backup that the cluster can take.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub object: Object,
    /// The bytes of the object.
    pub stored: Bytes,
    /// The kind in the object's version.
    pub resource: ApiResource,
}

/// Parses the bytes at the place of `key` and checks that they are that object.
pub(super) fn parse(key: &ItemKey, stored: &Bytes) -> Result<Object, String> {
    let object = Object::parse(stored.clone()).map_err(|error| error.to_string())?;
    let head = object.head();
    if head.name == key.name && head.namespace == key.namespace {
        return Ok(object);
    }
    let own = ItemKey {
        namespace: head.namespace.clone(),
        name: head.name.clone(),
        ..key.clone()
    };
    Err(format!(
        "the object at this place in the archive calls itself {}",
        describe(&own)
    ))
}

/// Finds the served kind of an object's version; where the cluster does not serve
/// that version, a copy of the object in one that it does.
pub(super) async fn in_served_version(
    archive: &Archive,
    key: &ItemKey,
    object: Object,
    stored: Bytes,
    served: &[ApiResource],
) -> Result<Result<Opened, String>, LoadError> {
    let find = |object: &Object| {
        let version = &object.head().api_version;
        served
            .iter()
            .find(|one| one.api_version() == *version)
            .cloned()
    };
    if let Some(resource) = find(&object) {
        return Ok(Ok(Opened {
            object,
            stored,
            resource,
        }));
    }
    let usable = |entry: &Entry<'_>| {
        served
            .iter()
            .any(|one| Some(one.version.as_str()) == entry.version())
    };
    let copies: Vec<_> = archive.catalog().copies(key).filter(usable).collect();
    for entry in copies {
        let stored = archive.read_entry(&entry).await?;
        if let Ok(object) = parse(key, &stored)
            && let Some(resource) = find(&object)
        {
            return Ok(Ok(Opened {
                object,
                stored,
                resource,
            }));
        }
    }
    let versions: Vec<_> = served.iter().map(ApiResource::api_version).collect();
    Ok(Err(format!(
        "saved as `{}`, which the cluster does not serve; it serves {}",
        object.head().api_version,
        if versions.is_empty() {
            "no version of it".to_owned()
        } else {
            versions.join(", ")
        },
    )))
}
