//! [`Connection`] as the engine's [`Cluster`].

use ark_engine::object::Object;
use ark_engine::port::{
    ApiResource, Changes, Cluster, ClusterError, ClusterErrorKind, CreateOptions, Discovery,
    ExecCommand, Execution, ListQuery, Page, Patch, Revision, ServerVersion, Target,
};
use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use serde::Deserialize;

use crate::call::{Call, JSON};
use crate::connect::Connection;
use crate::{changes, discovery, error, exec, page, path};

/// Recorded as the manager of fields that Ark writes.
pub(crate) const FIELD_MANAGER: &str = "ark";
pub(crate) const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawVersion {
    #[serde(default)]
    major: String,
    #[serde(default)]
    minor: String,
    git_version: String,
}

#[derive(Deserialize)]
struct RevisionOnly {
    metadata: RevisionMeta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RevisionMeta {
    resource_version: String,
}

#[async_trait]
impl Cluster for Connection {
    async fn discover(&self) -> Result<Discovery, ClusterError> {
        discovery::discover(self).await
    }

    async fn version(&self) -> Result<ServerVersion, ClusterError> {
        let call = Call::get("/version".to_owned(), "get the server's version".to_owned());
        let body = self.call(&call).await?;
        let raw: RawVersion = parse(&call.operation, &body)?;
        Ok(ServerVersion {
            major: raw.major,
            minor: raw.minor,
            git_version: raw.git_version,
        })
    }

    async fn revision(&self) -> Result<Revision, ClusterError> {
        // Without `resourceVersion` a list is as new as the store itself; the
        // revision that it shows is one of the whole store, not of this kind.
        let call = Call::bulk(
            "/api/v1/namespaces?limit=1".to_owned(),
            "read the cluster's revision".to_owned(),
        );
        let body = self.call(&call).await?;
        let raw: RevisionOnly = parse(&call.operation, &body)?;
        if raw.metadata.resource_version.is_empty() {
            return Err(error::malformed(
                &call.operation,
                "the answer has no revision",
            ));
        }
        Ok(Revision(raw.metadata.resource_version))
    }

    async fn list(
        &self,
        query: &ListQuery,
        token: Option<&str>,
        limit: u32,
    ) -> Result<Page, ClusterError> {
        let operation = match &query.namespace {
            Some(namespace) => format!("list {} in {namespace}", query.resource.group_resource()),
            None => format!("list {}", query.resource.group_resource()),
        };
        let call = Call::bulk(path::list(query, token, limit), operation);
        let body = self.call(&call).await?;
        page::split(&body, &query.resource)
            .map_err(|problem| error::malformed(&call.operation, problem))
    }

    async fn watch(&self, query: &ListQuery, since: &Revision) -> Result<Changes, ClusterError> {
        changes::watch(self, query, since).await
    }

    async fn get(&self, target: Target<'_>) -> Result<Option<Object>, ClusterError> {
        let path = path::object(target.resource, target.namespace, target.name);
        let call = Call::get(path, format!("get {target}"));
        match self.call(&call).await {
            Ok(body) => object(&call.operation, body).map(Some),
            Err(error) if error.kind == ClusterErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn create(
        &self,
        resource: &ApiResource,
        namespace: Option<&str>,
        body: Bytes,
        options: CreateOptions<'_>,
    ) -> Result<Object, ClusterError> {
        let manager = options.field_manager.unwrap_or(FIELD_MANAGER);
        let mut path = path::collection(resource, namespace);
        path.push_str("?fieldManager=");
        path.extend(url::form_urlencoded::byte_serialize(manager.as_bytes()));
        if options.dry_run {
            path.push_str("&dryRun=All");
        }
        let operation = format!("create {}", named(resource, namespace, &body));
        let call = Call::write(Method::POST, path, Some((body, JSON)), operation);
        let answer = self.call(&call).await?;
        object(&call.operation, answer)
    }

    async fn patch(&self, target: Target<'_>, patch: Patch) -> Result<Object, ClusterError> {
        let mut url = path::object(target.resource, target.namespace, target.name);
        let (body, content_type) = match patch {
            Patch::Merge(body) => (body, MERGE_PATCH),
            Patch::Json(body) => (body, JSON_PATCH),
            Patch::MergeStatus(body) => {
                url.push_str("/status");
                (body, MERGE_PATCH)
            }
        };
        url.push_str("?fieldManager=");
        url.push_str(FIELD_MANAGER);
        let operation = format!("patch {target}");
        let call = Call::write(Method::PATCH, url, Some((body, content_type)), operation);
        let answer = self.call(&call).await?;
        object(&call.operation, answer)
    }

    async fn delete(&self, target: Target<'_>) -> Result<bool, ClusterError> {
        let path = path::object(target.resource, target.namespace, target.name);
        // The default of some old kinds is to orphan what they own.
        let body = Bytes::from_static(b"{\"propagationPolicy\":\"Background\"}");
        let operation = format!("delete {target}");
        let call = Call::write(Method::DELETE, path, Some((body, JSON)), operation);
        match self.call(&call).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == ClusterErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn exec(&self, command: &ExecCommand<'_>) -> Result<Execution, ClusterError> {
        exec::run(self, command).await
    }
}

pub(crate) fn parse<'a, T: Deserialize<'a>>(
    operation: &str,
    body: &'a [u8],
) -> Result<T, ClusterError> {
    serde_json::from_slice(body).map_err(|problem| error::malformed(operation, problem))
}

pub(crate) fn object(operation: &str, body: Bytes) -> Result<Object, ClusterError> {
    Object::parse(body).map_err(|problem| {
        let detail = std::error::Error::source(&problem).map(ToString::to_string);
        error::malformed(operation, detail.unwrap_or_else(|| problem.to_string()))
    })
}

/// What a create is about, for its error: the name is inside the body.
fn named(resource: &ApiResource, namespace: Option<&str>, body: &Bytes) -> String {
    match Object::parse(body.clone()) {
        Ok(object) => Target {
            resource,
            namespace,
            name: &object.head().name,
        }
        .to_string(),
        Err(_) => resource.group_resource(),
    }
}
