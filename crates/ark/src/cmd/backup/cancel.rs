//! `ark backup cancel`: stops backups that wait or run.

use ark_api::Backup;

use crate::cancelling::{self, CancelArgs};
use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Runs the verb.
pub async fn run(ctx: &Context, args: CancelArgs) -> Result<Exit, CommandError> {
    let ended = |backup: &Backup| {
        let phase = backup.phase();
        phase.is_terminal().then(|| phase.to_string())
    };
    cancelling::run(ctx, &args, ended).await
}
