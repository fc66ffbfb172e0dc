//! Files of backups and restores over the server's own HTTP port, for clients
//! that cannot reach the storage: a directory of the server's, or a bucket inside
//! the cluster. Reads only, and only what a download request names.
//!
//! The key to a file is the uid of its request. Whoever can read the request
//! could read the signed address in its status as well, so nobody learns more
//! than before.

use std::sync::Arc;

use ark_api::{Backup, BackupStorageLocation, DownloadRequest, DownloadRequestPhase, Restore};
use ark_engine::port::{Clock as _, Cluster, Store, StoreErrorKind, SystemClock};
use ark_kube::{Connection, Custom};
use bytes::Bytes;
use futures::TryStreamExt as _;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;

use crate::controller::download_request::{Owner, file_of, time_left};
use crate::controller::sentence;
use crate::locations::Locations;
use crate::secrets::Secrets;

/// The body of an answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// Header that tells our own "there is no such file" from the "not found" of
/// whoever stands in between.
pub(crate) const MARK: &str = "ark-download";

/// Serves files.
pub(crate) struct Files {
    downloads: Custom<DownloadRequest>,
    backups: Custom<Backup>,
    restores: Custom<Restore>,
    locations: Custom<BackupStorageLocation>,
    stores: Locations,
}

/// Why there is no file in the answer.
enum Refusal {
    /// There is no such request, or it is over, or the key is wrong.
    Unknown,
    /// The storage has no such file, which is an answer.
    Absent,
    /// Something does not work.
    Failed(String),
}

impl From<ark_kube::CustomError> for Refusal {
    fn from(error: ark_kube::CustomError) -> Self {
        Self::Failed(sentence(&error))
    }
}

impl Files {
    /// Of the backups and restores of a namespace. Sends nothing.
    pub(crate) fn new(connection: &Connection, namespace: &str) -> Self {
        let cluster: Arc<dyn Cluster> = Arc::new(connection.clone());
        Self {
            downloads: Custom::new(connection, namespace),
            backups: Custom::new(connection, namespace),
            restores: Custom::new(connection, namespace),
            locations: Custom::new(connection, namespace),
            stores: Locations::new(Secrets::new(cluster, namespace)),
        }
    }

    /// Answers a request for the file of the download request `name`.
    pub(crate) async fn answer(&self, name: &str, query: &str) -> Response<Body> {
        match self.open(name, query).await {
            Ok(body) => {
                let mut response = Response::new(body);
                let kind = HeaderValue::from_static("application/octet-stream");
                response.headers_mut().insert(CONTENT_TYPE, kind);
                mark(&mut response, "file");
                response
            }
            Err(Refusal::Unknown) => refuse(StatusCode::NOT_FOUND, "unknown", "no such request"),
            Err(Refusal::Absent) => refuse(StatusCode::NOT_FOUND, "absent", "no such file"),
            Err(Refusal::Failed(why)) => refuse(StatusCode::BAD_GATEWAY, "failed", &why),
        }
    }

    async fn open(&self, name: &str, query: &str) -> Result<Body, Refusal> {
        let request = self.request(name, query).await?;
        let file = file_of(&request.spec.target).ok_or(Refusal::Absent)?;
        let target = request.spec.target.name;
        let backup = match file.of {
            Owner::Backup => target,
            Owner::Restore => {
                let restore = self.restores.get(&target).await?;
                restore.ok_or(Refusal::Absent)?.spec.backup_name
            }
        };
        let store = self.store(&backup).await?;
        let found = store.stat(&file.key).await;
        match found {
            Ok(Some(_)) => {}
            Ok(None) => return Err(Refusal::Absent),
            Err(error) => return Err(Refusal::Failed(sentence(&error))),
        }
        let stream = match store.stream(&file.key).await {
            Ok(stream) => stream,
            Err(error) if error.kind == StoreErrorKind::NotFound => return Err(Refusal::Absent),
            Err(error) => return Err(Refusal::Failed(sentence(&error))),
        };
        let frames = stream.map_ok(Frame::data).map_err(Into::into);
        Ok(StreamBody::new(frames).boxed_unsync())
    }

    /// The request of this name whose uid the query knows.
    async fn request(&self, name: &str, query: &str) -> Result<DownloadRequest, Refusal> {
        let key = query.strip_prefix("uid=").unwrap_or_default();
        let is_name = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
        if key.is_empty() || name.is_empty() || !is_name {
            return Err(Refusal::Unknown);
        }
        let found = self.downloads.get(name).await?;
        found
            .filter(|request| {
                request.metadata.uid.as_deref() == Some(key)
                    && *request.phase() == DownloadRequestPhase::Processed
                    && time_left(request, SystemClock.now()).is_some()
            })
            .ok_or(Refusal::Unknown)
    }

    async fn store(&self, backup: &str) -> Result<Arc<dyn Store>, Refusal> {
        let backup = self.backups.get(backup).await?.ok_or(Refusal::Absent)?;
        let name = backup.spec.storage_location;
        let location = self.locations.get(&name).await?;
        let location = location
            .ok_or_else(|| Refusal::Failed(format!("backup location `{name}` does not exist")))?;
        let opened = self.stores.store(&location).await;
        opened.map_err(|error| Refusal::Failed(sentence(&error)))
    }
}

fn refuse(status: StatusCode, why: &'static str, words: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(format!("{words}\n")));
    let mut response = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    mark(&mut response, why);
    response
}

fn mark(response: &mut Response<Body>, value: &'static str) {
    let value = HeaderValue::from_static(value);
    response.headers_mut().insert(MARK, value);
}
