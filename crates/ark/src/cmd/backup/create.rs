//! `ark backup create`.

use ark_api::{Backup, Schedule, label};
use ark_engine::schedule::backup_of;
use clap::Args;

use crate::args::backup::BackupArgs;
use crate::args::output::{CreateOutputArgs, MetadataArgs};
use crate::args::wait::WaitArgs;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::{cluster, direct, follow, name};

const EXAMPLES: &str = "\
Examples:
  ark backup create nightly --wait
  ark backup create web --selector app=web --ttl 72h
  ark backup create shop --include-namespaces shop,shop-db --exclude-resources events
  ark backup create nightly --direct --to s3://my-backups";

/// Create a backup
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// Name of the backup [default with --from-schedule: SCHEDULE-TIME]
    #[arg(required_unless_present = "from_schedule")]
    pub name: Option<String>,

    /// Take everything but the name from this schedule's template
    #[arg(long, value_name = "SCHEDULE")]
    pub from_schedule: Option<String>,

    #[command(flatten)]
    wait: WaitArgs,

    #[command(flatten)]
    direct: DirectArgs,

    #[command(flatten)]
    backup: BackupArgs,

    #[command(flatten)]
    metadata: MetadataArgs,

    #[command(flatten)]
    output: CreateOutputArgs,
}

/// Working without a server.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Without a server")]
struct DirectArgs {
    /// Do it here and now with your own kubeconfig; nothing is installed in the cluster
    #[arg(long, requires = "to", conflicts_with_all = ["from_schedule", "wait", "output"])]
    direct: bool,

    /// Where to with --direct: a directory, or a bucket as `s3://`, `gs://` or `azblob://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL", requires = "direct")]
    to: Option<String>,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: CreateArgs) -> Result<Exit, CommandError> {
    args.check()?;
    if let Some(to) = &args.direct.to {
        let backup = args.backup(args.name.as_deref().unwrap_or_default(), ctx.namespace());
        return direct::backup(ctx, backup, to).await;
    }
    let backup = match &args.from_schedule {
        Some(schedule) => from_schedule(ctx, &args, schedule).await?,
        None => args.backup(args.name.as_deref().unwrap_or_default(), ctx.namespace()),
    };
    if args.output.print(ctx, &backup)? {
        return Ok(Exit::Done);
    }
    let created = cluster::create(ctx, &backup).await?;
    let name = created.metadata.name.as_deref().unwrap_or_default();
    if args.wait.wait {
        return follow::backup(ctx, name, args.wait.timeout()).await;
    }
    ctx.talk.say(format_args!("Backup `{name}` is requested"));
    ctx.talk.hint(format_args!(
        "follow it with `ark backup describe {name}` or `ark backup logs {name}`"
    ));
    Ok(Exit::Done)
}

async fn from_schedule(
    ctx: &Context,
    args: &CreateArgs,
    schedule: &str,
) -> Result<Backup, CommandError> {
    let schedule: Schedule = cluster::get(ctx, schedule).await?;
    let base = schedule.metadata.name.as_deref().unwrap_or_default();
    let name = args
        .name
        .clone()
        .unwrap_or_else(|| name::timestamped(base, ctx.now()));
    let own = args.metadata.metadata(&name, ctx.namespace());
    Ok(of_schedule(&schedule, own))
}

/// The backup that a schedule would make now; labels and annotations of its own
/// come before those of the schedule.
fn of_schedule(schedule: &Schedule, own: ark_api::ObjectMeta) -> Backup {
    let mut backup = backup_of(schedule, own.name.unwrap_or_default());
    backup.metadata.namespace = own.namespace;
    let labels = backup.metadata.labels.get_or_insert_default();
    labels.extend(own.labels.unwrap_or_default());
    // This one says where it comes from, whatever else is asked for.
    let from = schedule.metadata.name.as_deref().unwrap_or_default();
    labels.insert(label::SCHEDULE_NAME.to_owned(), label::valid_value(from));
    if let Some(annotations) = own.annotations {
        let all = backup.metadata.annotations.get_or_insert_default();
        all.extend(annotations);
    }
    backup
}

impl CreateArgs {
    fn check(&self) -> Result<(), CommandError> {
        if self.from_schedule.is_some() && self.backup.is_given() {
            return Err(CommandError::usage(
                "with --from-schedule the schedule's template says what to back up and how; leave \
                 out the flags for selection, volumes and keeping",
            ));
        }
        self.backup.check()
    }

    /// The object that these flags ask for.
    fn backup(&self, name: &str, namespace: &str) -> Backup {
        Backup {
            metadata: self.metadata.metadata(name, namespace),
            spec: self.backup.spec(),
            status: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schedule_s_template_is_taken_and_added_to() {
        let schedule: Schedule = serde_json::from_value(json!({
            "apiVersion": "velero.io/v1", "kind": "Schedule",
            "metadata": {"name": "nightly", "labels": {"a": "1", "b": "1"}, "annotations": {"x": "1"}},
            "spec": {"schedule": "@daily", "template": {"ttl": "72h"}},
        }))
        .unwrap();
        let own = serde_json::from_value(json!({
            "name": "now", "namespace": "ark", "annotations": {"y": "2"},
            "labels": {"b": "2", "velero.io/schedule-name": "other"},
        }))
        .unwrap();
        let made = serde_json::to_value(of_schedule(&schedule, own)).unwrap();
        assert_eq!(
            made["metadata"],
            json!({
                "name": "now", "namespace": "ark", "annotations": {"x": "1", "y": "2"},
                "labels": {"a": "1", "b": "2", "velero.io/schedule-name": "nightly"},
            })
        );
        assert_eq!(made["spec"], json!({"ttl": "72h0m0s"}));
    }
}
