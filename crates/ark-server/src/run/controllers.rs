//! Which controllers and timers there are, and how each is started and ends.

use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::Clock;
use ark_kube::controller::{Controller, ControllerOptions, Next};
use ark_kube::{ConnectError, Connection, CustomResource};
use futures::future::{BoxFuture, join_all, select_all};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::ServerError;
use crate::context::{Context, Triggers};
use crate::controller::{
    ReconcileError, backup, backup_queue, backup_sync, delete_request, download_request, gc,
    housekeeping, restore, schedule, status_request, storage_location,
};
use crate::disabled::DisabledControllers;
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::task::{Ended, OnCancel, TaskKind, Tasks};

/// How often memory is compared with the cluster.
const HOUSEKEEPING: Duration = Duration::from_mins(1);

/// A started controller or timer.
type Named = (&'static str, JoinHandle<Ended<()>>);

/// Starts every controller and timer.
pub(super) fn start(
    connection: &Connection,
    namespace: &str,
    options: ServerOptions,
    clock: Arc<dyn Clock>,
    (tasks, metrics, stop): (&Tasks, Arc<Metrics>, &CancellationToken),
) -> Result<Vec<Named>, ServerError> {
    let disabled = options.disabled_controllers.clone();
    let set_up = SetUp {
        connection,
        namespace,
        tasks,
        stop,
        disabled,
    };
    let queue = set_up.controller()?;
    let backups = set_up.controller()?;
    let restores = set_up.controller()?;
    let deletions = set_up.controller()?;
    let triggers = Triggers {
        queue: queue.trigger(),
        backups: backups.trigger(),
        restores: restores.trigger(),
        deletions: deletions.trigger(),
    };
    let collection = options.garbage_collection_frequency;
    let context = Context::new(
        connection,
        namespace,
        options,
        clock,
        (tasks, triggers, metrics),
    );
    let context = Arc::new(context);
    let handles = vec![
        set_up.run("backup-queue", queue, &context, backup_queue::reconcile),
        set_up.run("backup", backups, &context, backup::reconcile),
        set_up.run("restore", restores, &context, restore::reconcile),
        set_up.run(
            "backup-deletion",
            deletions,
            &context,
            delete_request::reconcile,
        ),
        set_up.run(
            "storage-location",
            set_up.controller()?,
            &context,
            storage_location::reconcile,
        ),
        set_up.run(
            "backup-sync",
            set_up.controller()?,
            &context,
            backup_sync::reconcile,
        ),
        set_up.run(
            "download-request",
            set_up.controller()?,
            &context,
            download_request::reconcile,
        ),
        set_up.run(
            "server-status-request",
            set_up.controller()?,
            &context,
            status_request::reconcile,
        ),
        set_up.run(
            "schedule",
            set_up.controller()?,
            &context,
            schedule::reconcile,
        ),
        set_up.every("gc", collection, &context, gc::sweep),
        set_up.every("housekeeping", HOUSEKEEPING, &context, housekeeping::tidy),
    ];
    Ok(handles.into_iter().flatten().collect())
}

struct SetUp<'a> {
    connection: &'a Connection,
    namespace: &'a str,
    tasks: &'a Tasks,
    stop: &'a CancellationToken,
    disabled: DisabledControllers,
}

impl SetUp<'_> {
    fn controller<K: CustomResource>(&self) -> Result<Controller<K>, ConnectError> {
        Controller::new(
            self.connection,
            self.namespace,
            ControllerOptions::default(),
        )
    }

    fn run<K, R, Fut>(
        &self,
        name: &'static str,
        controller: Controller<K>,
        context: &Arc<Context>,
        reconcile: R,
    ) -> Option<Named>
    where
        K: CustomResource,
        R: Fn(Arc<Context>, Arc<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Next, ReconcileError>> + Send + 'static,
    {
        self.is_wanted(name).then_some(())?;
        let (context, stop) = (Arc::clone(context), self.stop.clone());
        let running = controller.run(
            move |object| reconcile(Arc::clone(&context), object),
            |invalid| tracing::warn!(error = %invalid, "a resource is left alone"),
            stop,
        );
        let running = Box::pin(running);
        let handle = self
            .tasks
            .spawn(TaskKind::Controller, name, OnCancel::Finish, running);
        Some((name, handle))
    }

    fn is_wanted(&self, name: &str) -> bool {
        let wanted = !self.disabled.contains(name);
        if !wanted {
            tracing::info!(controller = name, "does not run: it is disabled");
        }
        wanted
    }

    /// Does something at once and then again and again.
    fn every<F, Fut>(
        &self,
        name: &'static str,
        period: Duration,
        context: &Arc<Context>,
        action: F,
    ) -> Option<Named>
    where
        F: Fn(Arc<Context>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), ReconcileError>> + Send + 'static,
    {
        self.is_wanted(name).then_some(())?;
        let (context, stop) = (Arc::clone(context), self.stop.clone());
        let ticking = async move {
            loop {
                if let Err(error) = action(Arc::clone(&context)).await {
                    tracing::warn!(timer = name, error = %error, "failed; trying again later");
                }
                if stop
                    .run_until_cancelled(tokio::time::sleep(period))
                    .await
                    .is_none()
                {
                    return;
                }
            }
        };
        let handle = self
            .tasks
            .spawn(TaskKind::Timer, name, OnCancel::Finish, ticking);
        Some((name, handle))
    }
}

/// The ends of the controllers: none should come before the server's.
pub(super) struct Ends(Vec<BoxFuture<'static, &'static str>>);

impl Ends {
    /// Of these.
    pub(super) fn new(handles: Vec<Named>) -> Self {
        let named = handles
            .into_iter()
            .map(|(name, handle)| -> BoxFuture<'_, _> {
                Box::pin(async move {
                    // How it ended is in the log; that it ended is what matters.
                    let _ = handle.await;
                    name
                })
            });
        Self(named.collect())
    }

    /// The first to end, by name.
    pub(super) async fn first(&mut self) -> String {
        let (name, index, _) = select_all(&mut self.0).await;
        drop(self.0.remove(index));
        name.to_owned()
    }

    /// Waits for the rest, not for ever.
    pub(super) async fn all(self, patience: Duration) {
        let ended = join_all(self.0);
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::warn!("some reconciles are still under way");
        }
    }
}
