//! The application as the API server holds it: every object, reduced to what must
//! survive a disaster.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::client::Client;
use super::{allowed, shop};

const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(500);

/// Names an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    /// `plural.group`.
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.resource)?;
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

/// All objects of the application.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State(pub(crate) BTreeMap<Id, Value>);

impl State {
    /// Reads every object of every kind in the application's namespaces, and those
    /// without a namespace by their label.
    pub(crate) fn read(client: &Client) -> Result<Self> {
        let kinds = Kinds::discover(client)?;
        let mut state = Self::default();
        for namespace in shop::NAMESPACES {
            state.add(
                client,
                &kinds,
                &["--namespace", namespace, &kinds.namespaced],
            )?;
        }
        let cluster_kinds = shop::CLUSTER_KINDS.join(",");
        state.add(client, &kinds, &["--selector", shop::LABEL, &cluster_kinds])?;
        Ok(state)
    }

    /// Reads until the controllers have done their work and nothing changes.
    pub(crate) fn settled(client: &Client) -> Result<Self> {
        let started = Instant::now();
        let mut last = Self::read(client)?;
        loop {
            std::thread::sleep(PAUSE);
            let state = Self::read(client)?;
            if state == last && state.is_complete() {
                return Ok(state);
            }
            if started.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                bail!("the controllers did not come to rest within {seconds} s");
            }
            last = state;
        }
    }

    fn add(&mut self, client: &Client, kinds: &Kinds, arguments: &[&str]) -> Result<()> {
        let options = ["get", "--output=json", "--show-managed-fields"];
        let text = client.kubectl(&[&options[..], arguments].concat())?;
        let mut list: Value =
            serde_json::from_str(&text).context("kubectl answered something that is not JSON")?;
        let items = list["items"].as_array_mut().map(std::mem::take);
        for mut object in items.context("kubectl answered no list")? {
            let id = kinds.id(&object)?;
            if !allowed::is_made_by_the_cluster(&id) {
                allowed::reduce(&id, &mut object);
                self.0.insert(id, object);
            }
        }
        Ok(())
    }

    /// Whether each claim has its volume and each workload its pods.
    fn is_complete(&self) -> bool {
        let of = |resource: &'static str| {
            let objects = self.0.iter();
            objects.filter_map(move |(id, object)| (id.resource == resource).then_some(object))
        };
        let bound = "/metadata/annotations/pv.kubernetes.io~1bind-completed";
        let wanted: u64 = of("deployments.apps")
            .chain(of("statefulsets.apps"))
            .filter_map(|workload| workload["spec"]["replicas"].as_u64())
            .sum();
        of("persistentvolumeclaims").all(|claim| claim.pointer(bound).is_some())
            && of("pods").count() as u64 == wanted
    }

    /// How many objects of each resource.
    pub(crate) fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for id in self.0.keys() {
            *counts.entry(id.resource.as_str()).or_default() += 1;
        }
        counts
    }
}

/// The kinds that the cluster serves.
struct Kinds {
    /// Those in namespaces, `plural.group`, joined by commas.
    namespaced: String,
    /// Group and kind → `plural.group`.
    resources: BTreeMap<(String, String), String>,
}

impl Kinds {
    fn discover(client: &Client) -> Result<Self> {
        let options = ["--verbs=list", "--no-headers", "--output=wide"];
        let text = client.kubectl(&[&["api-resources"], &options[..]].concat())?;
        let mut namespaced = Vec::new();
        let mut resources = BTreeMap::new();
        for line in text.lines() {
            let row =
                Row::parse(line).with_context(|| format!("kubectl listed a kind as {line:?}"))?;
            let resource = row.resource();
            if row.namespaced && !allowed::LEFT_OUT.contains(&resource.as_str()) {
                namespaced.push(resource.clone());
            }
            resources.insert((row.group.to_owned(), row.kind.to_owned()), resource);
        }
        Ok(Self {
            namespaced: namespaced.join(","),
            resources,
        })
    }

    fn id(&self, object: &Value) -> Result<Id> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let version = text(&object["apiVersion"]);
        let group = version.rsplit_once('/').map_or("", |(group, _)| group);
        let kind = (group.to_owned(), text(&object["kind"]));
        let resource = self.resources.get(&kind);
        Ok(Id {
            resource: resource
                .with_context(|| format!("{kind:?} is no kind of this cluster"))?
                .clone(),
            namespace: text(&object["metadata"]["namespace"]),
            name: text(&object["metadata"]["name"]),
        })
    }
}

/// A line of `kubectl api-resources --output=wide`: `NAME [SHORTNAMES] APIVERSION
/// NAMESPACED KIND VERBS [CATEGORIES]`.
struct Row<'a> {
    plural: &'a str,
    group: &'a str,
    kind: &'a str,
    namespaced: bool,
}

impl<'a> Row<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let scope = words
            .iter()
            .position(|word| matches!(*word, "true" | "false"))?;
        let version = words.get(scope.checked_sub(1)?)?;
        Some(Self {
            plural: words.first()?,
            group: version.split_once('/').map_or("", |(group, _)| group),
            kind: words.get(scope + 1)?,
            namespaced: words[scope] == "true",
        })
    }

    fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_with_and_without_short_names() {
        let row =
            Row::parse("ingresses  ing  networking.k8s.io/v1  true  Ingress  get,list").unwrap();
        assert_eq!(row.resource(), "ingresses.networking.k8s.io");
        assert!(row.namespaced);
        let row = Row::parse("podtemplates   v1   true   PodTemplate   get,list").unwrap();
        assert_eq!(
            (row.resource().as_str(), row.kind),
            ("podtemplates", "PodTemplate")
        );
        assert!(Row::parse("what is this").is_none());
    }

    #[test]
    fn a_workload_without_its_pods_is_not_complete() {
        let id = |resource: &str| Id {
            resource: resource.to_owned(),
            namespace: "shop".to_owned(),
            name: "web".to_owned(),
        };
        let mut state = State::default();
        let deployment = serde_json::json!({"spec": {"replicas": 1}});
        state.0.insert(id("deployments.apps"), deployment);
        assert!(!state.is_complete());
        state.0.insert(id("pods"), Value::Null);
        assert!(state.is_complete());
        state.0.insert(id("persistentvolumeclaims"), Value::Null);
        assert!(!state.is_complete());
    }
}
