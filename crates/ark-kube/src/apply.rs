//! Installing and removing a list of manifests, as `ark install` does.
//!
//! Server-side apply with the field manager `ark`: running it twice changes
//! nothing, fields of others stay. Only for objects that are Ark's own. The order
//! is the caller's; definitions are awaited before the first object of theirs.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::time::Duration;

use ark_engine::object::{Object, ObjectError};
use ark_engine::port::{ApiResource, Cluster as _, ClusterError, Target};
use bytes::Bytes;
use http::Method;
use serde_json::Value;

use crate::call::Call;
use crate::cluster::{FIELD_MANAGER, object};
use crate::connect::Connection;
use crate::path;
use crate::wait::{self, WaitError};

const APPLY_PATCH: &str = "application/apply-patch+yaml";

/// What became of one manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The object: `deployments.apps heptio-ark/ark`.
    pub object: String,
    /// What was done.
    pub change: Change,
}

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Created,
    /// It differed.
    Changed,
    /// It was as it should be.
    Unchanged,
    /// It was deleted, or its deletion has begun.
    Deleted,
    /// There was nothing to delete.
    Absent,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Absent => "absent",
        })
    }
}

/// How to apply.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// Take over fields that another manager set to other values.
    pub force: bool,
    /// Validate and admit, but persist nothing.
    pub dry_run: bool,
    /// How long to wait for each definition to be served.
    pub definition_timeout: Duration,
}

impl Default for ApplyOptions {
    fn default() -> Self {
        Self {
            force: true,
            dry_run: false,
            definition_timeout: Duration::from_mins(1),
        }
    }
}

/// Why manifests could not be applied or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A manifest is not an API object.
    #[error("manifest {index} is not an API object")]
    Manifest {
        /// Its place in the list, from 0.
        index: usize,
        /// What is missing.
        #[source]
        source: ObjectError,
    },
    /// The server has no such kind.
    #[error("the server does not know the kind {kind} ({api_version}) of `{name}`")]
    UnknownKind {
        /// `apiVersion` of the manifest.
        api_version: String,
        /// `kind` of the manifest.
        kind: String,
        /// Name in the manifest.
        name: String,
    },
    /// A manifest of a namespaced kind names no namespace.
    #[error("the {kind} `{name}` needs a namespace")]
    NoNamespace {
        /// `kind` of the manifest.
        kind: String,
        /// Name in the manifest.
        name: String,
    },
    /// A call failed.
    #[error(transparent)]
    Call(#[from] ClusterError),
    /// A definition was not served.
    #[error(transparent)]
    Wait(#[from] WaitError),
}

/// Applies manifests in their order. `report` hears of each as it is done.
///
/// # Errors
/// The first failure ends it; running it again goes on from there.
pub async fn apply(
    connection: &Connection,
    manifests: &[Value],
    options: &ApplyOptions,
    mut report: impl FnMut(&Applied),
) -> Result<Vec<Applied>, ApplyError> {
    let objects = parse(manifests)?;
    let mut kinds = Kinds::discover(connection).await?;
    let mut done = Vec::with_capacity(objects.len());
    for (manifest, value) in objects.iter().zip(manifests) {
        let resource = kinds
            .of(connection, manifest, options.definition_timeout)
            .await?;
        let applied = apply_one(connection, &resource, manifest, options).await?;
        if manifest.head().kind == "CustomResourceDefinition" && !options.dry_run {
            kinds.defines(value);
        }
        report(&applied);
        done.push(applied);
    }
    // Nobody should be told "installed" while a definition is not served yet.
    kinds.settle(connection, options.definition_timeout).await?;
    Ok(done)
}

/// Deletes manifests, last one first; absent objects and unknown kinds are fine.
/// With `wait`, waits that long for each to be gone.
pub async fn delete(
    connection: &Connection,
    manifests: &[Value],
    wait: Option<Duration>,
    mut report: impl FnMut(&Applied),
) -> Result<Vec<Applied>, ApplyError> {
    let objects = parse(manifests)?;
    let kinds = Kinds::discover(connection).await?;
    let mut targets = Vec::new();
    let mut done = Vec::new();
    for manifest in objects.iter().rev() {
        let applied = match kinds.find(manifest) {
            None => Applied {
                object: format!("{} {}", manifest.head().kind, manifest.head().name),
                change: Change::Absent,
            },
            Some(resource) => {
                targets.push((resource.clone(), manifest));
                let target = target(&resource, manifest)?;
                let found = connection.delete(target).await?;
                Applied {
                    object: target.to_string(),
                    change: if found {
                        Change::Deleted
                    } else {
                        Change::Absent
                    },
                }
            }
        };
        report(&applied);
        done.push(applied);
    }
    if let Some(timeout) = wait {
        for (resource, manifest) in &targets {
            wait::object_gone(connection, target(resource, manifest)?, timeout).await?;
        }
    }
    Ok(done)
}

fn parse(manifests: &[Value]) -> Result<Vec<Object>, ApplyError> {
    manifests
        .iter()
        .enumerate()
        .map(|(index, value)| {
            Object::from_value(value).map_err(|source| ApplyError::Manifest { index, source })
        })
        .collect()
}

fn target<'a>(resource: &'a ApiResource, manifest: &'a Object) -> Result<Target<'a>, ApplyError> {
    let head = manifest.head();
    if resource.namespaced && head.namespace.is_none() {
        return Err(ApplyError::NoNamespace {
            kind: head.kind.clone(),
            name: head.name.clone(),
        });
    }
    Ok(Target {
        resource,
        namespace: head.namespace.as_deref(),
        name: &head.name,
    })
}

async fn apply_one(
    connection: &Connection,
    resource: &ApiResource,
    manifest: &Object,
    options: &ApplyOptions,
) -> Result<Applied, ApplyError> {
    let target = target(resource, manifest)?;
    let before = connection.get(target).await?;
    let after = send(connection, target, manifest.json(), options).await?;
    let change = match before {
        None => Change::Created,
        Some(before) if before.head().resource_version == after.head().resource_version => {
            Change::Unchanged
        }
        Some(_) => Change::Changed,
    };
    Ok(Applied {
        object: target.to_string(),
        change,
    })
}

async fn send(
    connection: &Connection,
    target: Target<'_>,
    body: Bytes,
    options: &ApplyOptions,
) -> Result<Object, ClusterError> {
    let mut url = path::object(target.resource, target.namespace, target.name);
    url.push_str("?fieldManager=");
    url.push_str(FIELD_MANAGER);
    if options.force {
        url.push_str("&force=true");
    }
    if options.dry_run {
        url.push_str("&dryRun=All");
    }
    let operation = format!("apply {target}");
    let call = Call::write(Method::PATCH, url, Some((body, APPLY_PATCH)), operation);
    let answer = connection.call(&call).await?;
    object(&call.operation, answer)
}

/// What kinds there are, and which are about to be.
struct Kinds {
    /// By `apiVersion` and kind.
    known: HashMap<(String, String), ApiResource>,
    /// Definitions applied here whose being served was not seen yet: name by group.
    pending: HashSet<(String, String)>,
}

impl Kinds {
    async fn discover(connection: &Connection) -> Result<Self, ClusterError> {
        let discovery = connection.discover().await?;
        let known = discovery
            .resources
            .into_iter()
            .map(|resource| ((resource.api_version(), resource.kind.clone()), resource))
            .collect();
        Ok(Self {
            known,
            pending: HashSet::new(),
        })
    }

    fn find(&self, manifest: &Object) -> Option<ApiResource> {
        let head = manifest.head();
        let key = (head.api_version.clone(), head.kind.clone());
        self.known.get(&key).cloned()
    }

    fn defines(&mut self, definition: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let group = text(&definition["spec"]["group"]);
        self.pending
            .insert((group, text(&definition["metadata"]["name"])));
    }

    async fn of(
        &mut self,
        connection: &Connection,
        manifest: &Object,
        timeout: Duration,
    ) -> Result<ApiResource, ApplyError> {
        let head = manifest.head();
        let group = head
            .api_version
            .rsplit_once('/')
            .map_or("", |(group, _)| group);
        if self.pending.iter().any(|(pending, _)| pending == group) {
            self.settle(connection, timeout).await?;
            *self = Self::discover(connection).await?;
        }
        self.find(manifest).ok_or_else(|| ApplyError::UnknownKind {
            api_version: head.api_version.clone(),
            kind: head.kind.clone(),
            name: head.name.clone(),
        })
    }

    async fn settle(
        &mut self,
        connection: &Connection,
        timeout: Duration,
    ) -> Result<(), WaitError> {
        for (_, name) in self.pending.drain() {
            wait::definition_served(connection, &name, timeout).await?;
        }
        Ok(())
    }
}
