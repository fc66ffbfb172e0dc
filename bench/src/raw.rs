//! The limits that the API server sets: the same pages fetched and thrown away,
//! the same bodies posted, both by as many connections as Ark uses.
//!
//! Of a page only the list's own metadata is looked at, for the token of the next.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use ark_engine::backup::Options;
use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::dataset::Creation;
use crate::wire::{self, Endpoint, Wire};

/// Items of a list's first page, as Ark asks for.
const FIRST_PAGE: usize = 100;
/// How much of a page's start and end is kept to find the list's metadata in.
const KEPT: usize = 8 * 1024;

/// What a listing came to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Listed {
    /// Bytes of JSON.
    pub(crate) bytes: usize,
    /// Requests.
    pub(crate) pages: usize,
}

/// Fetches every page of `collections` (paths without a query) by
/// `options.list_concurrency` connections, with pages as large as Ark's, at
/// `revision` or, without one, at whatever is newest.
pub(crate) async fn list(
    endpoint: &Endpoint,
    collections: &[String],
    options: &Options,
    revision: Option<&str>,
) -> Result<Listed> {
    let queue: Arc<Mutex<VecDeque<String>>> = Arc::new(Mutex::new(collections.to_vec().into()));
    let mut workers = JoinSet::new();
    for _ in 0..options.list_concurrency.max(1) {
        let lister = Lister {
            endpoint: endpoint.clone(),
            queue: Arc::clone(&queue),
            page_bytes: options.page_bytes,
            max_page_items: options.max_page_items as usize,
            revision: revision.map(ToOwned::to_owned),
        };
        workers.spawn(lister.run());
    }
    let mut total = Listed::default();
    while let Some(listed) = workers.join_next().await {
        let listed = listed??;
        total.bytes += listed.bytes;
        total.pages += listed.pages;
    }
    Ok(total)
}

struct Lister {
    endpoint: Endpoint,
    queue: Arc<Mutex<VecDeque<String>>>,
    page_bytes: usize,
    max_page_items: usize,
    revision: Option<String>,
}

impl Lister {
    async fn run(self) -> Result<Listed> {
        let mut wire = self.endpoint.connect().await?;
        let mut total = Listed::default();
        loop {
            let next = self
                .queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front();
            let Some(collection) = next else {
                return Ok(total);
            };
            self.pages(&mut wire, &collection, &mut total).await?;
        }
    }

    async fn pages(&self, wire: &mut Wire, collection: &str, total: &mut Listed) -> Result<()> {
        let mut limit = FIRST_PAGE.min(self.max_page_items);
        let mut token: Option<String> = None;
        loop {
            let mut path = format!("{collection}?limit={limit}");
            match (&token, &self.revision) {
                (Some(token), _) => {
                    path.push_str("&continue=");
                    path.push_str(token);
                }
                (None, Some(revision)) => {
                    path.push_str("&resourceVersionMatch=Exact&resourceVersion=");
                    path.push_str(revision);
                }
                (None, None) => {}
            }
            let (bytes, next) = page(wire, &path).await?;
            total.bytes += bytes;
            total.pages += 1;
            let Some(next) = next else { return Ok(()) };
            // More follow, so this page had all the items that were asked for.
            let each = (bytes / limit).max(1);
            limit = (self.page_bytes / each).clamp(1, self.max_page_items);
            token = Some(next);
        }
    }
}

/// Reads one page to its end; its length and the token of the next one.
async fn page(wire: &mut Wire, path: &str) -> Result<(usize, Option<String>)> {
    let response = wire.send(Method::GET, path, Bytes::new()).await?;
    let status = response.status();
    let mut body = response.into_body();
    let mut bytes = 0;
    let mut start = Vec::with_capacity(KEPT);
    let mut end: Vec<u8> = Vec::with_capacity(4 * KEPT);
    while let Some(frame) = body.frame().await {
        let frame = frame?;
        let Some(data) = frame.data_ref() else {
            continue;
        };
        bytes += data.len();
        if start.len() < KEPT {
            start.extend_from_slice(&data[..data.len().min(KEPT - start.len())]);
        }
        end.extend_from_slice(&data[data.len().saturating_sub(KEPT)..]);
        if end.len() > 2 * KEPT {
            end.drain(..end.len() - KEPT);
        }
    }
    wire::check("GET", path, status, &start)?;
    Ok((bytes, token(&start, &end)?))
}

/// The `continue` token. Kinds that are built in have the list's metadata before
/// the items, custom ones after them.
fn token(start: &[u8], end: &[u8]) -> Result<Option<String>> {
    #[derive(Deserialize)]
    struct Metadata {
        #[serde(default, rename = "continue")]
        token: String,
    }
    const METADATA: &[u8] = b"\"metadata\":{";
    const ITEMS: &[u8] = b"\"items\":";
    let items = find(start, ITEMS).unwrap_or(start.len());
    let object = match find(&start[..items], METADATA) {
        Some(at) => &start[at..],
        None => &end[rfind(end, METADATA).context("a list without metadata")?..],
    };
    let object = &object[METADATA.len() - 1..];
    let mut values = serde_json::Deserializer::from_slice(object).into_iter::<Metadata>();
    let metadata = values.next().context("a list without metadata")??;
    Ok((!metadata.token.is_empty()).then_some(metadata.token))
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn rfind(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).rposition(|window| window == what)
}

/// Creates everything by `connections` connections at once.
pub(crate) async fn create(
    endpoint: &Endpoint,
    creations: &Arc<Vec<Creation>>,
    connections: usize,
    done: &Arc<AtomicUsize>,
) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..connections.max(1) {
        let (endpoint, creations) = (endpoint.clone(), Arc::clone(creations));
        let (next, done) = (Arc::clone(&next), Arc::clone(done));
        workers.spawn(async move {
            let mut wire = endpoint.connect().await?;
            while let Some(creation) = creations.get(next.fetch_add(1, Ordering::Relaxed)) {
                let path = format!("{}?fieldManager=bench", creation.path);
                wire.post(&path, creation.body.clone()).await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(result) = workers.join_next().await {
        result??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_before_and_after_the_items() {
        let built_in = br#"{"kind":"SecretList","metadata":{"resourceVersion":"9","continue":"abc"},"items":[{"metadata":{"continue":"no"}}]}"#;
        assert_eq!(token(built_in, built_in).unwrap().as_deref(), Some("abc"));
        let custom = br#"{"apiVersion":"x/v1","items":[{"metadata":{"name":"a"}}],"kind":"XList","metadata":{"continue":"def","resourceVersion":"9"}}"#;
        assert_eq!(token(custom, custom).unwrap().as_deref(), Some("def"));
        let last = br#"{"items":[],"metadata":{"continue":"","resourceVersion":"9"}}"#;
        assert_eq!(token(last, last).unwrap(), None);
        assert!(token(b"{}", b"{}").is_err());
    }
}
