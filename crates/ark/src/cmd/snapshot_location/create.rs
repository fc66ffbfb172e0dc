//! `ark snapshot-location create`.

use ark_api::VolumeSnapshotLocation;
use ark_api::snapshot_location::VolumeSnapshotLocationSpec;
use clap::Args;

use crate::args::output::{CreateOutputArgs, MetadataArgs};
use crate::args::value::{Map, map, merged, secret_key};
use crate::cluster;
use crate::cmd::backup_location::create::secret;
use crate::context::Context;
use crate::error::{CommandError, Exit};

const EXAMPLES: &str = "\
Examples:
  ark snapshot-location create default --provider aws --config region=eu-central-1
  ark snapshot-location create other --provider aws --credential other-account=cloud";

/// Add a place to keep snapshots of volumes in
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// Name of the location
    name: String,

    /// Who makes the snapshots, such as aws
    #[arg(long, value_name = "NAME")]
    provider: String,

    /// Settings of the provider, such as `region=eu-central-1`
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map)]
    config: Vec<Map>,

    /// Secret with the credentials [default: those of the server]
    #[arg(long, value_name = "SECRET=KEY", value_parser = secret_key)]
    credential: Option<(String, String)>,

    #[command(flatten)]
    metadata: MetadataArgs,

    #[command(flatten)]
    output: CreateOutputArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: CreateArgs) -> Result<Exit, CommandError> {
    let location = VolumeSnapshotLocation {
        metadata: args.metadata.metadata(&args.name, ctx.namespace()),
        spec: VolumeSnapshotLocationSpec {
            provider: args.provider,
            config: merged(&args.config),
            credential: args.credential.map(secret),
        },
        status: None,
    };
    if args.output.print(ctx, &location)? {
        return Ok(Exit::Done);
    }
    cluster::create(ctx, &location).await?;
    ctx.talk.say(format_args!(
        "Snapshot location `{}` is configured",
        args.name
    ));
    Ok(Exit::Done)
}
