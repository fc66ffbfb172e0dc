//! The cluster's namespaces, as the queue of backups and the start need them.

use ark_engine::object::Object;
use ark_engine::port::{ApiResource, Cluster, ClusterError, ListQuery};

/// Namespaces on a page.
const PAGE: u32 = 500;

/// All namespaces there are now.
pub(crate) async fn list(cluster: &dyn Cluster) -> Result<Vec<Object>, ClusterError> {
    let query = ListQuery::all(ApiResource::namespaces());
    let mut all = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let page = cluster.list(&query, token.as_deref(), PAGE).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => token = Some(next),
            None => return Ok(all),
        }
    }
}
