//! From a request to a WebSocket (RFC 6455), through the client that every call
//! goes through. A refusal is an answer like any other, with the server's words.

use ark_engine::port::{ClusterError, ClusterErrorKind};
use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::Socket;
use crate::connect::Connection;
use crate::error;

/// In the order of preference; both end with a `Status` on channel 3.
const PROTOCOLS: &str = "v5.channel.k8s.io, v4.channel.k8s.io";

pub(super) async fn open(
    connection: &Connection,
    path: &str,
    operation: &str,
) -> Result<Socket, ClusterError> {
    let key = generate_key();
    let request = request(path, &key).map_err(|problem| ClusterError {
        kind: ClusterErrorKind::Invalid,
        operation: operation.to_owned(),
        message: format!("cannot form the request: {problem}"),
        retry_after: None,
    })?;
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        error::from_transport(operation, connection.server(), cause)
    };
    let response = connection.client().send(request).await;
    let response = response.map_err(|cause| broken(&cause))?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(response, operation).await);
    }
    if !is_accepted(response.headers(), &key) {
        let problem = "the server's answer to the WebSocket handshake is not valid";
        return Err(error::malformed(operation, problem));
    }
    let upgraded = hyper::upgrade::on(response).await;
    let upgraded = upgraded.map_err(|cause| broken(&cause))?;
    Ok(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Client, None).await)
}

fn request(path: &str, key: &str) -> Result<Request<Body>, http::Error> {
    Request::get(path)
        .header(CONNECTION, "Upgrade")
        .header(UPGRADE, "websocket")
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(SEC_WEBSOCKET_KEY, key)
        .header(SEC_WEBSOCKET_PROTOCOL, PROTOCOLS)
        .body(Body::empty())
}

async fn refused(response: Response<Body>, operation: &str) -> ClusterError {
    let (parts, body) = response.into_parts();
    if parts.status.is_success() {
        return error::malformed(operation, "the server did not open a WebSocket");
    }
    // Without its body the answer still has a status.
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes);
    error::from_answer(
        operation,
        parts.status,
        &parts.headers,
        &body.unwrap_or_default(),
    )
}

/// The server proves that it has read the key, and names a protocol of ours.
fn is_accepted(headers: &HeaderMap, key: &str) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let protocol = text(SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    text(SEC_WEBSOCKET_ACCEPT) == Some(derive_accept_key(key.as_bytes()).as_str())
        && PROTOCOLS.split(", ").any(|ours| ours == protocol)
}
