//! `ark schedule delete`: the resource; the backups that it made stay.

use ark_api::Schedule;

use crate::cluster;
use crate::context::Context;
use crate::deletion::{self, DeleteArgs};
use crate::error::{CommandError, Exit};
use crate::listing::name;

/// Runs the verb.
pub async fn run(ctx: &Context, args: DeleteArgs) -> Result<Exit, CommandError> {
    let consequence = "; the backups stay, save those that a schedule owns";
    let schedules = deletion::chosen::<Schedule>(ctx, &args, consequence).await?;
    for schedule in &schedules {
        cluster::delete::<Schedule>(ctx, name(schedule)).await?;
        ctx.talk
            .say(format_args!("Schedule `{}` is deleted", name(schedule)));
    }
    if args.wait {
        deletion::gone(ctx, &schedules, &args, async || Ok(())).await?;
    }
    Ok(Exit::Done)
}
