//! The hooks of a backup's spec. Documents have Velero's key `onError:`, colon
//! and all: programs that read them know it by that name.

use ark_api::hook::{BackupHook, BackupResourceHooks};
use serde_json::{Value, json};

use super::super::included;
use crate::cmd::backup::get::selector;
use crate::out::describe::{Description, NONE};

/// What a hook without a mode does.
const FAIL: &str = "Fail";
/// How long a hook without a timeout may take.
const TIMEOUT: &str = "30s";

/// Adds the hooks; without any, documents have no key for them.
pub(super) fn add(into: &mut Description, rules: &[BackupResourceHooks]) {
    if rules.is_empty() {
        into.told("Hooks", NONE);
        return;
    }
    let mut by_name = Description::new();
    for rule in rules {
        by_name.section(&rule.name, &rule.name, one(rule));
    }
    let mut resources = Description::new();
    resources.section("Resources", "resources", by_name);
    into.section("Hooks", "hooks", resources);
}

fn one(rule: &BackupResourceHooks) -> Description {
    let mut all = Description::new();
    let namespaces = included(&rule.included_namespaces, &rule.excluded_namespaces, "*");
    let resources = included(&rule.included_resources, &rule.excluded_resources, "*");
    all.section("Namespaces", "namespaces", namespaces).gap();
    all.section("Resources", "resources", resources).gap();
    let labels = selector(rule.label_selector.as_ref());
    all.field("Label selector", "labelSelector", labels);
    let sides = [
        ("Pre Exec Hook", "preExecHook", &rule.pre),
        ("Post Exec Hook", "postExecHook", &rule.post),
    ];
    for (label, key, hooks) in sides {
        for hook in hooks {
            all.gap().section(label, "", shown(hook));
        }
        all.kept(key, hooks.iter().map(document).collect::<Vec<_>>());
    }
    all
}

fn shown(hook: &BackupHook) -> Description {
    let mut all = Description::new();
    let container = match hook.exec.container.as_str() {
        "" => "<the first one>",
        container => container,
    };
    all.told("Container", container)
        .told("Command", hook.exec.command.join(" "))
        .told("On Error", on_error(hook))
        .told("Timeout", timeout(hook));
    all
}

fn document(hook: &BackupHook) -> Value {
    json!({
        "container": hook.exec.container,
        "command": hook.exec.command.join(" "),
        "onError:": on_error(hook),
        "timeout": timeout(hook),
    })
}

fn on_error(hook: &BackupHook) -> &str {
    hook.exec
        .on_error
        .as_ref()
        .map_or(FAIL, |mode| mode.as_str())
}

fn timeout(hook: &BackupHook) -> String {
    let timeout = hook.exec.timeout;
    timeout.map_or_else(|| TIMEOUT.to_owned(), |timeout| timeout.to_string())
}
