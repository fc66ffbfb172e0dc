//! The queue of backups: which ones wait, at which place, and which may start.
//!
//! No two backups run at once that have a namespace in common: each would slow
//! the other down, and hooks in a pod must not run twice at a time. One that
//! waits only for its namespaces lets others pass that do not touch them, and
//! holds up those that do, so none starves. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// How far a backup is, as the queue sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It holds a slot: ready to start, or in progress.
    Running,
    /// It waits at this place.
    Queued(i64),
    /// It has no place yet.
    New,
}

/// A backup that waits or runs.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `metadata.name`.
    pub(crate) name: String,
    /// How far it is.
    pub(crate) standing: Standing,
    /// `metadata.creationTimestamp`.
    pub(crate) created: Option<Timestamp>,
    /// The namespaces that it covers, of those that exist.
    pub(crate) namespaces: BTreeSet<String>,
}

/// What becomes of one that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It gets a slot.
    Start,
    /// It waits at this place, counted from 1.
    Wait(i64),
}

/// Decides for all that wait, in their order; `slots` may run at once.
pub(crate) fn arrange(entries: &[Entry], slots: usize) -> Vec<(&Entry, Turn)> {
    let is_running = |entry: &&Entry| entry.standing == Standing::Running;
    let running = entries.iter().filter(is_running);
    let mut free = slots.saturating_sub(running.clone().count());
    let mut taken: BTreeSet<&str> = running.flat_map(names).collect();
    let mut waiting: Vec<&Entry> = entries.iter().filter(|entry| !is_running(entry)).collect();
    waiting.sort_by_key(|entry| rank(entry));
    let mut turns = Vec::with_capacity(waiting.len());
    let mut place = 0;
    for entry in waiting {
        let turn = if free > 0 && names(entry).all(|name| !taken.contains(name)) {
            free -= 1;
            Turn::Start
        } else {
            place += 1;
            Turn::Wait(place)
        };
        turns.push((entry, turn));
        // Those that start and those that wait both go before what comes later.
        taken.extend(names(entry));
    }
    turns
}

fn names(entry: &Entry) -> impl Iterator<Item = &str> {
    entry.namespaces.iter().map(String::as_str)
}

/// Those with a place by their place, then new ones by age and name.
fn rank(entry: &Entry) -> (i64, Option<Timestamp>, &str) {
    let place = match entry.standing {
        Standing::Queued(place) if place > 0 => place,
        _ => i64::MAX,
    };
    (place, entry.created, &entry.name)
}

#[cfg(test)]
mod tests;
