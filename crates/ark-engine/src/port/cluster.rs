//! A Kubernetes API, as the engine needs it: raw objects in, raw objects out.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;

use super::{ExecCommand, Execution};
use crate::object::Object;

/// A kind that the API server serves, as discovery names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApiResource {
    /// API group, empty for the core group.
    pub group: String,
    /// Version within the group, such as `v1`.
    pub version: String,
    /// Plural name, such as `deployments`: the name in URLs and archives.
    pub plural: String,
    /// Singular name, may be empty.
    pub singular: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Verbs that the server offers, such as `list`.
    pub verbs: Vec<String>,
    /// Short names, such as `deploy`.
    pub short_names: Vec<String>,
    /// Whether `version` is the one to use of this kind: the one that the server
    /// prefers for the group, or the first that has the kind.
    pub preferred: bool,
}

impl ApiResource {
    /// A kind that every cluster serves in version `v1`, known without discovery:
    /// what it can do, and other names of it, are left out.
    pub fn v1(group: &str, plural: &str, kind: &str, namespaced: bool) -> Self {
        Self {
            group: group.to_owned(),
            version: "v1".to_owned(),
            plural: plural.to_owned(),
            singular: kind.to_lowercase(),
            kind: kind.to_owned(),
            namespaced,
            verbs: Vec::new(),
            short_names: Vec::new(),
            preferred: true,
        }
    }

    /// The kind `Namespace`.
    pub fn namespaces() -> Self {
        Self::v1("", "namespaces", "Namespace", false)
    }

    /// `apiVersion` of objects of this kind: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps`; core resources have no suffix.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// Whether the server offers `verb` for this kind.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|v| v == verb)
    }
}

/// What the API server serves at one moment.
#[derive(Debug, Clone, Default)]
pub struct Discovery {
    /// Every kind in every served version, in the server's order of groups.
    /// Subresources are not listed.
    pub resources: Vec<ApiResource>,
    /// Groups that could not be asked; the rest is complete without them.
    pub failed: Vec<FailedGroup>,
    /// Groups that an aggregated API server answers. They keep their objects
    /// elsewhere, so no revision of ours names their state.
    pub aggregated_groups: Vec<String>,
}

impl Discovery {
    /// The preferred version of a kind.
    pub fn preferred(&self, plural: &str, group: &str) -> Option<&ApiResource> {
        let mut all = self.resources.iter();
        all.find(|kind| kind.preferred && kind.plural == plural && kind.group == group)
    }
}

/// A group-version whose discovery failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedGroup {
    /// `metrics.k8s.io/v1beta1`.
    pub group_version: String,
    /// Why, in the server's words.
    pub reason: String,
}

/// Version of the API server, from `/version`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerVersion {
    /// Such as `1`.
    pub major: String,
    /// Such as `37`.
    pub minor: String,
    /// Such as `v1.37.2`.
    pub git_version: String,
}

/// A resource version of the cluster's store. Opaque but for equality; the
/// fence asks the server for objects *at* it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Revision(pub String);

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One list to make, page by page.
#[derive(Debug, Clone)]
pub struct ListQuery {
    /// The kind.
    pub resource: ApiResource,
    /// One namespace, or all (also for cluster-scoped kinds).
    pub namespace: Option<String>,
    /// Label selector in the API's text form.
    pub label_selector: Option<String>,
    /// Field selector in the API's text form.
    pub field_selector: Option<String>,
    /// The exact revision to read at (`resourceVersionMatch=Exact`), or the
    /// newest state.
    pub at: Option<Revision>,
}

impl ListQuery {
    /// Every object of a kind, as they are now.
    pub fn all(resource: ApiResource) -> Self {
        Self {
            resource,
            namespace: None,
            label_selector: None,
            field_selector: None,
            at: None,
        }
    }
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// The objects: slices of one buffer, so a page lives as long as its last object.
    pub items: Vec<Object>,
    /// Token for the next page; `None` at the end.
    pub next: Option<String>,
    /// Revision that this list shows.
    pub revision: Revision,
    /// How many objects follow after this page, where the server says so.
    pub remaining: Option<u64>,
    /// Size of the page's JSON in bytes.
    pub bytes: usize,
}

/// What happened to an object; each with the object as it is, or last was.
#[derive(Debug, Clone)]
pub enum Change {
    /// It was made or changed.
    Present(Object),
    /// It is gone.
    Gone(Object),
}

/// Changes as they happen. The stream ends when the server ends it, or with an error.
pub type Changes = BoxStream<'static, Result<Change, ClusterError>>;

/// One object by name.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Its kind.
    pub resource: &'a ApiResource,
    /// Its namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<&'a str>,
    /// Its name.
    pub name: &'a str,
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.resource.group_resource())?;
        if let Some(namespace) = self.namespace {
            write!(f, "{namespace}/")?;
        }
        f.write_str(self.name)
    }
}

/// How to create.
#[derive(Debug, Clone, Copy, Default)]
pub struct CreateOptions<'a> {
    /// Field manager recorded for the written fields; the adapter's default when `None`.
    pub field_manager: Option<&'a str>,
    /// Validate and admit, but persist nothing.
    pub dry_run: bool,
}

/// A change to an existing object.
#[derive(Debug, Clone)]
pub enum Patch {
    /// RFC 7386.
    Merge(Bytes),
    /// RFC 6902.
    Json(Bytes),
    /// RFC 7386, addressed to the `status` subresource.
    MergeStatus(Bytes),
}

/// A Kubernetes API.
///
/// # Flow
/// The engine discovers once per job, lists pages, and creates or patches
/// single objects. Adapters add what every call needs: authentication, a
/// deadline, a user agent, adaptive concurrency.
///
/// # Guarantees
/// * Bodies pass unchanged in both directions, byte for byte; list items get
///   `apiVersion` and `kind` through [`Object`], because the server omits them.
/// * Throttling (429 with `Retry-After`) is waited out within a budget before
///   [`ClusterErrorKind::Throttled`] is returned. Reads are retried on
///   [`ClusterErrorKind::Unavailable`]; writes are not, since a lost answer may
///   hide a done deed: the engine looks before it posts again.
///
/// # Errors
/// [`ClusterError`] with a kind that says what can be done.
#[async_trait]
pub trait Cluster: Send + Sync {
    /// Asks the server afresh what it serves.
    async fn discover(&self) -> Result<Discovery, ClusterError>;

    /// The server's version.
    async fn version(&self) -> Result<ServerVersion, ClusterError>;

    /// The newest revision of the cluster's store, read with quorum.
    async fn revision(&self) -> Result<Revision, ClusterError>;

    /// One page of at most `limit` objects; `token` from the page before.
    async fn list(
        &self,
        query: &ListQuery,
        token: Option<&str>,
        limit: u32,
    ) -> Result<Page, ClusterError>;

    /// Shows every object of a list, read in pages of `limit`; one page is in memory.
    async fn list_each(
        &self,
        query: &ListQuery,
        limit: u32,
        see: &mut (dyn FnMut(Object) + Send),
    ) -> Result<(), ClusterError> {
        let mut token = None;
        loop {
            let page = self.list(query, token.as_deref(), limit).await?;
            page.items.into_iter().for_each(&mut *see);
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// All objects of a list that is known to be short, read in pages of `limit`.
    async fn list_all(&self, query: &ListQuery, limit: u32) -> Result<Vec<Object>, ClusterError> {
        let mut all = Vec::new();
        self.list_each(query, limit, &mut |object| all.push(object))
            .await?;
        Ok(all)
    }

    /// What happens to the objects that a list names, after `since`; the query's own
    /// revision is passed over. Whoever needs every change lists again when it ends.
    ///
    /// Adapters that cannot watch answer [`ClusterErrorKind::Unsupported`].
    async fn watch(&self, query: &ListQuery, since: &Revision) -> Result<Changes, ClusterError> {
        let _ = since;
        Err(ClusterError {
            kind: ClusterErrorKind::Unsupported,
            operation: format!("watch {}", query.resource.group_resource()),
            message: "nothing can be watched through this connection".to_owned(),
            retry_after: None,
        })
    }

    /// One object, or `None` when it does not exist.
    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError>;

    /// Creates an object from its JSON; answers it as stored.
    async fn create(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        body: Bytes,
        options: CreateOptions<'_>,
    ) -> Result<Object, ClusterError>;

    /// Changes an object; answers it as stored.
    async fn patch(&self, target: Target<'_>, patch: Patch) -> Result<Object, ClusterError>;

    /// Deletes an object; `false` when there was none.
    async fn delete(&self, target: Target<'_>) -> Result<bool, ClusterError>;

    /// Runs a command in a container and waits for its end. An error says that
    /// it was not started. Dropping the call closes the connection to it.
    ///
    /// Adapters that cannot run commands answer [`ClusterErrorKind::Unsupported`].
    async fn exec(&self, command: &ExecCommand<'_>) -> Result<Execution, ClusterError> {
        Err(ClusterError {
            kind: ClusterErrorKind::Unsupported,
            operation: format!("exec in pods {}/{}", command.namespace, command.pod),
            message: "commands cannot be run through this connection".to_owned(),
            retry_after: None,
        })
    }
}

/// A call to the API that did not succeed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct ClusterError {
    /// What can be done about it.
    pub kind: ClusterErrorKind,
    /// Which call: `create deployments.apps shop/web`.
    pub operation: String,
    /// The server's own words, or the transport's.
    pub message: String,
    /// How long the server asked to wait.
    pub retry_after: Option<Duration>,
}

/// Classes of failure, by what the caller can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClusterErrorKind {
    /// 404: no such object or kind.
    NotFound,
    /// 409 `AlreadyExists`.
    AlreadyExists,
    /// 409 of another kind: somebody else wrote first.
    Conflict,
    /// 422 or 400: the server refuses the content.
    Invalid,
    /// 401.
    Unauthorized,
    /// 403: not allowed, or refused by admission or quota.
    Forbidden,
    /// 410: the revision or continue token is compacted away.
    Expired,
    /// 429 after the adapter's own waiting.
    Throttled,
    /// Timeout, broken connection, 5xx: may work later.
    Unavailable,
    /// 405 or 406: the server does not offer this.
    Unsupported,
    /// The answer was not what the API promises.
    Malformed,
    /// Anything else.
    Other,
}

impl ClusterError {
    /// Whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
            ClusterErrorKind::Throttled | ClusterErrorKind::Unavailable
        )
    }
}
