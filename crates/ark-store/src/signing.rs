//! URLs that let whoever has them read one object for a while.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use opendal::{Error, Operator};

/// Signs URLs for the objects of one bucket.
#[async_trait]
pub(crate) trait UrlSigner: Send + Sync {
    /// A URL to read `key`, good for `ttl`.
    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Error>;
}

/// The client's own way.
pub(crate) fn of(client: Operator) -> Arc<dyn UrlSigner> {
    Arc::new(client)
}

#[async_trait]
impl UrlSigner for Operator {
    async fn sign(&self, key: &str, ttl: Duration) -> Result<String, Error> {
        let request = self.presign_read(key, ttl).await?;
        Ok(request.uri().to_string())
    }
}
