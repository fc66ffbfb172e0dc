//! `ark install`: from flags to the objects of an installation, which are
//! printed or applied.

mod foreign;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ark_api::GoDuration;
use ark_kube::apply::{self, Applied, ApplyOptions, Change};
use ark_kube::wait;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use self::foreign::OfInstall;
use crate::args::foreign::ForeignArgs;
use crate::args::output::NoColumnsArgs;
use crate::args::value::{Map, boolean, duration, map, merged};
use crate::cmd::backup_location::create::certificate;
use crate::cmd::server;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::install::manifest::SERVER;
use crate::install::{InstallOptions, Provider, Resources, crds, deploy, manifests};
use crate::out::document::{self, ObjectFormat};
use crate::out::human;
use crate::out::style::Tone;

const DEFAULT_WAIT: Duration = Duration::from_mins(5);

const EXAMPLES: &str = "\
Examples:
  ark install --provider aws --bucket my-backups --secret-file ./credentials \\
      --backup-location-config region=eu-central-1
  ark install --provider aws --bucket my-backups --no-secret --dry-run > ark.yaml
  ark install --crds-only";

/// Install the server into the cluster
///
/// Running it again brings an installation up to date. Without changes nothing
/// happens.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct InstallArgs {
    /// Kind of object storage: aws (and everything that speaks S3), gcp, azure or fs (a directory)
    #[arg(long, value_enum, value_name = "NAME", hide_possible_values = true)]
    provider: Option<ProviderName>,

    /// Bucket of the default backup location; a full path for the provider fs
    #[arg(long, value_name = "NAME", requires = "provider")]
    bucket: Option<String>,

    /// Folder in the bucket
    #[arg(long, value_name = "PATH", requires = "provider")]
    prefix: Option<String>,

    /// Settings of the default backup location, such as region=eu-1
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map, requires = "provider")]
    backup_location_config: Vec<Map>,

    /// Settings of the default snapshot location, such as region=eu-1; without any there is none
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map, requires = "provider")]
    snapshot_location_config: Vec<Map>,

    /// Whether to make a default snapshot location
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", default_value = "true", value_parser = boolean)]
    use_volume_snapshots: Option<bool>,

    /// Install without a default backup location
    #[arg(long, conflicts_with = "provider")]
    no_default_backup_location: bool,

    /// File with the credentials of the storage
    #[arg(long, value_name = "FILE", conflicts_with = "no_secret")]
    secret_file: Option<PathBuf>,

    /// The server has its credentials from where it runs
    #[arg(long)]
    no_secret: bool,

    /// Image of the server
    #[arg(long, value_name = "IMAGE", default_value = deploy::IMAGE)]
    image: Option<String>,

    /// Only the definitions of the custom resources
    #[arg(long, conflicts_with_all = ["provider", "no_default_backup_location"])]
    crds_only: bool,

    /// Print the objects instead of applying them
    #[arg(long)]
    dry_run: bool,

    /// With --dry-run: form of the objects, json or yaml
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        requires = "dry_run",
        hide_possible_values = true
    )]
    output: Option<ObjectFormat>,

    /// Wait until the server is ready; this is what happens anyway
    #[arg(long, hide = true, conflicts_with = "no_wait")]
    wait: bool,

    /// Do not wait until the server is ready
    #[arg(long)]
    no_wait: bool,

    /// How long to wait [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait_timeout: Option<GoDuration>,

    /// File with certificates (PEM) to trust in connections to the storage
    #[arg(long, value_name = "FILE", requires = "provider")]
    cacert: Option<PathBuf>,

    #[command(flatten)]
    pod: PodArgs,

    #[command(flatten)]
    foreign: ForeignArgs<OfInstall>,

    #[command(flatten)]
    columns: NoColumnsArgs,
}

/// The server's pod.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "The server's pod")]
struct PodArgs {
    /// Processors to ask for; 0 leaves it out [default: 100m]
    #[arg(long, alias = "velero-pod-cpu-request", value_name = "QUANTITY")]
    pod_cpu_request: Option<String>,

    /// Memory to ask for [default: 64Mi]
    #[arg(long, alias = "velero-pod-mem-request", value_name = "QUANTITY")]
    pod_mem_request: Option<String>,

    /// Processors it may use [default: 1000m]
    #[arg(long, alias = "velero-pod-cpu-limit", value_name = "QUANTITY")]
    pod_cpu_limit: Option<String>,

    /// Memory it may use [default: 256Mi]
    #[arg(long, alias = "velero-pod-mem-limit", value_name = "QUANTITY")]
    pod_mem_limit: Option<String>,

    /// Annotations of the pod
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map)]
    pod_annotations: Vec<Map>,

    /// Labels of the pod
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map)]
    pod_labels: Vec<Map>,

    /// Annotations of the service account, by which clouds give it an identity
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map)]
    sa_annotations: Vec<Map>,

    /// Service account of the server: one that exists, with the rights that the server needs
    #[arg(long, value_name = "NAME", conflicts_with = "sa_annotations")]
    service_account_name: Option<String>,

    /// Priority class of the pod
    #[arg(long, value_name = "NAME")]
    server_priority_class_name: Option<String>,

    /// A flag of `ark server` to run it with, such as --server-arg=--log-level=debug
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    server_arg: Vec<String>,
}

/// Names of the kinds of object storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProviderName {
    /// S3.
    #[value(alias = "velero.io/aws")]
    Aws,
    /// Google Cloud Storage.
    #[value(alias = "velero.io/gcp")]
    Gcp,
    /// Azure Blob Storage.
    #[value(alias = "velero.io/azure")]
    Azure,
    /// A directory.
    Fs,
}

impl From<ProviderName> for Provider {
    fn from(name: ProviderName) -> Self {
        match name {
            ProviderName::Aws => Self::Aws,
            ProviderName::Gcp => Self::Gcp,
            ProviderName::Azure => Self::Azure,
            ProviderName::Fs => Self::Fs,
        }
    }
}

/// Runs the verb.
pub fn run(ctx: &Context, args: &InstallArgs) -> Result<Exit, CommandError> {
    let objects = if args.crds_only {
        crds()?
    } else {
        manifests(&args.options(ctx)?)?
    };
    if args.dry_run {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        document::print(
            &ctx.printer,
            &list,
            args.output.unwrap_or(ObjectFormat::Yaml),
        )?;
        return Ok(Exit::Done);
    }
    ctx.block_on(apply(ctx, args, &objects))
}

async fn apply(ctx: &Context, args: &InstallArgs, objects: &[Value]) -> Result<Exit, CommandError> {
    let connection = ctx.connect().await?;
    ctx.talk.say(format_args!(
        "Applying {} to {}",
        human::counted(objects.len() as u64, "object"),
        connection.server()
    ));
    let report = |applied: &Applied| tell(ctx, applied);
    apply::apply(connection, objects, &ApplyOptions::default(), report).await?;
    if args.crds_only {
        ctx.talk.say("The custom resources are served");
        return Ok(Exit::Done);
    }
    if !args.no_wait {
        ctx.talk.say(format_args!(
            "Waiting for the server in namespace `{}`",
            ctx.namespace()
        ));
        let timeout = args.wait_timeout.map_or(DEFAULT_WAIT, GoDuration::to_std);
        wait::deployment_ready(connection, ctx.namespace(), SERVER, timeout)
            .await
            .map_err(|error| {
                CommandError::from(error).hint(format!(
                    "`kubectl -n {} describe pod` shows what holds it up; the installation stays",
                    ctx.namespace()
                ))
            })?;
    }
    let paint = ctx.talk.style();
    ctx.talk.say(paint.paint(Tone::Good, "Ark is installed"));
    match args.provider {
        Some(_) => ctx
            .talk
            .hint("make a first backup: `ark backup create first --wait`"),
        None => ctx
            .talk
            .hint("say where backups go: `ark backup-location create --help`"),
    }
    Ok(Exit::Done)
}

/// One line for one object.
pub(super) fn tell(ctx: &Context, applied: &Applied) {
    let tone = match applied.change {
        Change::Created | Change::Changed | Change::Deleted => Tone::Good,
        Change::Unchanged | Change::Absent => Tone::Quiet,
    };
    let change = format!("{:<9}", applied.change.to_string());
    ctx.talk.say(format_args!(
        "  {} {}",
        ctx.talk.style().paint(tone, &change),
        applied.object
    ));
}

impl InstallArgs {
    /// The installation that these flags ask for. Reads the credentials' file.
    fn options(&self, ctx: &Context) -> Result<InstallOptions, CommandError> {
        self.check()?;
        let mut server_arguments = self.server_arguments(ctx)?;
        if !ctx.features().is_empty() {
            server_arguments.push(format!("--features={}", ctx.features().join(",")));
        }
        Ok(InstallOptions {
            namespace: ctx.namespace().to_owned(),
            image: self
                .image
                .clone()
                .unwrap_or_else(|| deploy::IMAGE.to_owned()),
            provider: self.provider.map(Provider::from),
            bucket: self.bucket.clone().unwrap_or_default(),
            prefix: self.prefix.clone().unwrap_or_default(),
            config: merged(&self.backup_location_config),
            snapshot_config: self.snapshot_config(),
            location_by_server: false,
            secret_data: self.secret()?,
            no_secret: self.no_secret,
            service_account_annotations: merged(&self.pod.sa_annotations),
            pod_annotations: merged(&self.pod.pod_annotations),
            pod_labels: merged(&self.pod.pod_labels),
            resources: self.pod.resources(),
            server_arguments,
            ca_cert: self.cacert.as_deref().map(certificate).transpose()?,
            service_account: self.pod.service_account_name.clone(),
            priority_class: self.pod.server_priority_class_name.clone(),
        })
    }

    /// Flags that the server is to run with; those that do nothing are told.
    fn server_arguments(&self, ctx: &Context) -> Result<Vec<String>, CommandError> {
        let mut arguments = self.pod.server_arg.clone();
        server::passed_over(arguments.iter().cloned())?;
        let mut lines = self.foreign.judge()?;
        for argument in self.foreign.forwarded() {
            let idle = server::passed_over([argument.clone()])?;
            if idle.is_empty() {
                arguments.push(argument);
            }
            lines.extend(idle);
        }
        for line in lines {
            ctx.talk.warn(line);
        }
        Ok(arguments)
    }

    fn check(&self) -> Result<(), CommandError> {
        if self.provider.is_none() && !self.no_default_backup_location {
            return Err(CommandError::usage("where do backups go?")
                .hint("name the storage: --provider aws --bucket NAME --secret-file FILE")
                .hint("or install without any: --no-default-backup-location"));
        }
        if self.provider.is_some() && self.bucket.is_none() {
            return Err(CommandError::usage("--provider needs a --bucket"));
        }
        let cloud = self
            .provider
            .is_some_and(|provider| provider != ProviderName::Fs);
        if cloud && self.secret_file.is_none() && !self.no_secret {
            return Err(
                CommandError::usage("which credentials does the server use?")
                    .hint("name a file with them: --secret-file FILE")
                    .hint("or say that it has them from where it runs: --no-secret"),
            );
        }
        Ok(())
    }

    /// No provider of disks can do without any settings.
    fn snapshot_config(&self) -> Option<BTreeMap<String, String>> {
        let config = merged(&self.snapshot_location_config);
        let wanted = self.use_volume_snapshots != Some(false) && !config.is_empty();
        wanted.then_some(config)
    }

    fn secret(&self) -> Result<Option<Vec<u8>>, CommandError> {
        let Some(path) = &self.secret_file else {
            return Ok(None);
        };
        std::fs::read(path).map(Some).map_err(|error| {
            let what = format!("cannot read the credentials `{}`", path.display());
            CommandError::because(what, &error)
        })
    }
}

impl PodArgs {
    fn resources(&self) -> Resources {
        let usual = Resources::default();
        let or = |given: &Option<String>, usual: String| given.clone().unwrap_or(usual);
        Resources {
            cpu_request: or(&self.pod_cpu_request, usual.cpu_request),
            memory_request: or(&self.pod_mem_request, usual.memory_request),
            cpu_limit: or(&self.pod_cpu_limit, usual.cpu_limit),
            memory_limit: or(&self.pod_mem_limit, usual.memory_limit),
        }
    }
}

/// What an installation in `namespace` consists of besides the definitions, as
/// far as its other options do not matter.
pub(super) fn bare(namespace: &str) -> Result<Vec<Value>, CommandError> {
    let options = InstallOptions {
        namespace: namespace.to_owned(),
        config: BTreeMap::new(),
        ..InstallOptions::new(deploy::IMAGE)
    };
    let definitions = crds()?.len();
    Ok(manifests(&options)?.split_off(definitions))
}
