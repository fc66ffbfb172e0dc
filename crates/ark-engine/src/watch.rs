//! The objects that a list names, followed: all of them first, then each change, over one
//! list and one watch, taken up again whenever the server ends it.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use jiff::Timestamp;

use crate::object::Object;
use crate::port::{Change, Changes, Clock, Cluster, ClusterError, ListQuery};

/// Objects a page.
const PAGE: u32 = 500;
/// A follower hears something at least this often, if only that there is nothing new.
const TICK: Duration = Duration::from_secs(1);

/// What a follower sees.
#[derive(Debug)]
pub(crate) enum Seen {
    /// All objects that there are.
    All(Vec<Object>),
    /// One was made or changed.
    Present(Object),
    /// One is gone.
    Gone(Object),
    /// Nothing for a while.
    Quiet,
}

/// Follows objects; dropping it ends the watch.
pub(crate) struct Follower {
    cluster: Arc<dyn Cluster>,
    clock: Arc<dyn Clock>,
    query: ListQuery,
    changes: Option<Changes>,
    listed: bool,
    begun: Timestamp,
    slept: Duration,
}

impl Follower {
    pub(crate) fn new(cluster: Arc<dyn Cluster>, clock: Arc<dyn Clock>, query: ListQuery) -> Self {
        let begun = clock.now();
        Self {
            cluster,
            clock,
            query,
            changes: None,
            listed: false,
            begun,
            slept: Duration::ZERO,
        }
    }

    /// How long it has followed.
    pub(crate) fn elapsed(&self) -> Duration {
        let elapsed = self.clock.now().duration_since(self.begun);
        self.slept.max(elapsed.try_into().unwrap_or_default())
    }

    /// The next thing to see. Where the server cannot be watched, lists take its place.
    ///
    /// # Errors
    /// When the objects cannot be listed, and waiting will not mend that.
    pub(crate) async fn next(&mut self) -> Result<Seen, ClusterError> {
        let Some(changes) = &mut self.changes else {
            return self.list().await;
        };
        let pause = self.clock.sleep(TICK);
        let change = tokio::select! {
            biased;
            change = changes.next() => change,
            () = pause => {
                self.slept += TICK;
                return Ok(Seen::Quiet);
            }
        };
        match change {
            Some(Ok(Change::Present(object))) => Ok(Seen::Present(object)),
            Some(Ok(Change::Gone(object))) => Ok(Seen::Gone(object)),
            Some(Err(_)) | None => {
                self.changes = None;
                Ok(Seen::Quiet)
            }
        }
    }

    /// Shows everything anew, after a pause: what was seen could not be dealt with.
    pub(crate) fn again(&mut self) {
        self.changes = None;
    }

    async fn list(&mut self) -> Result<Seen, ClusterError> {
        if self.listed {
            self.clock.sleep(TICK).await;
            self.slept += TICK;
        }
        self.listed = true;
        let mut all = Vec::new();
        let mut token = None;
        let revision = loop {
            let page = self.cluster.list(&self.query, token.as_deref(), PAGE).await;
            let page = match page {
                Ok(page) => page,
                Err(error) if error.is_retryable() => return Ok(Seen::Quiet),
                Err(error) => return Err(error),
            };
            all.extend(page.items);
            match page.next {
                Some(next) => token = Some(next),
                None => break page.revision,
            }
        };
        self.changes = self.cluster.watch(&self.query, &revision).await.ok();
        Ok(Seen::All(all))
    }
}
