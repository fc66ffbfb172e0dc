//! `ark snapshot-location set`.

use ark_api::VolumeSnapshotLocation;
use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::args::value::secret_key;
use crate::cluster;
use crate::cmd::backup_location::create::secret;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::live;

const EXAMPLES: &str = "\
Examples:
  ark snapshot-location set default --credential other-account=cloud";

/// Change a snapshot location
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct SetArgs {
    /// Name of the location
    #[arg(add = ArgValueCandidates::new(live::names))]
    name: String,

    /// Secret with the credentials
    #[arg(long, value_name = "SECRET=KEY", value_parser = secret_key)]
    credential: Option<(String, String)>,
}

/// Runs the verb.
pub(super) async fn run(ctx: &Context, args: SetArgs) -> Result<Exit, CommandError> {
    let before: VolumeSnapshotLocation = cluster::get(ctx, &args.name).await?;
    let mut after = before.clone();
    if let Some(credential) = args.credential {
        after.spec.credential = Some(secret(credential));
    }
    let name = &args.name;
    if before == after {
        ctx.talk.say(format_args!(
            "Snapshot location `{name}` is like that already"
        ));
        return Ok(Exit::Done);
    }
    cluster::patch(ctx, &before, &after).await?;
    ctx.talk
        .say(format_args!("Snapshot location `{name}` is changed"));
    Ok(Exit::Done)
}
