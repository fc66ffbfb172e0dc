//! What a restore will do, as a value: which objects, in which waves, into which
//! namespaces, and what is left out by which rule. No client in it; a dry run
//! shows it, [`super::run`] carries it out.
//!
//! Rules that need an object's content (labels, finished pods) cannot be known
//! here; they are counted when the object is loaded.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use ark_archive::{Entry, GroupResource, ItemKey};

use super::Rule;
use super::order::{self, DEFINITIONS, NAMESPACES};
use super::selection::Selection;
use super::validate::ValidatedRestore;
use crate::port::{ApiResource, Discovery};

/// Everything that is decided before the first object is read.
#[derive(Debug, Clone, Default)]
pub struct RestorePlan {
    /// The objects, in waves; empty waves are left out.
    pub waves: Vec<Wave>,
    /// Target namespaces, each with the namespace of the backup whose labels and
    /// annotations it gets.
    pub namespaces: BTreeMap<String, String>,
    /// How many objects each rule leaves out.
    pub left_out: BTreeMap<Rule, u64>,
    /// Selected kinds that the cluster does not serve, and how many objects of
    /// them cannot be restored for that.
    pub unserved: BTreeMap<String, u64>,
}

/// Objects that may be created at the same time.
#[derive(Debug, Clone)]
pub struct Wave {
    /// What it brings, for people.
    pub name: &'static str,
    /// Its kinds.
    pub kinds: Vec<PlannedKind>,
}

/// The objects of one kind.
#[derive(Debug, Clone)]
pub struct PlannedKind {
    /// The kind.
    pub group_resource: GroupResource,
    /// The versions of it that the cluster serves, the preferred one first. Empty
    /// while the definition of the kind is still to be restored.
    pub served: Vec<ApiResource>,
    /// The objects, in the order of the archive.
    pub items: Vec<PlannedItem>,
}

/// One object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedItem {
    /// Namespace in the backup.
    pub source: Option<Arc<str>>,
    /// Namespace in the cluster.
    pub target: Option<Arc<str>>,
    /// Name.
    pub name: Box<str>,
}

impl PlannedItem {
    /// The object's key in the backup.
    pub fn source_key(&self, kind: &GroupResource) -> ItemKey {
        ItemKey {
            group_resource: kind.clone(),
            namespace: self.source.as_deref().map(str::to_owned),
            name: self.name.as_ref().to_owned(),
        }
    }
}

impl RestorePlan {
    /// How many objects it holds.
    pub fn total(&self) -> u64 {
        self.waves
            .iter()
            .flat_map(|wave| &wave.kinds)
            .map(|kind| kind.items.len() as u64)
            .sum()
    }

    /// The wave of the custom resource definitions, if there is any to restore.
    pub fn definitions(&self) -> Option<&Wave> {
        self.waves.first().filter(|wave| is_definitions(wave))
    }

    /// Numbers of the waves after the definitions.
    pub fn after_definitions(&self) -> Range<usize> {
        usize::from(self.definitions().is_some())..self.waves.len()
    }

    /// The keys in the backup of all objects, wave by wave.
    pub fn keys(&self) -> impl Iterator<Item = ItemKey> {
        self.waves
            .iter()
            .flat_map(|wave| &wave.kinds)
            .flat_map(|kind| {
                kind.items
                    .iter()
                    .map(|item| item.source_key(&kind.group_resource))
            })
    }

    /// Kinds whose definitions should have come and did not: they are not served.
    pub(super) fn give_up_unserved(&mut self) {
        for wave in &mut self.waves {
            for kind in wave.kinds.extract_if(.., |kind| kind.served.is_empty()) {
                self.unserved
                    .insert(kind.group_resource.to_string(), kind.items.len() as u64);
            }
        }
        self.waves.retain(|wave| !wave.kinds.is_empty());
    }
}

fn is_definitions(wave: &Wave) -> bool {
    wave.kinds
        .iter()
        .any(|kind| kind.group_resource.to_string() == DEFINITIONS)
}

/// Plans the restore of what an archive holds against what a cluster serves.
pub fn plan<'a>(
    entries: impl Iterator<Item = Entry<'a>>,
    discovery: &Discovery,
    restore: &ValidatedRestore,
) -> RestorePlan {
    let selection = Selection::new(&restore.restore.spec, &restore.namespaces, discovery);
    let mut planner = Planner {
        restore,
        selection,
        names: Names::default(),
        plan: RestorePlan::default(),
    };
    let mut kinds: BTreeMap<(usize, GroupResource), Vec<PlannedItem>> = BTreeMap::new();
    for entry in entries {
        let kind = &entry.group.group_resource;
        if let Some(item) = planner.take(&entry) {
            kinds
                .entry((order::wave_of(kind), kind.clone()))
                .or_default()
                .push(item);
        }
    }
    let mut plan = planner.plan;
    let definitions = definitions(&kinds);
    let steps: Vec<_> = order::steps().collect();
    let mut last = None;
    for ((wave, group_resource), items) in kinds {
        let served = served(&group_resource, discovery);
        if served.is_empty() && !definitions.contains(&group_resource.to_string()) {
            plan.unserved
                .insert(group_resource.to_string(), items.len() as u64);
            continue;
        }
        if last != Some(wave) {
            plan.waves.push(Wave {
                name: steps[wave].name,
                kinds: Vec::new(),
            });
            last = Some(wave);
        }
        if let Some(wave) = plan.waves.last_mut() {
            wave.kinds.push(PlannedKind {
                group_resource,
                served,
                items,
            });
        }
    }
    plan
}

/// Names of the kinds whose definitions the restore brings. The API demands that
/// a definition is named `plural.group`.
fn definitions(kinds: &BTreeMap<(usize, GroupResource), Vec<PlannedItem>>) -> Vec<String> {
    kinds
        .iter()
        .filter(|((_, kind), _)| kind.to_string() == DEFINITIONS)
        .flat_map(|(_, items)| items.iter().map(|item| item.name.as_ref().to_owned()))
        .collect()
}

/// The versions of a kind that the cluster serves, the preferred one first.
pub(crate) fn served(kind: &GroupResource, discovery: &Discovery) -> Vec<ApiResource> {
    let mut served: Vec<ApiResource> = discovery
        .resources
        .iter()
        .filter(|resource| resource.plural == kind.resource && resource.group == kind.group)
        .cloned()
        .collect();
    served.sort_by_key(|resource| !resource.preferred);
    served
}

struct Planner<'a> {
    restore: &'a ValidatedRestore,
    selection: Selection,
    names: Names,
    plan: RestorePlan,
}

impl Planner<'_> {
    fn take(&mut self, entry: &Entry<'_>) -> Option<PlannedItem> {
        let key = entry.key();
        let kind = key.group_resource.to_string();
        if let Err(rule) = self.selection.selects(&key, &kind) {
            *self.plan.left_out.entry(rule).or_default() += 1;
            return None;
        }
        // A namespace lies in itself, as far as mapping goes.
        let home = if kind == NAMESPACES {
            Some(&key.name)
        } else {
            key.namespace.as_ref()
        };
        if let Some(home) = home {
            let target = self.restore.mapping.target(home);
            if !self.plan.namespaces.contains_key(target) {
                self.plan.namespaces.insert(target.to_owned(), home.clone());
            }
        }
        let source = key.namespace.as_deref().map(|name| self.names.get(name));
        let target = key.namespace.as_deref().map(|name| {
            let target = self.restore.mapping.target(name);
            self.names.get(target)
        });
        Some(PlannedItem {
            source,
            target,
            name: key.name.into_boxed_str(),
        })
    }
}

/// Namespaces repeat: each name is kept once.
#[derive(Default)]
struct Names(HashMap<String, Arc<str>>);

impl Names {
    fn get(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = Arc::from(name);
        self.0.insert(name.to_owned(), Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests;
