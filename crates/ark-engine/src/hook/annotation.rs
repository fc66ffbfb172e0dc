//! Hooks that a pod carries in its annotations.
//!
//! `pre.hook.backup.velero.io/{container,command,on-error,timeout}`, the same with
//! `post`, and without either, which is the oldest form and means `pre`. Pods that
//! were annotated for Heptio Ark use its domain.

use std::collections::BTreeMap;

use ark_api::GoDuration;
use ark_api::hook::{ExecHook, HookErrorMode};

use super::Stage;

/// The newer domain is asked first.
pub(super) const DOMAINS: [&str; 2] = ["hook.backup.velero.io", "hook.backup.ark.heptio.com"];

/// The hook of a stage, if the annotations have one.
pub(super) fn hook(
    annotations: &BTreeMap<String, String>,
    stage: Stage,
    warnings: &mut Vec<String>,
) -> Option<ExecHook> {
    let forms: &[String] = match stage {
        Stage::Pre => &["pre.".to_owned(), String::new()],
        Stage::Post => &["post.".to_owned()],
    };
    DOMAINS
        .iter()
        .flat_map(|domain| forms.iter().map(move |form| format!("{form}{domain}")))
        .find_map(|prefix| read(annotations, &prefix, warnings))
}

fn read(
    annotations: &BTreeMap<String, String>,
    prefix: &str,
    warnings: &mut Vec<String>,
) -> Option<ExecHook> {
    let get = |key: &str| {
        annotations
            .get(&format!("{prefix}/{key}"))
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    };
    let command = command(get("command")?);
    let on_error = get("on-error").and_then(|text| match HookErrorMode::from(text) {
        HookErrorMode::Other(other) => {
            warnings.push(format!(
                "annotation `{prefix}/on-error` is `{other}`; it can be Continue or Fail, and Continue is taken"
            ));
            None
        }
        known => Some(known),
    });
    let timeout = get("timeout").and_then(|text| match text.parse::<GoDuration>() {
        Ok(timeout) if timeout.as_nanos() >= 0 => Some(timeout),
        _ => {
            warnings.push(format!(
                "annotation `{prefix}/timeout` is `{text}`, which is no duration such as 90s; 30s is taken"
            ));
            None
        }
    });
    Some(ExecHook {
        container: get("container").unwrap_or_default().to_owned(),
        command,
        on_error,
        timeout,
    })
}

/// A JSON array of strings, or one program without arguments.
fn command(text: &str) -> Vec<String> {
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(command) if !command.is_empty() => command,
        _ => vec![text.to_owned()],
    }
}
