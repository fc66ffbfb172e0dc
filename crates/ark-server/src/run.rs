//! The composition root: connect, check, be elected, run controllers, end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{
    ApiResource, Clock, Cluster as _, ClusterError, Discovery, SystemClock, Target,
};
use ark_kube::controller::{Controller, ControllerOptions, Next};
use ark_kube::lease::{self, Leadership, LeaseOptions};
use ark_kube::{ConnectError, ConnectOptions, Connection, CustomResource};
use futures::future::select_all;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::context::{Context, Triggers};
use crate::controller::{
    ReconcileError, backup, backup_sync, delete_request, download_request, gc, housekeeping,
    restore, status_request, storage_location,
};
use crate::health::{self, Endpoint, Stage};
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::task::{Ended, OnCancel, TaskKind, Tasks};

/// Name of the lease in the server's namespace.
const LEASE: &str = "ark-server";
/// How often memory is compared with the cluster.
const HOUSEKEEPING: Duration = Duration::from_mins(1);
/// How long reconciles under way may take when the server ends.
const RECONCILES_GRACE: Duration = Duration::from_secs(10);

/// Why the server did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No connection could be prepared.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The API server was asked something without which there is no start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The server's namespace is missing.
    #[error(
        "namespace `{0}` does not exist; `ark install` creates it with all that a server needs"
    )]
    NoNamespace(String),
    /// Some of the kinds are missing.
    #[error(
        "the cluster does not serve {}; `ark install --crds-only` installs their definitions",
        .0.join(", ")
    )]
    NoKinds(Vec<String>),
    /// The definitions in this program are broken.
    #[error(transparent)]
    Definitions(#[from] ark_api::crd::CrdError),
    /// The address for health and metrics cannot be used.
    #[error("cannot listen on `{address}` for health and metrics")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another server may have taken over.
    #[error("the lease was lost; another server may act now, so this one has stopped")]
    LeaseLost,
    /// A part that must run has ended.
    #[error("controller `{0}` ended by itself")]
    ControllerEnded(String),
    /// Something did not clean up in time.
    #[error("not all jobs ended within {} seconds; they are begun again at the next start", .0.as_secs())]
    Unfinished(Duration),
}

/// Runs a server until `shutdown` is cancelled.
///
/// # Errors
/// [`ServerError`]
pub async fn run(options: ServerOptions, shutdown: CancellationToken) -> Result<(), ServerError> {
    Box::pin(Server::prepare(options).await?.run(shutdown)).await
}

/// A server that has found all it needs and does nothing yet but listen.
pub struct Server {
    options: ServerOptions,
    connection: Connection,
    namespace: String,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Connects, checks that namespace and kinds exist, and listens.
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn prepare(options: ServerOptions) -> Result<Self, ServerError> {
        let connection = Connection::from_options(&ConnectOptions {
            kubeconfig: options.kubeconfig.clone(),
            context: options.context.clone(),
            namespace: options.namespace.clone(),
            user_agent: concat!("ark-server/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_concurrency: options.max_concurrent_calls,
            ..ConnectOptions::default()
        })
        .await?;
        let namespace = connection.default_namespace().to_owned();
        check_namespace(&connection, &namespace).await?;
        check_kinds(&connection.discover().await?)?;
        let bound = health::bind(&options.metrics_address).await;
        let (listener, address) = bound.map_err(|source| ServerError::Listen {
            address: options.metrics_address.clone(),
            source,
        })?;
        Ok(Self {
            options,
            connection,
            namespace,
            listener,
            address,
        })
    }

    /// Where health and metrics are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The namespace whose resources it acts on.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Runs until `shutdown` is cancelled. Dropping the future is like the end of
    /// the process: everything stops at once, and nothing is cleaned up.
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), ServerError> {
        let tasks = Tasks::new(CancellationToken::new());
        let _kill = KillOnDrop(tasks.clone());
        let metrics = Arc::new(Metrics::new());
        let (stage, stages) = watch::channel(Stage::Standby);
        let endpoint = Endpoint {
            stage: stages,
            metrics: Arc::clone(&metrics),
        };
        health::serve(&tasks, self.listener, endpoint);
        tracing::info!(
            namespace = self.namespace, address = %self.address, server = self.connection.server(),
            version = env!("CARGO_PKG_VERSION"), "ark server"
        );

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let seat = take_seat(&self.connection, &self.namespace, &self.options, &clock);
        let Some(seat) = seat.await_or(&shutdown).await else {
            return Ok(());
        };

        let grace = self.options.shutdown_grace;
        let stop = shutdown.child_token();
        let controllers = start(
            &self.connection,
            &self.namespace,
            self.options,
            clock,
            (&tasks, metrics, &stop),
        )?;
        stage.send_replace(Stage::Running);
        tracing::info!("controllers run");

        let mut ends = Ends::new(controllers);
        tokio::select! {
            // In this order: a shutdown ends the controllers, too.
            biased;
            () = shutdown.cancelled() => {}
            () = seat.lost() => {
                stage.send_replace(Stage::Broken("the lease was lost".to_owned()));
                tasks.kill();
                return Err(ServerError::LeaseLost);
            }
            name = ends.first() => {
                stage.send_replace(Stage::Broken(format!("controller `{name}` ended")));
                tasks.kill();
                return Err(ServerError::ControllerEnded(name));
            }
        }
        stage.send_replace(Stage::Stopping);
        tracing::info!("stopping: running jobs stay in progress and are begun again later");
        ends.all(RECONCILES_GRACE).await;
        tasks.cancelled().cancel();
        let clean = tasks.wait(grace).await;
        if !clean {
            tasks.kill();
        }
        // The seat is given back when nothing can write any more.
        seat.leave().await;
        if clean {
            Ok(())
        } else {
            Err(ServerError::Unfinished(grace))
        }
    }
}

struct KillOnDrop(Tasks);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.kill();
    }
}

async fn check_namespace(connection: &Connection, name: &str) -> Result<(), ServerError> {
    let namespaces = ApiResource {
        group: String::new(),
        version: "v1".to_owned(),
        plural: "namespaces".to_owned(),
        singular: "namespace".to_owned(),
        kind: "Namespace".to_owned(),
        namespaced: false,
        verbs: vec!["get".to_owned()],
        short_names: Vec::new(),
        preferred: true,
    };
    let target = Target {
        resource: &namespaces,
        namespace: None,
        name,
    };
    match connection.get(target).await? {
        Some(_) => Ok(()),
        None => Err(ServerError::NoNamespace(name.to_owned())),
    }
}

fn check_kinds(discovery: &Discovery) -> Result<(), ServerError> {
    let missing: Vec<String> = ark_api::crd::all()?
        .into_iter()
        .filter_map(|definition| definition.metadata.name)
        .filter(|name| {
            !discovery
                .resources
                .iter()
                .any(|one| one.group_resource() == *name)
        })
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ServerError::NoKinds(missing))
    }
}

/// The right to act: the lease, or nothing where no lease is wanted.
struct Seat(Option<Leadership>);

impl Seat {
    async fn lost(&self) {
        match &self.0 {
            Some(leadership) => leadership.lost().cancelled().await,
            None => std::future::pending().await,
        }
    }

    async fn leave(self) {
        if let Some(leadership) = self.0 {
            leadership.release().await;
        }
    }
}

struct Election {
    connection: Connection,
    clock: Arc<dyn Clock>,
    lease: Option<LeaseOptions>,
}

fn take_seat(
    connection: &Connection,
    namespace: &str,
    options: &ServerOptions,
    clock: &Arc<dyn Clock>,
) -> Election {
    let lease = options.leader_election.then(|| {
        let identity = options.identity.clone().unwrap_or_else(|| {
            format!("ark-{}-{}", std::process::id(), clock.now().as_nanosecond())
        });
        LeaseOptions {
            duration: options.lease_duration,
            deadline: options.lease_duration * 2 / 3,
            retry: options.lease_duration / 7,
            ..LeaseOptions::new(namespace, LEASE, &identity)
        }
    });
    Election {
        connection: connection.clone(),
        clock: Arc::clone(clock),
        lease,
    }
}

impl Election {
    /// Waits for the seat; `None` when `shutdown` was cancelled before.
    async fn await_or(self, shutdown: &CancellationToken) -> Option<Seat> {
        let Some(lease) = self.lease else {
            return Some(Seat(None));
        };
        let leadership =
            lease::elect(Arc::new(self.connection), self.clock, lease, shutdown).await?;
        Some(Seat(Some(leadership)))
    }
}

type Handle = JoinHandle<Ended<()>>;

/// Starts every controller and timer.
fn start(
    connection: &Connection,
    namespace: &str,
    options: ServerOptions,
    clock: Arc<dyn Clock>,
    (tasks, metrics, stop): (&Tasks, Arc<Metrics>, &CancellationToken),
) -> Result<Vec<(&'static str, Handle)>, ServerError> {
    let set_up = SetUp {
        connection,
        namespace,
        tasks,
        stop,
    };
    let backups = set_up.controller()?;
    let restores = set_up.controller()?;
    let deletions = set_up.controller()?;
    let triggers = Triggers {
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
        set_up.run("backup", backups, &context, backup::reconcile),
        set_up.run("restore", restores, &context, restore::reconcile),
        set_up.run(
            "delete-request",
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
            "status-request",
            set_up.controller()?,
            &context,
            status_request::reconcile,
        ),
        set_up.every("gc", collection, &context, gc::sweep),
        set_up.every("housekeeping", HOUSEKEEPING, &context, housekeeping::tidy),
    ];
    Ok(handles)
}

struct SetUp<'a> {
    connection: &'a Connection,
    namespace: &'a str,
    tasks: &'a Tasks,
    stop: &'a CancellationToken,
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
    ) -> (&'static str, Handle)
    where
        K: CustomResource,
        R: Fn(Arc<Context>, Arc<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Next, ReconcileError>> + Send + 'static,
    {
        let (context, stop) = (Arc::clone(context), self.stop.clone());
        let running = controller.run(
            move |object| reconcile(Arc::clone(&context), object),
            |invalid| tracing::warn!(error = %invalid, "a resource is left alone"),
            stop,
        );
        let running = Box::pin(running);
        (
            name,
            self.tasks
                .spawn(TaskKind::Controller, name, OnCancel::Finish, running),
        )
    }

    /// Does something at once and then again and again.
    fn every<F, Fut>(
        &self,
        name: &'static str,
        period: Duration,
        context: &Arc<Context>,
        action: F,
    ) -> (&'static str, Handle)
    where
        F: Fn(Arc<Context>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), ReconcileError>> + Send + 'static,
    {
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
        (
            name,
            self.tasks
                .spawn(TaskKind::Timer, name, OnCancel::Finish, ticking),
        )
    }
}

/// The ends of the controllers: none should come before the server's.
struct Ends(Vec<futures::future::BoxFuture<'static, &'static str>>);

impl Ends {
    fn new(handles: Vec<(&'static str, Handle)>) -> Self {
        let named =
            handles
                .into_iter()
                .map(|(name, handle)| -> futures::future::BoxFuture<'_, _> {
                    Box::pin(async move {
                        // How it ended is in the log; that it ended is what matters.
                        let _ = handle.await;
                        name
                    })
                });
        Self(named.collect())
    }

    async fn first(&mut self) -> String {
        let (name, index, _) = select_all(&mut self.0).await;
        drop(self.0.remove(index));
        name.to_owned()
    }

    async fn all(self, patience: Duration) {
        let ended = futures::future::join_all(self.0);
        if tokio::time::timeout(patience, ended).await.is_err() {
            tracing::warn!("some reconciles are still under way");
        }
    }
}
