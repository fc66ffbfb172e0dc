//! Hooks of a backup's spec, and which pods they are for.

use std::collections::BTreeMap;

use ark_api::hook::{BackupHook, BackupHooks, BackupResourceHooks, ExecHook};

use super::Stage;
use crate::port::Discovery;
use crate::select::{IncludeExclude, LabelFilter, ResourceFilter};

/// The rules of one backup that are about pods.
#[derive(Debug, Clone, Default)]
pub struct HookRules(Vec<Rule>);

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) name: String,
    namespaces: IncludeExclude,
    labels: LabelFilter,
    pre: Vec<BackupHook>,
    post: Vec<BackupHook>,
}

impl HookRules {
    /// Reads rules that [`check`](super::check) has found nothing wrong with; one
    /// that cannot be read is left out.
    pub fn new(hooks: &BackupHooks, discovery: &Discovery) -> Self {
        let about_pods = |rule: &&BackupResourceHooks| {
            ResourceFilter::resolve(
                &rule.included_resources,
                &rule.excluded_resources,
                discovery,
            )
            .allows("pods")
        };
        let rules = hooks.resources.iter().filter(about_pods);
        Self(rules.filter_map(Rule::read).collect())
    }

    /// The rules that choose a pod, in order.
    pub(super) fn choose(&self, namespace: &str, labels: &BTreeMap<String, String>) -> Vec<&Rule> {
        self.0
            .iter()
            .filter(|rule| rule.namespaces.allows(namespace) && rule.labels.matches(labels))
            .collect()
    }
}

impl Rule {
    fn read(rule: &BackupResourceHooks) -> Option<Self> {
        Some(Self {
            name: rule.name.clone(),
            namespaces: IncludeExclude::new(&rule.included_namespaces, &rule.excluded_namespaces)
                .ok()?,
            labels: LabelFilter::new(rule.label_selector.as_ref(), None).ok()?,
            pre: rule.pre.clone(),
            post: rule.post.clone(),
        })
    }

    pub(super) fn of(&self, stage: Stage) -> impl Iterator<Item = &ExecHook> {
        let hooks = match stage {
            Stage::Pre => &self.pre,
            Stage::Post => &self.post,
        };
        hooks.iter().map(|hook| &hook.exec)
    }
}
