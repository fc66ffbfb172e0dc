//! The HTTP endpoint: `/healthz`, `/readyz`, `/metrics`, and `/download/NAME` for
//! those who cannot reach the storage itself. Answers questions and changes
//! nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use crate::files::{Body, Files};
use crate::metrics::Metrics;
use crate::task::{OnCancel, TaskKind, Tasks};

/// Connections served at once; more wait in the listener's backlog.
const CONNECTIONS: usize = 64;
/// A client that has not sent its request's head by then is let go.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// What scrapers expect of the `OpenMetrics` text format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the server stands in its life.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Stage {
    /// Connecting and checking what it needs.
    #[default]
    Starting,
    /// All is there, but another server holds the lease.
    Standby,
    /// The controllers run.
    Running,
    /// Ending.
    Stopping,
    /// Something that must run has ended.
    Broken(String),
}

impl Stage {
    /// Whether the controllers work.
    pub(crate) fn is_ready(&self) -> bool {
        *self == Self::Running
    }

    /// Whether a restart would not help.
    pub(crate) fn is_healthy(&self) -> bool {
        !matches!(self, Self::Broken(_))
    }

    fn describe(&self) -> String {
        match self {
            Self::Starting => "starting".to_owned(),
            Self::Standby => "standby: another server holds the lease".to_owned(),
            Self::Running => "ok".to_owned(),
            Self::Stopping => "stopping".to_owned(),
            Self::Broken(why) => format!("broken: {why}"),
        }
    }
}

/// What the endpoint answers from.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// The server's stage.
    pub(crate) stage: watch::Receiver<Stage>,
    /// Its metrics.
    pub(crate) metrics: Arc<Metrics>,
    /// What download requests name; `None` answers that there is nothing.
    pub(crate) files: Option<Arc<Files>>,
}

/// Listens on `address`; port 0 takes a free one. Returns where it listens.
pub(crate) async fn bind(address: &str) -> std::io::Result<(TcpListener, SocketAddr)> {
    // `:8085`, as Go programs have it, means all interfaces.
    let full = if address.starts_with(':') {
        format!("0.0.0.0{address}")
    } else {
        address.to_owned()
    };
    let listener = TcpListener::bind(full).await?;
    let bound = listener.local_addr()?;
    Ok((listener, bound))
}

/// Serves until the tasks are cancelled.
pub(crate) fn serve(tasks: &Tasks, listener: TcpListener, endpoint: Endpoint) {
    let spawner = tasks.clone();
    tasks.spawn(TaskKind::Http, "endpoint", OnCancel::Drop, async move {
        let permits = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                return;
            };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors: pausing beats spinning.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            };
            let endpoint = endpoint.clone();
            spawner.spawn(TaskKind::Http, "connection", OnCancel::Drop, async move {
                converse(stream, endpoint).await;
                drop(permit);
            });
        }
    });
}

async fn converse(stream: TcpStream, endpoint: Endpoint) {
    let service = service_fn(move |request: Request<Incoming>| {
        let endpoint = endpoint.clone();
        let (method, uri) = (request.method().clone(), request.uri().clone());
        async move { Ok::<_, Infallible>(respond(&endpoint, &method, &uri).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn respond(endpoint: &Endpoint, method: &Method, uri: &Uri) -> Response<Body> {
    if let Some(files) = &endpoint.files
        && method == Method::GET
        && let Some(name) = uri.path().strip_prefix("/download/")
    {
        return files.answer(name, uri.query().unwrap_or_default()).await;
    }
    answer(endpoint, method, uri.path())
        .map(|body| body.map_err(|never| match never {}).boxed_unsync())
}

fn answer(endpoint: &Endpoint, method: &Method, path: &str) -> Response<Full<Bytes>> {
    if method != Method::GET && method != Method::HEAD {
        let mut response = text(
            StatusCode::METHOD_NOT_ALLOWED,
            "only GET and HEAD".to_owned(),
        );
        response
            .headers_mut()
            .insert(ALLOW, http::HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let stage = endpoint.stage.borrow().clone();
    match path {
        "/healthz" => text(status(stage.is_healthy()), stage.describe()),
        "/readyz" => text(status(stage.is_ready()), stage.describe()),
        "/metrics" => match endpoint.metrics.render() {
            Ok(body) => {
                let mut response = text(StatusCode::OK, body);
                let kind = http::HeaderValue::from_static(OPEN_METRICS);
                response.headers_mut().insert(CONTENT_TYPE, kind);
                response
            }
            Err(_) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "cannot write metrics".to_owned(),
            ),
        },
        _ => text(
            StatusCode::NOT_FOUND,
            "/healthz, /readyz, /metrics".to_owned(),
        ),
    }
}

fn status(good: bool) -> StatusCode {
    if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

fn text(status: StatusCode, mut body: String) -> Response<Full<Bytes>> {
    if !body.ends_with('\n') {
        body.push('\n');
    }
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio_util::sync::CancellationToken;

    use super::*;

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn get(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    }

    #[tokio::test]
    async fn readiness_follows_the_stage() {
        let tasks = Tasks::new(CancellationToken::new());
        let (stage, receiver) = watch::channel(Stage::Starting);
        let endpoint = Endpoint {
            stage: receiver,
            metrics: Arc::new(Metrics::new()),
            files: None,
        };
        let (listener, address) = bind("127.0.0.1:0").await.unwrap();
        serve(&tasks, listener, endpoint);
        assert!(
            ask(address, &get("/readyz"))
                .await
                .starts_with("HTTP/1.1 503")
        );
        assert!(
            ask(address, &get("/healthz"))
                .await
                .starts_with("HTTP/1.1 200")
        );
        stage.send_replace(Stage::Running);
        assert!(
            ask(address, &get("/readyz"))
                .await
                .starts_with("HTTP/1.1 200")
        );
        let metrics = ask(address, &get("/metrics")).await;
        assert!(metrics.contains("ark_build_info") && metrics.contains("openmetrics-text"));
        stage.send_replace(Stage::Broken("the lease".into()));
        assert!(
            ask(address, &get("/healthz"))
                .await
                .contains("broken: the lease")
        );
        assert!(
            ask(address, &get("/else"))
                .await
                .starts_with("HTTP/1.1 404")
        );
        let post =
            "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        assert!(ask(address, post).await.starts_with("HTTP/1.1 405"));
        tasks.cancelled().cancel();
        assert!(tasks.wait(Duration::from_secs(5)).await);
    }
}
