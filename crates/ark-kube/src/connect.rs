//! From a kubeconfig, or the pod's service account, to a [`Connection`].
//!
//! Loading is local: nothing is sent before the first call. May not show the
//! client inside to other crates.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use kube::config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError};

use crate::throttle::Throttle;

/// A watch is ended by the server before this; a longer silence is a dead connection.
const WATCH_SILENCE: Duration = Duration::from_secs(295);

/// Where to connect, as whom, and how hard to press.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Kubeconfig file. `None`: the files of `KUBECONFIG`, else `~/.kube/config`,
    /// else the service account of the pod.
    pub kubeconfig: Option<PathBuf>,
    /// Context in the kubeconfig; its current one when `None`.
    pub context: Option<String>,
    /// Default namespace in place of the context's.
    pub namespace: Option<String>,
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// User to impersonate.
    pub as_user: Option<String>,
    /// Groups to impersonate; only with a user.
    pub as_groups: Vec<String>,
    /// Accept compressed answers: saves network, costs processor time on both sides.
    pub compress: bool,
    /// Deadline of one attempt of one call, body included.
    pub call_timeout: Duration,
    /// How long one call may wait in all for a server that throttles or fails.
    pub patience: Duration,
    /// The most calls in flight at once.
    pub max_concurrency: usize,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            namespace: None,
            user_agent: concat!("ark/", env!("CARGO_PKG_VERSION")).to_owned(),
            as_user: None,
            as_groups: Vec::new(),
            compress: false,
            // A little more than the 60 s after which the server gives up itself.
            call_timeout: Duration::from_secs(65),
            patience: Duration::from_mins(1),
            max_concurrency: 64,
        }
    }
}

/// Why no connection could be prepared.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The named kubeconfig is missing, unreadable or not one.
    #[error("cannot load the kubeconfig `{path}`")]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: Box<KubeconfigError>,
    },
    /// The kubeconfig that `KUBECONFIG` or the home directory names cannot be used.
    #[error("cannot load the default kubeconfig (`KUBECONFIG`, then `~/.kube/config`)")]
    DefaultKubeconfig(#[source] Box<KubeconfigError>),
    /// Neither a kubeconfig nor a service account.
    #[error(
        "found no cluster to talk to: no `--kubeconfig`, no file at `KUBECONFIG` or \
         `~/.kube/config`, and not running in a pod"
    )]
    NoCluster(#[source] Box<InClusterError>),
    /// The kubeconfig has no such context.
    #[error("no context `{context}` in the kubeconfig; it has: {known}")]
    UnknownContext {
        /// The context asked for.
        context: String,
        /// Those that exist, separated by commas.
        known: String,
    },
    /// The kubeconfig names no current context, and none was asked for.
    #[error("the kubeconfig has no current context; name one with `--context`, it has: {known}")]
    NoContext {
        /// Those that exist, separated by commas.
        known: String,
    },
    /// The context names a cluster, user, certificate or key that cannot be used.
    #[error("the kubeconfig's context cannot be used")]
    Context(#[source] Box<KubeconfigError>),
    /// The user agent has characters that a header cannot carry.
    #[error("`{0}` cannot be a user agent")]
    UserAgent(String),
    /// TLS, a credential plugin or a proxy could not be set up.
    #[error("cannot set up the connection to `{server}`")]
    Client {
        /// URL of the API server.
        server: String,
        /// What failed.
        #[source]
        source: Box<kube::Error>,
    },
}

/// One API server, as one user. Cheap to clone; clones share the connection
/// pool and the adaptive limit on calls in flight.
///
/// Must be made within a tokio runtime.
#[derive(Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

struct Inner {
    client: kube::Client,
    watcher: OnceLock<kube::Client>,
    config: kube::Config,
    server: String,
    limits: Limits,
    throttle: Throttle,
}

/// Bounds on one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) call_timeout: Duration,
    pub(crate) patience: Duration,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.inner.server)
            .finish_non_exhaustive()
    }
}

/// Chooses the process's TLS provider. May be called any number of times.
pub fn install_tls() {
    // An error says that a provider is installed already, which is what we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl Connection {
    /// Loads the configuration and prepares the client. Sends nothing, but may
    /// run the kubeconfig's credential plugin.
    ///
    /// # Errors
    /// [`ConnectError`], naming the file or context.
    pub async fn from_options(options: &ConnectOptions) -> Result<Self, ConnectError> {
        install_tls();
        let mut config = load(options).await?;
        adjust(&mut config, options)?;
        let server = config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned();
        let client = client(&config, &server)?;
        Ok(Self {
            inner: Arc::new(Inner {
                client,
                watcher: OnceLock::new(),
                config,
                server,
                limits: Limits {
                    call_timeout: options.call_timeout,
                    patience: options.patience,
                },
                throttle: Throttle::new(options.max_concurrency),
            }),
        })
    }

    /// The same server as the same user, for the few calls that must not stand in
    /// line behind the many of this connection: a pool and places of their own. A
    /// call has one attempt of `call_timeout`; the caller asks again.
    ///
    /// # Errors
    /// [`ConnectError::Client`]
    pub fn apart(&self, call_timeout: Duration) -> Result<Self, ConnectError> {
        let Inner { config, server, .. } = &*self.inner;
        Ok(Self {
            inner: Arc::new(Inner {
                client: client(config, server)?,
                watcher: OnceLock::new(),
                config: config.clone(),
                server: server.clone(),
                limits: Limits {
                    call_timeout,
                    patience: Duration::ZERO,
                },
                throttle: Throttle::new(1),
            }),
        })
    }

    /// URL of the API server, without a trailing slash.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    /// Namespace to use where none is named: the option's, the context's, the
    /// pod's, or `default`.
    pub fn default_namespace(&self) -> &str {
        &self.inner.config.default_namespace
    }

    /// How many calls may be in flight at this moment.
    pub fn concurrency(&self) -> usize {
        self.inner.throttle.limit()
    }

    pub(crate) fn client(&self) -> &kube::Client {
        &self.inner.client
    }

    pub(crate) fn limits(&self) -> Limits {
        self.inner.limits
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.inner.throttle
    }

    /// A client for watches: they are silent for minutes when all is well, so
    /// they have a read timeout of their own and share no pool with short calls.
    pub(crate) fn watch_client(&self) -> Result<kube::Client, ConnectError> {
        if let Some(client) = self.inner.watcher.get() {
            return Ok(client.clone());
        }
        let mut config = self.inner.config.clone();
        config.read_timeout = Some(WATCH_SILENCE);
        config.reset_reader_on_write = true;
        config.disable_compression = true;
        let client = client(&config, &self.inner.server)?;
        Ok(self.inner.watcher.get_or_init(|| client).clone())
    }
}

fn client(config: &kube::Config, server: &str) -> Result<kube::Client, ConnectError> {
    kube::Client::try_from(config.clone()).map_err(|source| ConnectError::Client {
        server: server.to_owned(),
        source: Box::new(source),
    })
}

async fn load(options: &ConnectOptions) -> Result<kube::Config, ConnectError> {
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Kubeconfig::read_from(path).map_err(|source| ConnectError::Kubeconfig {
            path: path.clone(),
            source: Box::new(source),
        })?,
        None => match Kubeconfig::read() {
            Ok(kubeconfig) => kubeconfig,
            // An explicit context can only mean a kubeconfig.
            Err(source) if is_absent(&source) && options.context.is_none() => {
                return kube::Config::incluster()
                    .map_err(|source| ConnectError::NoCluster(Box::new(source)));
            }
            Err(source) => return Err(ConnectError::DefaultKubeconfig(Box::new(source))),
        },
    };
    check_context(&kubeconfig, options.context.as_deref())?;
    let wanted = KubeConfigOptions {
        context: options.context.clone(),
        ..KubeConfigOptions::default()
    };
    kube::Config::from_custom_kubeconfig(kubeconfig, &wanted)
        .await
        .map_err(|source| ConnectError::Context(Box::new(source)))
}

fn is_absent(error: &KubeconfigError) -> bool {
    match error {
        KubeconfigError::FindPath => true,
        KubeconfigError::ReadConfig(source, _) => source.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

fn check_context(kubeconfig: &Kubeconfig, wanted: Option<&str>) -> Result<(), ConnectError> {
    let known = || {
        let names: Vec<_> = kubeconfig
            .contexts
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let current = kubeconfig
        .current_context
        .as_deref()
        .filter(|c| !c.is_empty());
    let Some(context) = wanted.or(current) else {
        return Err(ConnectError::NoContext { known: known() });
    };
    if kubeconfig.contexts.iter().any(|c| c.name == context) {
        return Ok(());
    }
    Err(ConnectError::UnknownContext {
        context: context.to_owned(),
        known: known(),
    })
}

fn adjust(config: &mut kube::Config, options: &ConnectOptions) -> Result<(), ConnectError> {
    let agent = HeaderValue::from_str(&options.user_agent)
        .map_err(|_| ConnectError::UserAgent(options.user_agent.clone()))?;
    config.headers.push((USER_AGENT, agent));
    config.disable_compression = !options.compress;
    // It repeats writes whose answer was lost; `call` repeats what is safe.
    config.default_retry = false;
    if let Some(namespace) = &options.namespace {
        config.default_namespace.clone_from(namespace);
    }
    if let Some(user) = &options.as_user {
        config.auth_info.impersonate = Some(user.clone());
        config.auth_info.impersonate_groups =
            (!options.as_groups.is_empty()).then(|| options.as_groups.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
