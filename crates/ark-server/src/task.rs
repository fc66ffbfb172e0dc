//! The one way to start something that runs by itself.
//!
//! Every task has a kind, a name, a span in the log and an answer to
//! cancellation. Nothing else in this crate may call `tokio::spawn`.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// What a task is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TaskKind {
    /// Watches custom resources and reconciles them.
    Controller,
    /// One backup, restore or deletion.
    Job,
    /// Answers HTTP: health and metrics.
    Http,
    /// Does something again and again, by the clock.
    Timer,
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Controller => "controller",
            Self::Job => "job",
            Self::Http => "http",
            Self::Timer => "timer",
        })
    }
}

/// What cancellation does to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnCancel {
    /// The task is dropped at its next await: it holds nothing that needs care.
    Drop,
    /// The task watches the token by itself and is waited for.
    Finish,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended<T> {
    /// It returned.
    Returned(T),
    /// It was dropped because of cancellation.
    Dropped,
    /// It panicked, with this message.
    Panicked(String),
}

/// All tasks of one server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tasks {
    tracker: TaskTracker,
    cancel: CancellationToken,
    kill: CancellationToken,
}

impl Tasks {
    /// Tasks that end when `cancel` is cancelled.
    pub(crate) fn new(cancel: CancellationToken) -> Self {
        Self {
            tracker: TaskTracker::new(),
            cancel,
            kill: CancellationToken::new(),
        }
    }

    /// The token that ends all tasks.
    pub(crate) fn cancelled(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Starts a task. A panic in it is logged and told to who waits for it.
    pub(crate) fn spawn<F>(
        &self,
        kind: TaskKind,
        name: impl Into<Cow<'static, str>>,
        on_cancel: OnCancel,
        future: F,
    ) -> JoinHandle<Ended<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let name = name.into();
        let span = tracing::info_span!("task", %kind, %name);
        let end = match on_cancel {
            OnCancel::Finish => self.kill.clone(),
            OnCancel::Drop => self.cancel.clone(),
        };
        let guarded = async move {
            let caught = AssertUnwindSafe(future).catch_unwind();
            match end.run_until_cancelled_owned(caught).await {
                None => Ended::Dropped,
                Some(Ok(value)) => Ended::Returned(value),
                Some(Err(panic)) => {
                    let message = panic_message(&*panic);
                    tracing::error!(message, "a task panicked");
                    Ended::Panicked(message)
                }
            }
        };
        self.tracker.spawn(guarded.instrument(span))
    }

    /// Drops every task at its next await, without cleaning up: for a server that
    /// may no longer write because another one has taken over.
    pub(crate) fn kill(&self) {
        self.cancel.cancel();
        self.kill.cancel();
    }

    /// Waits until all tasks have ended, at most for `grace`. Says whether they did.
    pub(crate) async fn wait(&self, grace: Duration) -> bool {
        self.tracker.close();
        tokio::time::timeout(grace, self.tracker.wait())
            .await
            .is_ok()
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    panic
        .downcast_ref::<String>()
        .cloned()
        .unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_told_and_not_spread() {
        let tasks = Tasks::default();
        let handle = tasks.spawn(TaskKind::Job, "x", OnCancel::Finish, async {
            panic!("boom {}", 1)
        });
        assert_eq!(
            handle.await.unwrap(),
            Ended::<()>::Panicked("boom 1".into())
        );
    }

    #[tokio::test]
    async fn cancellation_drops_or_waits() {
        let tasks = Tasks::default();
        let token = tasks.cancelled().clone();
        let dropped = tasks.spawn(
            TaskKind::Timer,
            "drop",
            OnCancel::Drop,
            std::future::pending::<()>(),
        );
        let finishing = tasks.spawn(TaskKind::Job, "finish", OnCancel::Finish, async move {
            token.cancelled().await;
            7
        });
        tasks.cancelled().cancel();
        assert_eq!(dropped.await.unwrap(), Ended::Dropped);
        assert_eq!(finishing.await.unwrap(), Ended::Returned(7));
        assert!(tasks.wait(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn killing_waits_for_nobody() {
        let tasks = Tasks::default();
        let stubborn = tasks.spawn(
            TaskKind::Job,
            "stubborn",
            OnCancel::Finish,
            std::future::pending::<()>(),
        );
        tasks.kill();
        assert_eq!(stubborn.await.unwrap(), Ended::Dropped);
    }
}
