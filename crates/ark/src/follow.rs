//! Waiting for work in the cluster: shows its progress, says what came of it,
//! and exits with the truth. Leaves the work running when interrupted.

use std::time::Duration;

use ark_api::{Backup, Restore};
use futures::StreamExt as _;

use crate::cluster::{self, Resource};
use crate::context::Context;
use crate::error::{CommandError, ErrorKind, Exit};
use crate::out::progress::Progress;
use crate::work::{self, Standing, Work};

/// After this long without the server taking it up, people are told.
const UNTOUCHED: Duration = Duration::from_secs(15);

/// Follows a backup to its end.
pub async fn backup(
    ctx: &Context,
    name: &str,
    timeout: Option<Duration>,
) -> Result<Exit, CommandError> {
    run::<Backup>(ctx, name, timeout).await
}

/// Follows a restore to its end.
pub async fn restore(
    ctx: &Context,
    name: &str,
    timeout: Option<Duration>,
) -> Result<Exit, CommandError> {
    run::<Restore>(ctx, name, timeout).await
}

async fn run<K: Work>(
    ctx: &Context,
    name: &str,
    timeout: Option<Duration>,
) -> Result<Exit, CommandError> {
    let progress = Progress::start(ctx.talk, "Waiting for the server");
    let result = tokio::select! {
        ended = watch::<K>(ctx, name, &progress) => ended,
        () = elapsed(timeout) => Err(CommandError::new(
            ErrorKind::TimedOut,
            format!("{} `{name}` did not end in time", K::NOUN),
        )
        .hint(still_running::<K>(name))),
        _ = tokio::signal::ctrl_c() => Err(CommandError::new(
            ErrorKind::Interrupted,
            format!("stopped waiting; {} `{name}` goes on in the cluster", K::NOUN),
        )
        .hint(still_running::<K>(name))),
    };
    progress.finish();
    drop(progress);
    let standing = result?;
    let exit = work::report(ctx, K::NOUN, name, &standing);
    ctx.talk.hint(next::<K>(exit, &standing, name));
    Ok(exit)
}

/// Where to look next.
fn next<K: Resource>(exit: Exit, standing: &Standing, name: &str) -> String {
    let verb = K::VERB;
    match exit {
        Exit::Done if standing.warnings == 0 => format!("`ark {verb} describe {name}` shows it"),
        Exit::Refused => format!("`ark {verb} delete {name}` makes room for another try"),
        _ => format!(
            "`ark {verb} describe {name}` shows what happened, `ark {verb} logs {name}` the whole story"
        ),
    }
}

/// Waits for the end of the work.
async fn watch<K: Work>(
    ctx: &Context,
    name: &str,
    progress: &Progress,
) -> Result<Standing, CommandError> {
    let custom = cluster::custom::<K>(ctx).await?;
    let mut states = Box::pin(custom.follow(name)?);
    let untouched = tokio::time::sleep(UNTOUCHED);
    tokio::pin!(untouched);
    let mut touched = false;
    loop {
        let state = tokio::select! {
            state = states.next() => state,
            () = &mut untouched, if !touched => {
                progress.say(ctx.talk, &nobody_there(ctx, name));
                touched = true;
                continue;
            }
        };
        let Some(state) = state else {
            return Err(CommandError::failed(format!(
                "the watch on {} `{name}` ended",
                K::NOUN
            )));
        };
        let Some(object) = state? else {
            return Err(CommandError::failed(format!(
                "{} `{name}` was deleted before it ended",
                K::NOUN
            )));
        };
        let standing = object.standing();
        touched |= standing.phase != "New";
        if !standing.ended {
            progress.stage(&standing.title(K::DOING));
        }
        progress.total(standing.total);
        progress.done(standing.done);
        if standing.ended {
            return Ok(standing);
        }
    }
}

fn nobody_there(ctx: &Context, name: &str) -> String {
    format!(
        "Nobody has taken up `{name}` yet: is a server running in namespace `{}`? \
         (`kubectl -n {} get deployment`)",
        ctx.namespace(),
        ctx.namespace()
    )
}

fn still_running<K: Resource>(name: &str) -> String {
    format!("`ark {} describe {name}` shows how it goes", K::VERB)
}

async fn elapsed(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
}
