//! `ark restore cancel`: stops restores that wait or run; what they restored by
//! then stays.

use ark_api::Restore;

use crate::cancelling::{self, CancelArgs};
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Runs the verb.
pub async fn run(ctx: &Context, args: CancelArgs) -> Result<Exit, CommandError> {
    let ended = |restore: &Restore| {
        let phase = restore.phase();
        phase.is_terminal().then(|| phase.to_string())
    };
    cancelling::run(ctx, &args, ended).await
}
