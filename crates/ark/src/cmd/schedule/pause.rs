//! `ark schedule pause` and `ark schedule unpause`.

use ark_api::Schedule;
use clap::Args;

use crate::args::value::boolean;
use crate::args::which::WhichArgs;
use crate::cluster;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::listing::name;

/// Flags of both verbs.
#[derive(Debug, Clone, Default, Args)]
pub struct PauseArgs {
    #[command(flatten)]
    which: WhichArgs,

    /// Whether to leave out what is due by now, once [default: as the schedule says]
    #[arg(long, value_name = "BOOL", value_parser = boolean)]
    skip_immediately: Option<bool>,
}

/// Runs the verb: `paused` is how the schedules shall be.
pub async fn run(ctx: &Context, args: PauseArgs, paused: bool) -> Result<Exit, CommandError> {
    let schedules =
        cluster::select::<Schedule>(ctx, &args.which.names, args.which.selector()).await?;
    let state = if paused { "paused" } else { "not paused" };
    for schedule in &schedules {
        let after = changed(schedule, paused, args.skip_immediately);
        let already = if after == *schedule { " already" } else { "" };
        cluster::patch(ctx, schedule, &after).await?;
        ctx.talk.say(format_args!(
            "Schedule `{}` is {state}{already}",
            name(schedule)
        ));
    }
    if schedules.is_empty() {
        let namespace = ctx.namespace();
        ctx.talk
            .say(format_args!("No schedules in namespace `{namespace}`"));
    }
    Ok(Exit::Done)
}

fn changed(schedule: &Schedule, paused: bool, skip: Option<bool>) -> Schedule {
    let mut after = schedule.clone();
    after.spec.paused = paused;
    if skip.is_some() {
        after.spec.skip_immediately = skip;
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_changes_only_when_asked_for() {
        let mut schedule = Schedule::default();
        schedule.spec.skip_immediately = Some(true);
        let paused = changed(&schedule, true, None);
        assert!(paused.spec.paused);
        assert_eq!(paused.spec.skip_immediately, Some(true));
        let resumed = changed(&paused, false, Some(false));
        assert!(!resumed.spec.paused);
        assert_eq!(resumed.spec.skip_immediately, Some(false));
        assert_eq!(changed(&schedule, false, None), schedule);
    }
}
