//! Following one custom resource as it changes: what `--wait` looks at.

use std::time::Duration;

use futures::{Stream, StreamExt as _};
use kube::core::DeserializeGuard;
use kube::runtime::{WatchStreamExt as _, watcher};

use ark_engine::port::{ClusterError, ClusterErrorKind};

use crate::controller::invalid;
use crate::custom::{Custom, CustomError, CustomResource};
use crate::error;

impl<K: CustomResource> Custom<K> {
    /// The states of one object from now on: the present one first, `None` while
    /// there is no such object. States may be skipped, the newest never is.
    ///
    /// Broken watches are taken up again. The stream ends after a failure that
    /// waiting does not mend, such as a missing permission; a state that `K`
    /// cannot read is an error item, and the stream goes on.
    pub fn follow(
        &self,
        name: &str,
    ) -> Result<impl Stream<Item = Result<Option<K>, CustomError>> + Send + use<K>, CustomError>
    {
        let client = self.connection().watch_client()?;
        let api: kube::Api<DeserializeGuard<K>> = kube::Api::namespaced(client, self.namespace());
        let operation = format!("watch {} {}/{name}", self.kind(), self.namespace());
        let states = watcher::watch_object(api, name)
            .default_backoff()
            .filter_map(move |state| {
                let item = match state {
                    Ok(None) => Some(Ok(None)),
                    Ok(Some(guard)) => Some(match guard.0 {
                        Ok(object) => Ok(Some(object)),
                        Err(problem) => Err(CustomError::Invalid(invalid::<K>(&problem))),
                    }),
                    Err(problem) => lasting(&operation, &problem).map(|e| Err(e.into())),
                };
                std::future::ready(item)
            });
        // `scan` so that a lasting failure is still handed out before the end.
        Ok(states.scan(false, |ended, item| {
            let go_on = !*ended;
            *ended = matches!(item, Err(CustomError::Call(_)));
            std::future::ready(go_on.then_some(item))
        }))
    }

    /// Waits until the object is in a state that `wanted` accepts, and answers it.
    ///
    /// # Errors
    /// [`CustomError::Gone`] when there is no such object, [`CustomError::Timeout`]
    /// after `timeout`, [`CustomError::Invalid`] when it cannot be read.
    pub async fn watch_until(
        &self,
        name: &str,
        mut wanted: impl FnMut(&K) -> bool,
        timeout: Duration,
    ) -> Result<K, CustomError> {
        let mut states = Box::pin(self.follow(name)?);
        let reach = async {
            while let Some(state) = states.next().await {
                match state? {
                    Some(object) if wanted(&object) => return Ok(object),
                    Some(_) => {}
                    None => break,
                }
            }
            Err(CustomError::Gone {
                kind: self.kind().to_owned(),
                namespace: self.namespace().to_owned(),
                name: name.to_owned(),
            })
        };
        tokio::time::timeout(timeout, reach)
            .await
            .unwrap_or_else(|_| {
                Err(CustomError::Timeout {
                    kind: self.kind().to_owned(),
                    namespace: self.namespace().to_owned(),
                    name: name.to_owned(),
                    waited: timeout,
                })
            })
    }
}

/// The failure of a watch, if it will not pass by itself.
fn lasting(operation: &str, problem: &watcher::Error) -> Option<ClusterError> {
    let (watcher::Error::WatchError(status)
    | watcher::Error::InitialListFailed(kube::Error::Api(status))
    | watcher::Error::WatchStartFailed(kube::Error::Api(status))
    | watcher::Error::WatchFailed(kube::Error::Api(status))) = problem
    else {
        tracing::debug!(operation, error = %problem, "a watch broke; taking it up again");
        return None;
    };
    let found = error::from_status(operation, status.code, &status.reason, &status.message);
    match found.kind {
        ClusterErrorKind::Forbidden
        | ClusterErrorKind::Unauthorized
        | ClusterErrorKind::NotFound
        | ClusterErrorKind::Invalid
        | ClusterErrorKind::Unsupported => Some(found),
        _ => {
            tracing::debug!(operation, error = %found, "a watch broke; taking it up again");
            None
        }
    }
}
