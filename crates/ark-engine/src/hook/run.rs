//! Running the hooks of one pod, one after the other, and telling how they went.

use std::time::Duration;

use super::{Hook, Stage};
use crate::job::Job;
use crate::outcome::{Issue, Scope, Severity};
use crate::port::{Captured, ClusterError, ExecCommand, ExecEnd, Execution};

/// The pod that hooks run in.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub pod: &'a str,
}

/// What running the hooks of a stage came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageEnd {
    /// A hook failed that must not; those behind it were not run.
    pub failed: bool,
    /// At least one command may have begun, so the application may have changed
    /// its state.
    pub begun: bool,
    /// The job was cancelled in the middle.
    pub cancelled: bool,
}

/// How one hook failed.
struct Failure {
    reason: String,
    begun: bool,
}

/// Runs the hooks of one stage in order, until one fails that must not.
///
/// Every failure becomes an error of the job and is counted. Pre hooks stop when
/// the job is cancelled; post hooks do not, since an application must not stay
/// frozen.
pub async fn stage(job: &Job, place: Place<'_>, stage: Stage, hooks: &[Hook]) -> StageEnd {
    let mut end = StageEnd::default();
    for hook in hooks {
        let result = match stage {
            Stage::Post => one(job, place, stage, hook).await,
            Stage::Pre => {
                tokio::select! {
                    biased;
                    () = job.cancel.cancelled() => Err(Failure {
                        reason: "the backup was cancelled meanwhile".to_owned(),
                        begun: true,
                    }),
                    result = one(job, place, stage, hook) => result,
                }
            }
        };
        end.cancelled = stage == Stage::Pre && job.cancel.is_cancelled();
        job.count_hook(result.is_err());
        let failure = match result {
            Ok(()) => {
                end.begun = true;
                continue;
            }
            Err(failure) => failure,
        };
        end.begun |= failure.begun;
        let message = format!("{}: {}", title(place, stage, hook), failure.reason);
        job.issue(Issue {
            severity: Severity::Error,
            scope: Scope::Namespace(place.namespace.to_owned()),
            message,
        });
        if hook.fail || end.cancelled {
            end.failed = true;
            return end;
        }
    }
    end
}

async fn one(job: &Job, place: Place<'_>, stage: Stage, hook: &Hook) -> Result<(), Failure> {
    let title = title(place, stage, hook);
    let never = |reason: String| Failure {
        reason,
        begun: false,
    };
    let container = hook.container.as_ref().map_err(|why| never(why.clone()))?;
    job.note(format!("{title}: running {:?}", hook.command));
    let command = ExecCommand {
        namespace: place.namespace,
        pod: place.pod,
        container,
        command: &hook.command,
        timeout: hook.timeout,
    };
    let execution = job.ports.cluster.exec(&command).await;
    let execution = execution.map_err(|error: ClusterError| never(error.to_string()))?;
    for (name, output) in [("stdout", &execution.stdout), ("stderr", &execution.stderr)] {
        if !output.is_blank() {
            job.note(format!("{title}: {name}: {}", output.text()));
        }
    }
    match problem(&execution, hook.timeout) {
        None => {
            job.note(format!("{title}: done"));
            Ok(())
        }
        Some(reason) => Err(Failure {
            reason,
            begun: true,
        }),
    }
}

/// Which hook of which pod, as messages begin.
fn title(place: Place<'_>, stage: Stage, hook: &Hook) -> String {
    let container = match &hook.container {
        Ok(name) => format!(" in container `{name}`"),
        Err(_) => String::new(),
    };
    format!(
        "pods {}/{}: {stage} hook of `{}`{container}",
        place.namespace, place.pod, hook.source
    )
}

fn problem(execution: &Execution, timeout: Duration) -> Option<String> {
    match &execution.end {
        ExecEnd::Exited(0) => None,
        ExecEnd::Exited(code) => {
            let said = last_line(&execution.stderr).or_else(|| last_line(&execution.stdout));
            let said = said.map(|line| format!(": {line}")).unwrap_or_default();
            Some(format!("the command ended with exit code {code}{said}"))
        }
        ExecEnd::TimedOut => Some(format!(
            "the command did not end within {} s",
            timeout.as_secs_f64()
        )),
        ExecEnd::Failed(reason) => Some(format!("the command could not be run: {reason}")),
    }
}

fn last_line(output: &Captured) -> Option<String> {
    let text = output.text();
    let line = text.lines().last()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
