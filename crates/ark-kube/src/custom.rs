//! Typed access to custom resources of one namespace.
//!
//! An object that its type cannot read never hides the others: lists name it,
//! single reads answer it as an error, follows go on after it.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::time::Duration;

use ark_api::patch::{PatchError, merge_patch};
use ark_engine::object::Object;
use ark_engine::port::{
    ApiResource, Cluster as _, ClusterError, ClusterErrorKind, CreateOptions, ListQuery, Patch,
    Target,
};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::connect::{ConnectError, Connection};

/// Objects fetched in one page of a list.
const PAGE: u32 = 250;

/// A namespaced custom resource type, as `kube::CustomResource` derives it.
pub trait CustomResource:
    kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
    + Serialize
    + DeserializeOwned
    + Clone
    + Debug
    + Send
    + Sync
    + 'static
{
}

impl<K> CustomResource for K where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Serialize
        + DeserializeOwned
        + Clone
        + Debug
        + Send
        + Sync
        + 'static
{
}

/// The custom resources of type `K` in one namespace. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Custom<K> {
    connection: Connection,
    namespace: String,
    resource: ApiResource,
    kind: PhantomData<fn() -> K>,
}

/// An object that exists but does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {kind} `{namespace}/{name}` cannot be read: {reason}")]
pub struct Invalid {
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// What does not fit, and where.
    pub reason: String,
}

/// A list: what could be read and what could not.
#[derive(Debug, Clone)]
pub struct Listed<K> {
    /// The readable objects, by name.
    pub items: Vec<K>,
    /// The others.
    pub invalid: Vec<Invalid>,
}

/// Why an operation on custom resources failed.
#[derive(Debug, thiserror::Error)]
pub enum CustomError {
    /// The call to the API server.
    #[error(transparent)]
    Call(#[from] ClusterError),
    /// The object exists but does not fit its type.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The value to send has no JSON form.
    #[error("cannot write the {kind} `{name}` as JSON")]
    Encode {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The two states to compare have no JSON form.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// The client for watches could not be set up.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A followed object is not, or no longer, there.
    #[error("the {kind} `{namespace}/{name}` does not exist")]
    Gone {
        /// Its kind.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A followed object did not reach the wanted state in time.
    #[error("the {kind} `{namespace}/{name}` did not get there within {} s", waited.as_secs())]
    Timeout {
        /// Its kind.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// How long was waited.
        waited: Duration,
    },
}

impl CustomError {
    /// Class of the failed call; `None` when another step failed.
    pub fn kind(&self) -> Option<ClusterErrorKind> {
        match self {
            Self::Call(error) => Some(error.kind),
            _ => None,
        }
    }

    /// Whether the same operation may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Call(error) if error.is_retryable())
    }
}

/// The kind of `K` as the API server names it.
pub fn resource_of<K: CustomResource>() -> ApiResource {
    ApiResource {
        group: K::group(&()).into_owned(),
        version: K::version(&()).into_owned(),
        plural: K::plural(&()).into_owned(),
        singular: String::new(),
        kind: K::kind(&()).into_owned(),
        namespaced: true,
        verbs: Vec::new(),
        short_names: Vec::new(),
        preferred: true,
    }
}

impl<K: CustomResource> Custom<K> {
    /// The resources of `namespace`. Sends nothing.
    pub fn new(connection: &Connection, namespace: &str) -> Self {
        Self {
            connection: connection.clone(),
            namespace: namespace.to_owned(),
            resource: resource_of::<K>(),
            kind: PhantomData,
        }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// One object, `None` when there is none.
    pub async fn get(&self, name: &str) -> Result<Option<K>, CustomError> {
        let object = self.connection.get(self.target(name)).await?;
        Ok(object.map(|object| self.read(&object)).transpose()?)
    }

    /// All objects, or those that a label selector (in the API's text form) picks.
    pub async fn list(&self, selector: Option<&str>) -> Result<Listed<K>, CustomError> {
        let query = ListQuery {
            resource: self.resource.clone(),
            namespace: Some(self.namespace.clone()),
            label_selector: selector.map(str::to_owned),
            field_selector: None,
            at: None,
        };
        let mut listed = Listed {
            items: Vec::new(),
            invalid: Vec::new(),
        };
        let mut token = None;
        loop {
            let page = self.connection.list(&query, token.as_deref(), PAGE).await?;
            for object in &page.items {
                match self.read(object) {
                    Ok(item) => listed.items.push(item),
                    Err(invalid) => listed.invalid.push(invalid),
                }
            }
            token = page.next;
            if token.is_none() {
                return Ok(listed);
            }
        }
    }

    /// Creates an object; answers it as stored.
    pub async fn create(&self, object: &K) -> Result<K, CustomError> {
        let body = serde_json::to_vec(object).map_err(|source| CustomError::Encode {
            kind: self.resource.kind.clone(),
            name: object.meta().name.clone().unwrap_or_default(),
            source,
        })?;
        let stored = self
            .connection
            .create(
                &self.resource,
                Some(&self.namespace),
                Bytes::from(body),
                CreateOptions::default(),
            )
            .await?;
        Ok(self.read(&stored)?)
    }

    /// Sends what differs between `before` and `after`; answers the object as
    /// stored. Fields that others changed meanwhile, or that `K` does not know,
    /// stay as they are. No difference, no call.
    pub async fn patch(&self, name: &str, before: &K, after: &K) -> Result<K, CustomError> {
        match merge_patch(before, after)? {
            Some(patch) => self.send_patch(name, &patch).await,
            None => Ok(after.clone()),
        }
    }

    /// As [`patch`](Self::patch), but fails with [`ClusterErrorKind::Conflict`]
    /// when the object was changed by anybody since `before` was read.
    pub async fn patch_unchanged(
        &self,
        name: &str,
        before: &K,
        after: &K,
    ) -> Result<K, CustomError> {
        let Some(mut patch) = merge_patch(before, after)? else {
            return Ok(after.clone());
        };
        if let Some(version) = &before.meta().resource_version {
            patch["metadata"]["resourceVersion"] = Value::from(version.as_str());
        }
        self.send_patch(name, &patch).await
    }

    async fn send_patch(&self, name: &str, patch: &Value) -> Result<K, CustomError> {
        let body = Bytes::from(patch.to_string());
        let patch = Patch::Merge(body);
        let stored = self.connection.patch(self.target(name), patch).await?;
        Ok(self.read(&stored)?)
    }

    /// Deletes an object; `false` when there was none.
    pub async fn delete(&self, name: &str) -> Result<bool, CustomError> {
        Ok(self.connection.delete(self.target(name)).await?)
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn kind(&self) -> &str {
        &self.resource.kind
    }

    fn target<'a>(&'a self, name: &'a str) -> Target<'a> {
        Target {
            resource: &self.resource,
            namespace: Some(&self.namespace),
            name,
        }
    }

    fn read(&self, object: &Object) -> Result<K, Invalid> {
        serde_json::from_slice(&object.json()).map_err(|problem| Invalid {
            kind: self.resource.kind.clone(),
            namespace: self.namespace.clone(),
            name: object.head().name.clone(),
            uid: object.head().uid.clone(),
            reason: problem.to_string(),
        })
    }
}
