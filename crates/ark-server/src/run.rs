//! The composition root: connect, check, be elected, run controllers, end.

mod controllers;
mod initial;
mod seat;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ark_engine::port::{
    ApiResource, Clock, Cluster as _, ClusterError, Discovery, SystemClock, Target,
};
use ark_kube::{ConnectError, ConnectOptions, Connection};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::files::Files;
use crate::health::{self, Endpoint, Stage};
use crate::metrics::Metrics;
use crate::options::ServerOptions;
use crate::task::Tasks;
use controllers::{Ends, start};
use seat::take_seat;

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
    /// The first location could not be created.
    #[error("the first backup location could not be created")]
    InitialLocation(#[from] ark_kube::CustomError),
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
    clock: Arc<dyn Clock>,
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
            clock: Arc::new(SystemClock),
            listener,
            address,
        })
    }

    /// With another clock than the machine's for all that is decided by time.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
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
            files: Some(Arc::new(Files::new(&self.connection, &self.namespace))),
        };
        health::serve(&tasks, self.listener, endpoint);
        tracing::info!(
            namespace = self.namespace, address = %self.address, server = self.connection.server(),
            version = env!("CARGO_PKG_VERSION"), "ark server"
        );

        // The lease is between machines, whatever clock the controllers go by.
        let machine: Arc<dyn Clock> = Arc::new(SystemClock);
        let seat = take_seat(&self.connection, &self.namespace, &self.options, &machine)?;
        let Some(seat) = seat.await_or(&shutdown).await else {
            return Ok(());
        };

        if let Some(location) = &self.options.initial_location {
            initial::create(&self.connection, &self.namespace, location).await?;
        }
        let grace = self.options.shutdown_grace;
        let lease = self.options.lease_duration;
        let stop = shutdown.child_token();
        let controllers = start(
            &self.connection,
            &self.namespace,
            self.options,
            self.clock,
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
                // Nobody can have taken over yet: the lease holds longer than this
                // server believed in it. Jobs note that they did not bring it down.
                stop.cancel();
                tasks.cancelled().cancel();
                tasks.wait(lease / 6).await;
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
    let resource = ApiResource::namespaces();
    let target = Target {
        resource: &resource,
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
