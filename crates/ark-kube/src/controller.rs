//! Running a reconcile function for every custom resource of a kind.
//!
//! # Flow
//! Every object is reconciled when the controller starts, when it changes, when
//! the time named by [`Next`] has come, and when a [`Trigger`] asks. One object is
//! never reconciled twice at the same time; different ones are, up to the
//! configured concurrency.
//!
//! # Assumptions
//! A reconcile takes seconds, not minutes: work that takes longer runs as a job of
//! its own, which the reconcile starts or looks at, and which triggers the object
//! when it ends. A shutdown waits for reconciles under way.
//! A reconcile that writes to its object only when something differs; each write
//! causes another reconcile.
//!
//! # Guarantees
//! * A reconcile that fails or panics is repeated after a pause that doubles from
//!   one failure of that object to the next, and starts small again after a success.
//! * An object that its type cannot read is reported once per version and disturbs
//!   no other object.
//! * A broken watch is taken up again.

use std::error::Error as StdError;
use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use kube::Resource as _;
use kube::core::DeserializeGuard;
use kube::core::error_boundary::InvalidObject;
use kube::runtime::controller::{Action, Error as RunError};
use kube::runtime::{Controller as Runner, watcher};
use tokio_util::sync::CancellationToken;

use crate::backoff::jitter;
use crate::connect::{ConnectError, Connection};
use crate::custom::{CustomResource, Invalid};

mod failures;
mod trigger;

use failures::Failures;
pub use trigger::Trigger;

/// How a controller works.
#[derive(Debug, Clone)]
pub struct ControllerOptions {
    /// Reconciles at the same time.
    pub concurrency: u16,
    /// Every object is reconciled at least this often.
    pub resync: Duration,
    /// Only objects with these labels, in the API's text form.
    pub label_selector: Option<String>,
    /// Pause after the first failure of an object.
    pub first_pause: Duration,
    /// Longest pause between failures of an object.
    pub longest_pause: Duration,
}

impl Default for ControllerOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            resync: Duration::from_mins(10),
            label_selector: None,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_mins(5),
        }
    }
}

/// When to look at an object again, at the latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// After this long, or at the next resync if that is sooner.
    After(Duration),
    /// When it changes, or at the next resync.
    OnChange,
}

/// A controller that is set up but does not run yet.
pub struct Controller<K: CustomResource> {
    runner: Runner<DeserializeGuard<K>>,
    options: ControllerOptions,
    trigger: Trigger,
}

/// A reconcile that did not succeed.
#[derive(Debug, thiserror::Error)]
enum Failure<E: StdError + 'static> {
    #[error(transparent)]
    Failed(E),
    #[error("the reconcile panicked")]
    Panicked,
}

impl<K: CustomResource> Controller<K> {
    /// Prepares a controller for the objects of one namespace.
    pub fn new(
        connection: &Connection,
        namespace: &str,
        options: ControllerOptions,
    ) -> Result<Self, ConnectError> {
        let client = connection.watch_client()?;
        let api: kube::Api<DeserializeGuard<K>> = kube::Api::namespaced(client, namespace);
        let mut watch = watcher::Config::default();
        if let Some(selector) = &options.label_selector {
            watch = watch.labels(selector);
        }
        let (trigger, requests) = trigger::channel(namespace);
        let runner = Runner::new(api, watch)
            .with_config(
                kube::runtime::controller::Config::default().concurrency(options.concurrency),
            )
            .reconcile_all_on(requests.all())
            .reconcile_on(requests.objects());
        Ok(Self {
            runner,
            options,
            trigger,
        })
    }

    /// Asks this controller, from anywhere, to reconcile.
    pub fn trigger(&self) -> Trigger {
        self.trigger.clone()
    }

    /// Runs until `shutdown` is cancelled and the reconciles under way have ended.
    ///
    /// `invalid` is called once for each version of an object that cannot be read.
    pub async fn run<R, Fut, E, I>(self, reconcile: R, invalid: I, shutdown: CancellationToken)
    where
        R: Fn(Arc<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Next, E>> + Send + 'static,
        E: StdError + Send + Sync + 'static,
        I: Fn(Invalid) + Send + Sync + 'static,
    {
        let failures = Arc::new(Failures::new(&self.options));
        let resync = self.options.resync;
        let context = Arc::clone(&failures);
        let reconcile = move |guard: Arc<DeserializeGuard<K>>, failures: Arc<Failures>| {
            let future = match &guard.0 {
                Ok(object) => Some(reconcile(Arc::new(object.clone()))),
                Err(problem) => {
                    if failures.is_new(&problem.metadata) {
                        invalid(self::invalid::<K>(problem));
                    }
                    None
                }
            };
            step(
                future,
                guard.meta().name.clone().unwrap_or_default(),
                resync,
                failures,
            )
        };
        let again = |guard: Arc<DeserializeGuard<K>>, _: &Failure<E>, failures: Arc<Failures>| {
            Action::requeue(failures.pause(guard.meta().name.as_deref().unwrap_or_default()))
        };
        let store = self.runner.store();
        self.runner
            .graceful_shutdown_on(shutdown.cancelled_owned())
            .run(reconcile, again, context)
            .for_each(|result| {
                if let Err(error) = result {
                    report::<K, _, _>(error);
                    failures.forget_absent(store.len(), |name| {
                        store
                            .find(|guard| guard.meta().name.as_deref() == Some(name))
                            .is_some()
                    });
                }
                std::future::ready(())
            })
            .await;
    }
}

async fn step<Fut, E>(
    reconcile: Option<Fut>,
    name: String,
    resync: Duration,
    failures: Arc<Failures>,
) -> Result<Action, Failure<E>>
where
    Fut: Future<Output = Result<Next, E>> + Send + 'static,
    E: StdError + Send + Sync + 'static,
{
    let Some(reconcile) = reconcile else {
        return Ok(Action::await_change());
    };
    // A panic concerns one object; without this it would end the controller.
    let next = match AssertUnwindSafe(reconcile).catch_unwind().await {
        Ok(result) => result.map_err(Failure::Failed)?,
        Err(_) => return Err(Failure::Panicked),
    };
    failures.forget(&name);
    // Spread, so that objects read at one start do not stay in step for ever.
    let latest = jitter(resync);
    Ok(Action::requeue(match next {
        Next::After(pause) => pause.min(latest),
        Next::OnChange => latest,
    }))
}

fn report<K: CustomResource, E: StdError + 'static, Q: StdError + 'static>(error: RunError<E, Q>) {
    let kind = K::kind(&());
    match error {
        RunError::ReconcilerFailed(error, object) => tracing::warn!(
            %kind, object = object.name, error = %Chain(&error), "reconcile failed"
        ),
        // Deleted between being queued and being looked at.
        RunError::ObjectNotFound(object) => {
            tracing::debug!(%kind, object = object.name, "nothing left to reconcile");
        }
        RunError::QueueError(error) => {
            tracing::warn!(%kind, error = %Chain(&error), "the watch broke; taking it up again");
        }
        RunError::RunnerError(error) => {
            tracing::warn!(%kind, error = %Chain(&error), "the controller stumbled");
        }
    }
}

/// An error and its causes in one line.
struct Chain<'a>(&'a dyn StdError);

impl Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut said = self.0.to_string();
        write!(f, "{said}")?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let words = error.to_string();
            // Some libraries repeat the cause in the message.
            if !said.contains(&words) {
                write!(f, ": {words}")?;
            }
            said = words;
            cause = error.source();
        }
        Ok(())
    }
}

pub(crate) fn invalid<K: CustomResource>(problem: &InvalidObject) -> Invalid {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    Invalid {
        kind: K::kind(&()).into_owned(),
        namespace: text(&problem.metadata.namespace),
        name: text(&problem.metadata.name),
        uid: text(&problem.metadata.uid),
        reason: problem.error.clone(),
    }
}
