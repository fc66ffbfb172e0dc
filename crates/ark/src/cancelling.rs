//! What `cancel` verbs have in common: asking the server to stop work, by an
//! annotation on the resource.

use ark_api::cancel;
use clap::Args;

use crate::cluster::{self, Resource};
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Arguments of every `cancel` verb.
#[derive(Debug, Clone, Default, Args)]
pub struct CancelArgs {
    /// Names
    #[arg(value_name = "NAME", required = true)]
    pub(crate) names: Vec<String>,
}

/// Asks for all named ones to stop. `ended` tells the phase of one whose work is
/// over. Nothing is asked for when one of them cannot be cancelled.
pub async fn run<K: Resource>(
    ctx: &Context,
    args: &CancelArgs,
    ended: impl Fn(&K) -> Option<String>,
) -> Result<Exit, CommandError> {
    let objects = cluster::select::<K>(ctx, &args.names, None).await?;
    for (object, name) in objects.iter().zip(&args.names) {
        if let Some(phase) = ended(object) {
            return Err(CommandError::refused(format!(
                "{} `{name}` has ended already ({phase}); there is nothing to cancel",
                K::NOUN
            )));
        }
    }
    for (object, name) in objects.iter().zip(&args.names) {
        let mut asked = object.clone();
        cancel::request(asked.meta_mut());
        cluster::patch(ctx, object, &asked).await?;
        ctx.talk.say(format_args!(
            "Cancelling of {} `{name}` is requested",
            K::NOUN
        ));
    }
    ctx.talk.hint(format_args!(
        "it ends as Failed when the server has stopped it; `ark {} get` shows that",
        K::VERB
    ));
    Ok(Exit::Done)
}
