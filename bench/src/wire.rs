//! HTTP/1.1 over TLS with nothing in between: the least that a client of the API
//! server can do. One connection carries one request at a time.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use ark_testkit::ControlPlane;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// An API server and how to be let in.
#[derive(Clone)]
pub(crate) struct Endpoint {
    authority: String,
    authorization: String,
    tls: TlsConnector,
}

/// One connection.
pub(crate) struct Wire {
    endpoint: Endpoint,
    sender: SendRequest<Full<Bytes>>,
}

impl Endpoint {
    /// The API server of a control plane, as its administrator.
    pub(crate) fn of(plane: &ControlPlane) -> Result<Self> {
        let pem = fs::read(plane.ca()).context("cannot read the CA of the control plane")?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).context("the CA is no certificate")?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let authority = plane
            .url()
            .strip_prefix("https://")
            .context("not an https URL")?;
        Ok(Self {
            authority: authority.to_owned(),
            authorization: format!("Bearer {}", plane.token()),
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Wire> {
        let stream = TcpStream::connect(&self.authority)
            .await
            .with_context(|| format!("cannot connect to {}", self.authority))?;
        stream.set_nodelay(true)?;
        let host = self
            .authority
            .split(':')
            .next()
            .unwrap_or_default()
            .to_owned();
        let stream = self
            .tls
            .connect(ServerName::try_from(host)?, stream)
            .await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends when the sender is dropped; what breaks it, its requests return.
        tokio::spawn(connection);
        Ok(Wire {
            endpoint: self.clone(),
            sender,
        })
    }

    /// One POST on a connection of its own.
    pub(crate) async fn post(&self, path: &str, body: Bytes) -> Result<Bytes> {
        self.connect().await?.post(path, body).await
    }

    /// One GET on a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> Result<Bytes> {
        let mut wire = self.connect().await?;
        let response = wire.send(Method::GET, path, Bytes::new()).await?;
        whole("GET", path, response).await
    }
}

impl Wire {
    /// Sends a request; the body of the answer is still to come.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Incoming>> {
        self.sender.ready().await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.endpoint.authority)
            .header(AUTHORIZATION, &self.endpoint.authorization)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))?;
        Ok(self.sender.send_request(request).await?)
    }

    /// Creates an object; the answer is read and returned unparsed.
    pub(crate) async fn post(&mut self, path: &str, body: Bytes) -> Result<Bytes> {
        let response = self.send(Method::POST, path, body).await?;
        whole("POST", path, response).await
    }
}

async fn whole(method: &str, path: &str, response: Response<Incoming>) -> Result<Bytes> {
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    check(method, path, status, &body)?;
    Ok(body)
}

/// An error unless the status is one of success.
pub(crate) fn check(method: &str, path: &str, status: StatusCode, body: &[u8]) -> Result<()> {
    if status.is_success() {
        return Ok(());
    }
    let start = String::from_utf8_lossy(&body[..body.len().min(500)]);
    bail!("{method} {path}: {status}: {start}")
}
