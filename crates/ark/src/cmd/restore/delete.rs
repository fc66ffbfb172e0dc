//! `ark restore delete`: the resource and its files in the bucket, not what was
//! restored.

use ark_api::Restore;

use crate::cluster;
use crate::context::Context;
use crate::deletion::{self, DeleteArgs};
use crate::error::{CommandError, Exit};
use crate::listing::name;

/// Runs the verb.
pub async fn run(ctx: &Context, args: DeleteArgs) -> Result<Exit, CommandError> {
    let consequence = " with logs and results; what was restored stays";
    let restores = deletion::chosen::<Restore>(ctx, &args, consequence).await?;
    for restore in &restores {
        cluster::delete::<Restore>(ctx, name(restore)).await?;
        ctx.talk.say(format_args!(
            "Deletion of restore `{}` is requested",
            name(restore)
        ));
    }
    if args.wait {
        deletion::gone(ctx, &restores, &args, async || Ok(())).await?;
    }
    Ok(Exit::Done)
}
