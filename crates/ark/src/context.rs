//! What every verb is given: the global flags in their final meaning, the two
//! output streams, time, and on demand the connection to the cluster.

use std::future::Future;
use std::path::PathBuf;

use ark_engine::port::{Clock as _, SystemClock};
use ark_kube::{ConnectOptions, Connection};
use jiff::Timestamp;
use tokio::sync::OnceCell;

use crate::args::GlobalArgs;
use crate::config::{self, ClientConfig};
use crate::env::Environment;
use crate::error::CommandError;
use crate::out::printer::Printer;
use crate::out::talk::Talk;

/// The surroundings of one command.
#[derive(Debug)]
pub struct Context {
    /// Standard output.
    pub printer: Printer,
    /// Standard error.
    pub talk: Talk,
    /// What the environment says.
    pub environment: Environment,
    /// The client configuration.
    pub config: ClientConfig,
    namespace: String,
    features: Vec<String>,
    kubeconfig: Option<PathBuf>,
    selected: Option<String>,
    connection: OnceCell<Connection>,
}

impl Context {
    /// From the flags, the client configuration and the environment.
    pub fn new(flags: &GlobalArgs, environment: Environment) -> Result<Self, CommandError> {
        let config = match config::path(environment.config_home.as_deref()) {
            Ok(path) => ClientConfig::load(&path)?,
            // Without a home there is nothing to load, and only `client config` minds.
            Err(_) => ClientConfig::default(),
        };
        let color = flags.color(&config, &environment);
        Ok(Self {
            printer: Printer::new(color),
            talk: Talk::new(color),
            namespace: flags.namespace(&config, &environment),
            features: flags.features(&config),
            kubeconfig: flags.kubeconfig.clone(),
            selected: flags.context.clone(),
            connection: OnceCell::new(),
            environment,
            config,
        })
    }

    /// Namespace of the server and its resources.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Where large files may lie for a while.
    pub fn scratch_dir(&self) -> PathBuf {
        let chosen = self.environment.scratch_dir.clone();
        chosen.unwrap_or_else(std::env::temp_dir)
    }

    /// Features that are switched on.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// This instant.
    pub fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    /// How to reach the cluster, as the flags say.
    pub fn connect_options(&self) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: self.kubeconfig.clone(),
            context: self.selected.clone(),
            namespace: Some(self.namespace.clone()),
            ..ConnectOptions::default()
        }
    }

    /// The connection to the cluster, prepared at the first call; nothing is
    /// sent by that.
    pub async fn connect(&self) -> Result<&Connection, CommandError> {
        let connection = self
            .connection
            .get_or_try_init(|| async { Connection::from_options(&self.connect_options()).await });
        Ok(connection.await?)
    }

    /// Runs a verb that talks to a cluster or a store. Verbs that do not never
    /// pay for a runtime.
    pub fn block_on<T>(
        &self,
        verb: impl Future<Output = Result<T, CommandError>>,
    ) -> Result<T, CommandError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| CommandError::because("cannot start the runtime", &error))?;
        let result = runtime.block_on(verb);
        // A blocking read that nobody waits for must not keep the process.
        runtime.shutdown_background();
        result
    }
}
