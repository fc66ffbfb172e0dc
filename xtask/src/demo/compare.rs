//! Two states of the application, object by object.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use super::client::Client;
use super::state::{Id, State};

/// Controllers take up restored objects (pods get their owner again) shortly after
/// the restore has ended.
const PATIENCE: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_millis(500);

/// What came of a restore.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// The state that was found.
    pub(crate) found: State,
    /// What was saved and is not there.
    pub(crate) lost: Vec<Id>,
    /// What is there and was not saved.
    pub(crate) added: Vec<Id>,
    /// What is there with another content, and where.
    pub(crate) changed: Vec<(Id, Vec<String>)>,
}

impl Comparison {
    /// Compares a cluster with what was saved, until nothing differs or the
    /// controllers had time enough.
    pub(crate) fn of_cluster(saved: &State, client: &Client) -> Result<Self> {
        let started = Instant::now();
        loop {
            let comparison = Self::new(saved, State::read(client)?);
            if comparison.is_clean() || started.elapsed() > PATIENCE {
                return Ok(comparison);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn new(saved: &State, found: State) -> Self {
        let mut comparison = Self::default();
        for (id, object) in &saved.0 {
            match found.0.get(id) {
                None => comparison.lost.push(id.clone()),
                Some(other) if other != object => {
                    let mut places = Vec::new();
                    differences(object, other, "", &mut places);
                    comparison.changed.push((id.clone(), places));
                }
                Some(_) => {}
            }
        }
        let added = found.0.keys().filter(|id| !saved.0.contains_key(id));
        comparison.added = added.cloned().collect();
        comparison.found = found;
        comparison
    }

    /// Whether nothing is lost, changed or added.
    pub(crate) fn is_clean(&self) -> bool {
        self.problems() == 0
    }

    /// How many objects are lost, changed or added.
    pub(crate) fn problems(&self) -> usize {
        self.lost.len() + self.added.len() + self.changed.len()
    }

    /// The same for one resource.
    pub(crate) fn problems_of(&self, resource: &str) -> usize {
        let changed = self.changed.iter().map(|(id, _)| id);
        let all = self.lost.iter().chain(&self.added).chain(changed);
        all.filter(|id| id.resource == resource).count()
    }

    /// One line for each problem.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lost = self.lost.iter().map(|id| format!("lost: {id}"));
        let added = self
            .added
            .iter()
            .map(|id| format!("not in the backup: {id}"));
        let changed = self.changed.iter().flat_map(|(id, places)| {
            places
                .iter()
                .map(move |place| format!("changed: {id}: {place}"))
        });
        lost.chain(added).chain(changed).collect()
    }
}

/// Where two values differ: `spec/replicas: 3 became 2`.
fn differences(saved: &Value, found: &Value, path: &str, places: &mut Vec<String>) {
    let step = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}/{name}")
        }
    };
    match (saved, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                match b.get(name) {
                    Some(other) => differences(value, other, &step(name), places),
                    None => places.push(format!("{}: {} is gone", step(name), short(value))),
                }
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                places.push(format!("{}: {} is new", step(name), short(value)));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (value, other)) in a.iter().zip(b).enumerate() {
                differences(value, other, &step(&at.to_string()), places);
            }
        }
        (a, b) if a != b => places.push(format!("{path}: {} became {}", short(a), short(b))),
        _ => {}
    }
}

fn short(value: &Value) -> String {
    const LENGTH: usize = 80;
    let text = value.to_string();
    if text.chars().count() <= LENGTH {
        return text;
    }
    let start: String = text.chars().take(LENGTH).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn state(objects: &[(&str, Value)]) -> State {
        let id = |name: &str| Id {
            resource: "configmaps".to_owned(),
            namespace: "shop".to_owned(),
            name: name.to_owned(),
        };
        State(
            objects
                .iter()
                .map(|(name, object)| (id(name), object.clone()))
                .collect(),
        )
    }

    #[test]
    fn every_kind_of_problem_is_told() {
        let saved = state(&[
            ("a", json!({"x": [1, 2]})),
            ("b", json!({})),
            ("c", json!(1)),
        ]);
        let found = state(&[
            ("a", json!({"x": [1, 3], "y": 0})),
            ("c", json!(1)),
            ("d", json!({})),
        ]);
        let comparison = Comparison::new(&saved, found);
        assert_eq!(
            comparison.lines(),
            [
                "lost: configmaps shop/b",
                "not in the backup: configmaps shop/d",
                "changed: configmaps shop/a: x/1: 2 became 3",
                "changed: configmaps shop/a: y: 0 is new",
            ]
        );
        assert_eq!(
            (comparison.problems(), comparison.problems_of("configmaps")),
            (3, 3)
        );
        assert_eq!(comparison.problems_of("secrets"), 0);
    }

    #[test]
    fn equal_states_are_clean() {
        let saved = state(&[("a", json!({"x": null}))]);
        assert!(Comparison::new(&saved, saved.clone()).is_clean());
    }
}
