//! `ark schedule create`.

use ark_api::Schedule;
use ark_api::schedule::ScheduleSpec;
use ark_engine::schedule::Timetable;
use clap::Args;

use crate::args::backup::BackupArgs;
use crate::args::output::{CreateOutputArgs, MetadataArgs};
use crate::args::value::boolean;
use crate::cluster;
use crate::context::Context;
use crate::error::{CommandError, Exit};

const EXAMPLES: &str = "\
Examples:
  ark schedule create nightly --schedule='0 3 * * *'
  ark schedule create shop --schedule='@every 6h' --include-namespaces shop --ttl 72h
  ark schedule create office --schedule='CRON_TZ=Europe/Berlin 30 18 * * 1-5'";

/// Create a schedule, which makes backups by the clock
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// Name of the schedule
    name: String,

    /// When: a cron expression such as `0 3 * * *`, or @hourly, @daily, @weekly, @monthly, @yearly,
    /// or `@every 6h`. UTC unless it begins with `CRON_TZ=ZONE`
    #[arg(long, value_name = "CRON", value_parser = timetable)]
    schedule: String,

    /// Whether the schedule owns its backups, so that they are deleted from the cluster with it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    use_owner_references_in_backup: Option<bool>,

    /// Whether no backups are made until it is unpaused
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    paused: Option<bool>,

    /// Whether to leave out what is due before the server sees the schedule [default: the server's]
    #[arg(long, value_name = "BOOL", value_parser = boolean)]
    skip_immediately: Option<bool>,

    #[command(flatten)]
    backup: BackupArgs,

    #[command(flatten)]
    metadata: MetadataArgs,

    #[command(flatten)]
    output: CreateOutputArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: CreateArgs) -> Result<Exit, CommandError> {
    args.backup.check()?;
    let schedule = args.schedule(ctx.namespace());
    if args.output.print(ctx, &schedule)? {
        return Ok(Exit::Done);
    }
    cluster::create(ctx, &schedule).await?;
    let name = &args.name;
    ctx.talk.say(format_args!("Schedule `{name}` is created"));
    ctx.talk.hint(format_args!(
        "`ark schedule describe {name}` shows when it runs, `ark backup create --from-schedule \
         {name}` makes a backup now"
    ));
    Ok(Exit::Done)
}

/// Text that the server can read, too.
fn timetable(text: &str) -> Result<String, String> {
    match Timetable::parse(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl CreateArgs {
    /// The object that these flags ask for.
    fn schedule(&self, namespace: &str) -> Schedule {
        Schedule {
            metadata: self.metadata.metadata(&self.name, namespace),
            spec: ScheduleSpec {
                template: self.backup.spec(),
                schedule: self.schedule.clone(),
                use_owner_references_in_backup: self.use_owner_references_in_backup,
                paused: self.paused == Some(true),
                skip_immediately: self.skip_immediately,
            },
            status: None,
        }
    }
}
