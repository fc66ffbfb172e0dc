//! `ark server`: from flags to [`ark_server::ServerOptions`], and signals.

mod foreign;
mod level;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ark_api::{BackupStorageLocation, GoDuration};
use ark_engine::backup::Versions;
use ark_server::{DisabledControllers, ServerOptions};
use clap::{Args, CommandFactory as _, FromArgMatches as _, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::args::value::{boolean, duration, of_provider};
use crate::cmd::Cli;
use crate::context::Context;
use crate::error::{CommandError, ErrorKind, Exit};
use foreign::ServerForeignArgs;

/// A lease is renewed several times before it ends, and says its length in seconds.
const SHORTEST_LEASE: Duration = Duration::from_secs(2);

/// How the log is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Run the server; this is what the deployment in the cluster does
#[derive(Debug, Clone, Default, Args)]
pub struct ServerArgs {
    /// Where health and metrics are served, HOST:PORT or :PORT; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = ":8085")]
    metrics_address: String,

    /// How much to log: error, warning, info, debug or trace, or a filter such as
    /// `ark_server=debug,info` [default: `ARK_LOG`, else info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,

    /// Form of the log: text or json
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    log_format: LogFormat,

    /// Backups at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    concurrent_backups: usize,

    /// Restores at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    concurrent_restores: usize,

    /// Only restore: no backups, deletions, expiry and schedules. Sync goes on
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", value_parser = boolean)]
    restore_only: Option<bool>,

    /// Controllers not to run, separated by commas; a wrong name lists them all
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    disable_controllers: Vec<String>,

    /// Whether schedules that do not say it wait for their next time instead of making a
    /// backup at once
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "false", value_parser = boolean)]
    schedule_skip_immediately: Option<bool>,

    /// Item blocks of one backup whose hooks run at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    item_block_worker_count: usize,

    /// Calls to the API server in flight at most
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    max_concurrent_k8s_connections: usize,

    /// Objects that are asked for at a time at most, 0 for what suits their size
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    client_page_size: u32,

    /// How long a kind may take until the API server serves it, during a restore
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10m")]
    resource_timeout: Option<GoDuration>,

    /// How long a namespace that is being deleted is waited for, during a restore
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10m")]
    terminating_resource_timeout: Option<GoDuration>,

    /// How long backups are kept that do not say it
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "720h")]
    default_backup_ttl: Option<GoDuration>,

    /// How long operations of items may take where a backup or restore does not say it
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "4h")]
    default_item_operation_timeout: Option<GoDuration>,

    /// Snapshot location of providers with several, for backups that name none
    #[arg(long, value_name = "PROVIDER:NAME,..", value_delimiter = ',', value_parser = of_provider)]
    default_volume_snapshot_locations: Vec<(String, String)>,

    /// Location of backups that name none, where no location is marked as default
    #[arg(long, value_name = "NAME", default_value = "default")]
    default_backup_storage_location: String,

    /// How often to look for backups made elsewhere where a location does not say it, 0s for never
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    backup_sync_period: Option<GoDuration>,

    /// How often to check locations that do not say it, 0s for once
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1m")]
    store_validation_frequency: Option<GoDuration>,

    /// How often to look for expired backups
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    garbage_collection_frequency: Option<GoDuration>,

    /// File with a backup location to create when the namespace has none
    #[arg(long, value_name = "FILE")]
    initial_location: Option<PathBuf>,

    /// Whether to act only while holding a lease, so that two servers do not get in each other's way
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "true", value_parser = boolean)]
    leader_election: Option<bool>,

    /// How long a lease holds without being renewed; another server takes over then
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "15s")]
    lease_duration: Option<GoDuration>,

    /// Level of compression of archives, 0 to 9
    #[arg(long, value_name = "LEVEL", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(0..=9))]
    compression_level: u32,

    #[command(flatten)]
    foreign: ServerForeignArgs,
}

/// Runs until it fails or is told to end by SIGTERM or SIGINT.
pub fn run(ctx: &Context, args: &ServerArgs) -> Result<Exit, CommandError> {
    let passed_over = args.foreign.judge()?;
    let mut options = args.options(ctx)?;
    log(ctx, args)?;
    for line in passed_over {
        tracing::warn!("{line}");
    }
    options.initial_location = args.initial_location.as_deref().map(location).transpose()?;
    ctx.block_on(async {
        let shutdown = CancellationToken::new();
        let ended = Box::pin(ark_server::run(options, shutdown.clone()));
        let mut terminate = signal(SignalKind::terminate())
            .map_err(|error| CommandError::because("cannot listen for signals", &error))?;
        let signals = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            tracing::info!("told to end; finishing, a second signal does not wait");
            shutdown.cancel();
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        };
        tokio::select! {
            result = ended => result.map(|()| Exit::Done).map_err(Into::into),
            () = signals => Err(CommandError::new(ErrorKind::Interrupted, "ended without finishing")),
        }
    })
}

/// What it comes to when the server is run with these arguments: a line for each
/// that does nothing.
///
/// # Errors
/// A usage error when there are some that it does not know or refuses.
pub fn passed_over(
    arguments: impl IntoIterator<Item = String>,
) -> Result<Vec<String>, CommandError> {
    let arguments: Vec<String> = arguments.into_iter().collect();
    let words = ["ark", "server"].map(str::to_owned).into_iter();
    let refused = |refusal: &clap::Error| {
        let text = refusal.to_string();
        let why = text.lines().next().unwrap_or_default();
        let why = why.strip_prefix("error: ").unwrap_or(why);
        CommandError::usage(format!(
            "the server cannot be run with `{}`: {why}",
            arguments.join(" ")
        ))
    };
    let matches = Cli::command()
        .try_get_matches_from(words.chain(arguments.iter().cloned()))
        .map_err(|refusal| refused(&refusal))?;
    let Some(server) = matches.subcommand_matches("server") else {
        return Ok(Vec::new());
    };
    ServerForeignArgs::from_arg_matches(server)
        .map_err(|refusal| refused(&refusal))?
        .judge()
}

impl ServerArgs {
    fn options(&self, ctx: &Context) -> Result<ServerOptions, CommandError> {
        let connect = ctx.connect_options();
        let span = |value: Option<GoDuration>| value.map_or(Duration::ZERO, GoDuration::to_std);
        let disabled = DisabledControllers::parse(&self.disable_controllers)
            .map_err(|error| CommandError::usage(error.to_string()))?;
        let mut options = ServerOptions {
            disabled_controllers: if self.restore_only == Some(true) {
                disabled.restore_only()
            } else {
                disabled
            },
            schedule_skip_immediately: self.schedule_skip_immediately == Some(true),
            namespace: Some(ctx.namespace().to_owned()),
            kubeconfig: connect.kubeconfig,
            context: connect.context,
            metrics_address: self.metrics_address.clone(),
            concurrent_backups: self.concurrent_backups.max(1),
            concurrent_restores: self.concurrent_restores.max(1),
            max_concurrent_calls: self.max_concurrent_k8s_connections.max(1),
            backup_sync_period: span(self.backup_sync_period),
            store_validation_frequency: span(self.store_validation_frequency),
            garbage_collection_frequency: span(self.garbage_collection_frequency),
            leader_election: self.leader_election != Some(false),
            lease_duration: self.lease_duration()?,
            ..ServerOptions::default()
        };
        options.restore.spool_dir = ctx.scratch_dir();
        options.backup.compression_level = self.compression_level;
        options.backup.versions = Versions::of_features(ctx.features());
        options.backup.block_workers = self.item_block_worker_count.max(1);
        options.backup_defaults.ttl = span(self.default_backup_ttl);
        options.backup_defaults.item_operation_timeout = span(self.default_item_operation_timeout);
        options.restore_defaults.item_operation_timeout = span(self.default_item_operation_timeout);
        let locations = self.default_volume_snapshot_locations.iter().cloned();
        options.backup_defaults.snapshot_locations = locations.collect();
        options
            .backup_defaults
            .storage_location
            .clone_from(&self.default_backup_storage_location);
        // As with Velero, zero means the default and not all the time.
        if options.garbage_collection_frequency.is_zero() {
            options.garbage_collection_frequency = Duration::from_hours(1);
        }
        if self.client_page_size > 0 {
            options.backup.max_page_items = self.client_page_size;
        }
        options.restore.resource_timeout = span(self.resource_timeout);
        options.restore.terminating_timeout = span(self.terminating_resource_timeout);
        Ok(options)
    }

    fn lease_duration(&self) -> Result<Duration, CommandError> {
        let chosen = self.lease_duration.map(GoDuration::to_std);
        let chosen = chosen.unwrap_or(ServerOptions::default().lease_duration);
        if chosen < SHORTEST_LEASE {
            return Err(CommandError::usage(format!(
                "--lease-duration: {}s is too short to be renewed in time: give it {}s at least",
                chosen.as_secs_f64(),
                SHORTEST_LEASE.as_secs()
            )));
        }
        Ok(chosen)
    }
}

/// Reads the location that an installation starts with.
fn location(file: &Path) -> Result<BackupStorageLocation, CommandError> {
    let what = format!("`{}` cannot be used as the first location", file.display());
    let text = std::fs::read_to_string(file)
        .map_err(|error| CommandError::because(what.clone(), &error))?;
    serde_saphyr::from_str(&text).map_err(|error| CommandError::because(what, &error))
}

/// Sends the log to standard error.
fn log(ctx: &Context, args: &ServerArgs) -> Result<(), CommandError> {
    let level = args
        .log_level
        .as_deref()
        .or(ctx.environment.log.as_deref())
        .unwrap_or("info");
    // The client logs every failed answer by itself; each is returned and told once by us.
    let directives = level::directives(level).map_err(CommandError::usage)?;
    let directives = format!("{directives},kube_client=off");
    let filter = EnvFilter::try_new(directives)
        .map_err(|error| CommandError::usage(format!("`{level}` is no log level: {error}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ctx.talk.style().is_colored());
    let set = match args.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    set.map_err(|error| CommandError::failed(format!("cannot start the log: {error}")))
}
