//! Names of what is in the cluster, for completion in a shell. Whatever goes
//! wrong is no name: a shell is no place for errors, nor for waiting.

use std::time::Duration;

use ark_api::{Backup, BackupStorageLocation, Restore, Schedule, VolumeSnapshotLocation};
use clap_complete::CompletionCandidate;

use crate::args::GlobalArgs;
use crate::cluster::{self, Resource};
use crate::context::Context;
use crate::env::Environment;
use crate::listing::name;

/// Nobody waits longer for a completion.
const PATIENCE: Duration = Duration::from_secs(2);

/// Names of the kind that the words before the cursor speak of.
pub(crate) fn names() -> Vec<CompletionCandidate> {
    let words = words();
    let kind = words.iter().find_map(|word| match word.as_str() {
        "backup" | "backups" => Some(backups as fn() -> _),
        "restore" | "restores" => Some(restores as fn() -> _),
        "schedule" | "schedules" => Some(schedules as fn() -> _),
        "backup-location" | "backup-locations" => Some(locations as fn() -> _),
        "snapshot-location" | "snapshot-locations" => Some(snapshot_locations as fn() -> _),
        _ => None,
    });
    kind.map(|kind| kind()).unwrap_or_default()
}

/// Names of backups.
pub(crate) fn backups() -> Vec<CompletionCandidate> {
    of::<Backup>()
}

/// Names of restores.
pub(crate) fn restores() -> Vec<CompletionCandidate> {
    of::<Restore>()
}

/// Names of schedules.
pub(crate) fn schedules() -> Vec<CompletionCandidate> {
    of::<Schedule>()
}

/// Names of backup locations.
pub(crate) fn locations() -> Vec<CompletionCandidate> {
    of::<BackupStorageLocation>()
}

fn snapshot_locations() -> Vec<CompletionCandidate> {
    of::<VolumeSnapshotLocation>()
}

fn of<K: Resource>() -> Vec<CompletionCandidate> {
    let Ok(ctx) = Context::new(&global(&words()), Environment::read()) else {
        return Vec::new();
    };
    let listed = ctx.block_on(async {
        let listing = cluster::list::<K>(&ctx, None);
        Ok(tokio::time::timeout(PATIENCE, listing).await)
    });
    match listed {
        Ok(Ok(Ok(objects))) => objects
            .iter()
            .map(|object| CompletionCandidate::new(name(object)))
            .collect(),
        _ => Vec::new(),
    }
}

/// The command line as it stands: what follows `--` in the call by the shell.
fn words() -> Vec<String> {
    let all = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    all.skip_while(|word| word != "--").skip(1).collect()
}

/// The global flags that say which cluster is meant. The line is not complete,
/// so it cannot be parsed as a whole.
fn global(words: &[String]) -> GlobalArgs {
    let value = |names: &[&str]| {
        words.iter().enumerate().find_map(|(at, word)| {
            if names.contains(&word.as_str()) {
                return words.get(at + 1).cloned();
            }
            let (flag, value) = word.split_once('=')?;
            names.contains(&flag).then(|| value.to_owned())
        })
    };
    GlobalArgs {
        kubeconfig: value(&["--kubeconfig"]).map(Into::into),
        context: value(&["--context", "--kubecontext"]),
        namespace: value(&["--namespace", "-n"]),
        ..GlobalArgs::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_is_found_in_an_unfinished_line() {
        let line = "ark --kubeconfig=/k backup -n there describe ";
        let words: Vec<String> = line.split(' ').map(ToOwned::to_owned).collect();
        let flags = global(&words);
        assert_eq!(flags.kubeconfig.as_deref(), Some("/k".as_ref()));
        assert_eq!(flags.namespace.as_deref(), Some("there"));
        assert_eq!(flags.context, None);
    }
}
