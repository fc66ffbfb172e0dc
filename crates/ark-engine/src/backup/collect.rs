//! Reading the cluster: many paged lists at once, all at one revision.
//!
//! Pages arrive in a bounded channel. Objects of one page stay together, so
//! that a kind lies nearly contiguous in the archive although several kinds
//! are read at the same time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Options;
use super::plan::BackupPlan;
use crate::object::Object;
use crate::port::{ApiResource, Cluster, ClusterError, ClusterErrorKind, ListQuery, Revision};

/// Pages that may wait between the listers and the writer.
const PAGES_IN_QUEUE: usize = 2;
/// Size of a list's first page; the next ones follow the size of its objects.
const FIRST_PAGE: u32 = 100;

/// What a lister sends.
pub(super) enum Batch {
    /// One page of one kind.
    Page {
        /// The kind.
        resource: Arc<ApiResource>,
        /// Its objects.
        items: Vec<Object>,
        /// Objects in the whole list as far as the server says, told once a list.
        announced: u64,
    },
    /// A list that could not be finished. The rest of the backup can.
    Failed {
        /// The kind.
        resource: Arc<ApiResource>,
        /// The namespace, when the list was of one.
        namespace: Option<String>,
        /// Why.
        error: ClusterError,
    },
    /// The revision was compacted away while it was being read.
    Expired(ClusterError),
    /// A list that was read at another moment than the rest.
    Unfenced {
        /// The kind.
        resource: Arc<ApiResource>,
        /// The revision that it shows instead.
        revision: Revision,
        /// Why.
        reason: String,
    },
}

/// How strictly lists keep to the revision.
#[derive(Debug, Clone)]
pub(super) struct Fence {
    /// The revision to read at; `None` reads the newest state of every list.
    pub at: Option<Revision>,
    /// Whether a list whose revision is gone is read again without it.
    pub lenient: bool,
}

/// Starts the listers. They end by themselves when the receiver is dropped.
pub(super) fn start(
    cluster: &Arc<dyn Cluster>,
    plan: &BackupPlan,
    fence: &Fence,
    options: &Options,
    cancel: &CancellationToken,
) -> (mpsc::Receiver<Batch>, JoinSet<()>) {
    let (sender, receiver) = mpsc::channel(PAGES_IN_QUEUE);
    let queue = Arc::new(Mutex::new(queries(plan, fence)));
    let mut tasks = JoinSet::new();
    for _ in 0..options.list_concurrency.max(1) {
        let lister = Lister {
            cluster: Arc::clone(cluster),
            queue: Arc::clone(&queue),
            sender: sender.clone(),
            lenient: fence.lenient,
            page_bytes: options.page_bytes,
            max_page_items: options.max_page_items,
        };
        let cancel = cancel.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = lister.run() => {}
            }
        });
    }
    (receiver, tasks)
}

struct Query {
    list: ListQuery,
    resource: Arc<ApiResource>,
    /// Why this list is not read at the fence's revision, if it is not.
    unfenced: Option<String>,
}

fn queries(plan: &BackupPlan, fence: &Fence) -> VecDeque<Query> {
    let mut queries = VecDeque::new();
    for kind in &plan.kinds {
        let resource = Arc::new(kind.resource.clone());
        let unfenced = (fence.at.is_some() && !kind.fenced)
            .then(|| "an aggregated API server keeps these objects elsewhere".to_owned());
        for namespace in &kind.scopes {
            for selector in &plan.label_queries {
                queries.push_back(Query {
                    list: ListQuery {
                        resource: kind.resource.clone(),
                        namespace: namespace.clone(),
                        label_selector: selector.clone(),
                        field_selector: None,
                        at: if kind.fenced { fence.at.clone() } else { None },
                    },
                    resource: Arc::clone(&resource),
                    unfenced: unfenced.clone(),
                });
            }
        }
    }
    queries
}

struct Lister {
    cluster: Arc<dyn Cluster>,
    queue: Arc<Mutex<VecDeque<Query>>>,
    sender: mpsc::Sender<Batch>,
    lenient: bool,
    page_bytes: usize,
    max_page_items: u32,
}

/// The receiver is gone: nobody wants more.
struct Unwanted;

impl Lister {
    async fn run(self) {
        loop {
            let query = match self.queue.lock() {
                Ok(mut queue) => queue.pop_front(),
                Err(_) => None,
            };
            let Some(query) = query else { return };
            if self.list(query).await.is_err() {
                return;
            }
        }
    }

    async fn list(&self, mut query: Query) -> Result<(), Unwanted> {
        let Err(error) = self.pages(&query).await? else {
            return Ok(());
        };
        let elsewhere = is_ahead_of_this_store(&error);
        match error.kind {
            ClusterErrorKind::Expired if !self.lenient => self.send(Batch::Expired(error)).await,
            _ if query.list.at.is_some()
                && (elsewhere || error.kind == ClusterErrorKind::Expired) =>
            {
                query.unfenced = Some(error.message);
                query.list.at = None;
                match self.pages(&query).await? {
                    Ok(()) => Ok(()),
                    Err(error) => self.failed(&query, error).await,
                }
            }
            _ => self.failed(&query, error).await,
        }
    }

    async fn failed(&self, query: &Query, error: ClusterError) -> Result<(), Unwanted> {
        let resource = Arc::clone(&query.resource);
        self.send(Batch::Failed {
            resource,
            namespace: query.list.namespace.clone(),
            error,
        })
        .await
    }

    /// Reads all pages of one list.
    async fn pages(&self, query: &Query) -> Result<Result<(), ClusterError>, Unwanted> {
        let mut token: Option<String> = None;
        let mut limit = FIRST_PAGE.min(self.max_page_items);
        let mut unfenced = query.unfenced.clone();
        let mut first = true;
        loop {
            let page = match self
                .cluster
                .list(&query.list, token.as_deref(), limit)
                .await
            {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            if let Some(reason) = unfenced.take() {
                let resource = Arc::clone(&query.resource);
                self.send(Batch::Unfenced {
                    resource,
                    revision: page.revision,
                    reason,
                })
                .await?;
            }
            limit = next_limit(
                page.bytes,
                page.items.len(),
                self.page_bytes,
                self.max_page_items,
            );
            let all = page.items.len() as u64 + page.remaining.unwrap_or(0);
            let announced = if std::mem::take(&mut first) { all } else { 0 };
            if !page.items.is_empty() {
                let resource = Arc::clone(&query.resource);
                self.send(Batch::Page {
                    resource,
                    items: page.items,
                    announced,
                })
                .await?;
            }
            match page.next {
                Some(next) => token = Some(next),
                None => return Ok(Ok(())),
            }
        }
    }

    async fn send(&self, batch: Batch) -> Result<(), Unwanted> {
        self.sender.send(batch).await.map_err(|_| Unwanted)
    }
}

/// A kind kept in another etcd has revisions of its own: ours may lie in its future.
fn is_ahead_of_this_store(error: &ClusterError) -> bool {
    error.message.contains("Too large resource version")
}

/// How many objects the next page may have to stay near `page_bytes`.
fn next_limit(bytes: usize, items: usize, page_bytes: usize, max_items: u32) -> u32 {
    if items == 0 {
        return max_items;
    }
    let each = (bytes / items).max(1);
    u32::try_from(page_bytes / each)
        .unwrap_or(u32::MAX)
        .clamp(1, max_items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_the_size_of_objects() {
        assert_eq!(next_limit(100_000, 100, 1 << 20, 1000), 1000);
        assert_eq!(next_limit(1_000_000, 100, 1 << 20, 1000), 104);
        assert_eq!(next_limit(140_000_000, 100, 1 << 20, 1000), 1);
        assert_eq!(next_limit(0, 0, 1 << 20, 500), 500);
    }
}
