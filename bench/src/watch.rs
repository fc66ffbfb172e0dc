//! Waiting for a resource by a watch, so that the moment of a change is seen when
//! it happens and asking costs nothing.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::{Bytes, BytesMut};
use http::Method;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use crate::wire::{Endpoint, Wire};

/// A watch of one object, present or to come.
pub(crate) struct Watch {
    /// Keeps the connection.
    _wire: Wire,
    body: Incoming,
    buffer: BytesMut,
    what: String,
}

impl Watch {
    /// Opens a watch of the object `name` in `collection`.
    pub(crate) async fn open(endpoint: &Endpoint, collection: &str, name: &str) -> Result<Self> {
        let mut wire = endpoint.connect().await?;
        let path = format!("{collection}?watch=1&fieldSelector=metadata.name%3D{name}");
        let response = wire.send(Method::GET, &path, Bytes::new()).await?;
        if !response.status().is_success() {
            bail!("GET {path}: {}", response.status());
        }
        Ok(Self {
            _wire: wire,
            body: response.into_body(),
            buffer: BytesMut::new(),
            what: format!("{collection}/{name}"),
        })
    }

    /// Reads until `done` finds what it wants in a state of the object.
    pub(crate) async fn until<T>(
        &mut self,
        patience: Duration,
        mut done: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T> {
        let mut last = Value::Null;
        let reading = async {
            loop {
                let event = self.event().await?;
                if let Some(found) = done(&event["object"]) {
                    return Ok(found);
                }
                last = event;
            }
        };
        match tokio::time::timeout(patience, reading).await {
            Ok(result) => result,
            Err(_) => bail!(
                "waited {} s for {}; last seen: {}",
                patience.as_secs(),
                self.what,
                last["object"]["status"]
            ),
        }
    }

    async fn event(&mut self) -> Result<Value> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return serde_json::from_slice(&line).context("a watch event is not JSON");
            }
            let frame = self
                .body
                .frame()
                .await
                .with_context(|| format!("{} ended", self.what))??;
            if let Some(data) = frame.data_ref() {
                self.buffer.extend_from_slice(data);
            }
        }
    }
}
