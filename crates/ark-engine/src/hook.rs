//! Hooks: commands that run in a pod's containers around its backup, so that an
//! application has its data on disk and holds still while that is saved.
//!
//! [`of_pod`] decides, purely, which hooks a pod has: those of its annotations,
//! or else those of the backup's spec whose rules choose it. [`run`] carries one
//! out.

mod annotation;
mod check;
mod rule;
pub mod run;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ark_api::GoDuration;
use ark_api::hook::{ExecHook, HookErrorMode};
use memchr::memmem;
use serde::Deserialize;

pub use check::check;
pub use rule::HookRules;

use crate::object::{Object, ObjectError};

/// How long a command may take where nothing is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before the pod and what belongs to it is saved.
    Pre,
    /// After that.
    Post,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pre => "pre",
            Self::Post => "post",
        })
    }
}

/// One command for one pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// Who asks for it: `annotation`, or the name of a rule.
    pub source: String,
    /// The container, or why there is none to run it in.
    pub container: Result<String, String>,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Whether the pod is left out when the hook fails. Nothing said means no.
    pub fail: bool,
    /// How long it may take.
    pub timeout: Duration,
}

/// The hooks of one pod, each stage in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodHooks {
    /// Before.
    pub pre: Vec<Hook>,
    /// After.
    pub post: Vec<Hook>,
    /// What was asked for in words that cannot be understood, and what is done
    /// instead.
    pub warnings: Vec<String>,
}

impl PodHooks {
    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.pre.is_empty() && self.post.is_empty()
    }
}

/// The hooks that a pod has. A pod that has ended runs no more commands.
///
/// # Errors
/// When the pod's JSON is not that of a pod.
pub fn of_pod(rules: &HookRules, object: &Object) -> Result<PodHooks, ObjectError> {
    let head = object.head();
    let namespace = head.namespace.as_deref().unwrap_or_default();
    let json = object.json();
    let annotated = annotation::DOMAINS
        .iter()
        .any(|domain| memmem::find(&json, domain.as_bytes()).is_some());
    let chosen = rules.choose(namespace, &head.labels);
    // Most pods have none, and are not looked into.
    if !annotated && chosen.is_empty() {
        return Ok(PodHooks::default());
    }
    let pod: Pod = serde_json::from_slice(&json).map_err(ObjectError::Parse)?;
    if matches!(pod.status.phase.as_str(), "Succeeded" | "Failed") {
        return Ok(PodHooks::default());
    }
    let mut hooks = PodHooks::default();
    for stage in [Stage::Pre, Stage::Post] {
        let annotated = annotation::hook(&pod.metadata.annotations, stage, &mut hooks.warnings);
        let found = match annotated {
            Some(exec) => vec![pod.hook("annotation", &exec)],
            None => chosen
                .iter()
                .flat_map(|rule| rule.of(stage).map(|exec| pod.hook(&rule.name, exec)))
                .collect(),
        };
        match stage {
            Stage::Pre => hooks.pre = found,
            Stage::Post => hooks.post = found,
        }
    }
    Ok(hooks)
}

/// What of a pod matters to its hooks.
#[derive(Deserialize)]
struct Pod {
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    containers: Vec<Container>,
    init_containers: Vec<Container>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Container {
    name: String,
    restart_policy: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    phase: String,
}

impl Pod {
    fn hook(&self, source: &str, exec: &ExecHook) -> Hook {
        Hook {
            source: source.to_owned(),
            container: self.container(&exec.container),
            command: exec.command.clone(),
            fail: exec.on_error == Some(HookErrorMode::Fail),
            timeout: GoDuration::or_default(exec.timeout, DEFAULT_TIMEOUT),
        }
    }

    /// Containers that run as long as the pod does: a sidecar is an init
    /// container that is always restarted.
    fn container(&self, wanted: &str) -> Result<String, String> {
        let sidecars = self
            .spec
            .init_containers
            .iter()
            .filter(|container| container.restart_policy == "Always");
        let mut all = self.spec.containers.iter().chain(sidecars);
        let found = if wanted.is_empty() {
            all.next()
        } else {
            all.find(|container| container.name == wanted)
        };
        found
            .map(|container| container.name.clone())
            .ok_or_else(|| {
                let names = |containers: &[Container]| -> Vec<String> {
                    containers.iter().map(|one| one.name.clone()).collect()
                };
                format!(
                    "the pod has no running container `{wanted}`; it has: {}",
                    names(&self.spec.containers).join(", ")
                )
            })
    }
}

#[cfg(test)]
mod tests;
