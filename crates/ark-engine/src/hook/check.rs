//! What can be wrong with the hooks of a spec, in words.

use ark_api::hook::{BackupHooks, BackupResourceHooks, ExecHook, HookErrorMode};

use crate::select::{IncludeExclude, LabelFilter};

/// Everything that is wrong; nothing for hooks that can run.
pub fn check(hooks: &BackupHooks) -> Vec<String> {
    let mut messages = Vec::new();
    for (index, rule) in hooks.resources.iter().enumerate() {
        let place = if rule.name.is_empty() {
            messages.push(format!(
                "spec.hooks.resources[{index}] has no name: give it one, the log speaks of it by that"
            ));
            format!("spec.hooks.resources[{index}]")
        } else {
            format!("hook `{}`", rule.name)
        };
        let problems = selectors(rule).into_iter().chain(commands(rule));
        messages.extend(problems.map(|problem| format!("{place}: {problem}")));
    }
    messages
}

fn selectors(rule: &BackupResourceHooks) -> Vec<String> {
    let lists = [
        (
            "namespaces",
            &rule.included_namespaces,
            &rule.excluded_namespaces,
        ),
        (
            "resources",
            &rule.included_resources,
            &rule.excluded_resources,
        ),
    ];
    let mut problems = Vec::new();
    for (name, includes, excludes) in lists {
        if let Err(found) = IncludeExclude::new(includes, excludes) {
            problems.extend(found.iter().map(|problem| format!("{name}: {problem}")));
        }
    }
    if let Err(found) = LabelFilter::new(rule.label_selector.as_ref(), None) {
        problems.extend(found);
    }
    problems
}

fn commands(rule: &BackupResourceHooks) -> Vec<String> {
    let mut problems = Vec::new();
    for (stage, hooks) in [("pre", &rule.pre), ("post", &rule.post)] {
        for (index, hook) in hooks.iter().enumerate() {
            let found = command(&hook.exec);
            problems.extend(
                found
                    .into_iter()
                    .map(|problem| format!("{stage}[{index}].exec{problem}")),
            );
        }
    }
    problems
}

fn command(exec: &ExecHook) -> Vec<String> {
    let mut problems = Vec::new();
    if exec.command.first().is_none_or(String::is_empty) {
        problems.push(".command is empty: name the program to run, and its arguments".to_owned());
    }
    if let Some(HookErrorMode::Other(mode)) = &exec.on_error {
        problems.push(format!(".onError is `{mode}`: it can be Continue or Fail"));
    }
    if exec.timeout.is_some_and(|timeout| timeout.as_nanos() < 0) {
        problems.push(".timeout is negative: give the time that the command may take".to_owned());
    }
    problems
}
