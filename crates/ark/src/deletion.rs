//! What `delete` verbs have in common: which objects, consent, and waiting
//! until they are gone.

use std::time::Duration;

use clap::Args;

use crate::args::value::duration;
use crate::args::which::WhichArgs;
use crate::cluster::{self, Resource};
use crate::context::Context;
use crate::error::{CommandError, ErrorKind};
use crate::listing::name;
use ark_api::GoDuration;

/// Pause between two looks at objects that are being deleted.
const POLL: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "\
Examples:
  ark delete backup nightly
  ark delete backup -l team=red --confirm
  ark delete restore --all --wait";

/// Flags of every `delete` verb.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct DeleteArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,

    /// Do not ask for consent
    #[arg(short = 'y', long, visible_alias = "yes")]
    pub(crate) confirm: bool,

    /// Wait until everything is gone
    #[arg(short, long)]
    pub(crate) wait: bool,

    /// Give up waiting after this time; the deletion goes on
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "wait")]
    pub(crate) wait_timeout: Option<GoDuration>,
}

/// The objects to delete, with consent given. May be none.
pub async fn chosen<K: Resource>(
    ctx: &Context,
    args: &DeleteArgs,
    consequence: &str,
) -> Result<Vec<K>, CommandError> {
    let objects = cluster::select::<K>(ctx, &args.which.names, args.which.selector()).await?;
    if objects.is_empty() {
        ctx.talk.say(format_args!(
            "No {}s in namespace `{}`",
            K::NOUN,
            ctx.namespace()
        ));
        return Ok(objects);
    }
    if !args.confirm {
        let names: Vec<_> = objects
            .iter()
            .map(|object| format!("`{}`", name(object)))
            .collect();
        let plural = if names.len() == 1 { "" } else { "s" };
        let question = format!(
            "delete {}{plural} {}{consequence}?",
            K::NOUN,
            names.join(", ")
        );
        ctx.talk.confirm(&question, "--confirm")?;
    }
    Ok(objects)
}

/// Waits until none of the objects exists any more, as far as they are the same
/// ones and not new ones of the same name. `look` may end the wait early.
pub async fn gone<K: Resource>(
    ctx: &Context,
    objects: &[K],
    args: &DeleteArgs,
    mut look: impl AsyncFnMut() -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let wait = async {
        for object in objects {
            while is_there(ctx, object).await? {
                look().await?;
                tokio::time::sleep(POLL).await;
            }
            ctx.talk.say(format_args!(
                "{} `{}` is gone",
                capital(K::NOUN),
                name(object)
            ));
        }
        Ok(())
    };
    let limit = args.wait_timeout.map_or(Duration::MAX, GoDuration::to_std);
    tokio::select! {
        result = tokio::time::timeout(limit, wait) => result.unwrap_or_else(|_| {
            Err(CommandError::new(ErrorKind::TimedOut, "the deletion did not end in time"))
        }),
        _ = tokio::signal::ctrl_c() => Err(CommandError::new(
            ErrorKind::Interrupted,
            "stopped waiting; the deletion goes on in the cluster",
        )),
    }
}

async fn is_there<K: Resource>(ctx: &Context, object: &K) -> Result<bool, CommandError> {
    let present = cluster::find::<K>(ctx, name(object)).await?;
    Ok(present.is_some_and(|present| present.metadata().uid == object.metadata().uid))
}

fn capital(noun: &str) -> String {
    let mut letters = noun.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
