//! Item blocks: objects whose data belongs together, so that hooks hold still
//! whoever writes to a volume while that is saved. Pure.
//!
//! A pod brings the claims that it mounts, a claim its volume and every other pod
//! that mounts it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::action::backup::Related;

/// A pod or a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What is saved together; each list is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// Pods.
    pub pods: BTreeSet<Name>,
    /// Claims that they mount.
    pub claims: BTreeSet<Name>,
    /// Names of the volumes behind those.
    pub volumes: BTreeSet<String>,
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |names: &BTreeSet<Name>| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            names.join(", ")
        };
        write!(f, "pods {}", names(&self.pods))?;
        if !self.claims.is_empty() {
            write!(f, "; claims {}", names(&self.claims))?;
        }
        if !self.volumes.is_empty() {
            let volumes: Vec<&str> = self.volumes.iter().map(String::as_str).collect();
            write!(f, "; volumes {}", volumes.join(", "))?;
        }
        Ok(())
    }
}

/// Who mounts what, as far as it was seen: names only.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    claims: BTreeMap<Name, BTreeSet<Name>>,
    volumes: BTreeMap<Name, String>,
}

impl Links {
    /// Takes in what an object of a kind needs; other kinds than pods and claims
    /// link nothing.
    pub(super) fn note(&mut self, kind: &str, owner: &Name, related: &[Related]) {
        for one in related {
            let group = &one.group_resource;
            if !group.group.is_empty() {
                continue;
            }
            match (kind, group.resource.as_str()) {
                ("pods", "persistentvolumeclaims") => {
                    let claim = Name {
                        namespace: owner.namespace.clone(),
                        name: one.name.clone(),
                    };
                    self.claims.entry(owner.clone()).or_default().insert(claim);
                }
                ("persistentvolumeclaims", "persistentvolumes") => {
                    self.volumes.insert(owner.clone(), one.name.clone());
                }
                _ => {}
            }
        }
    }

    /// The blocks of these pods, each once.
    pub(super) fn blocks<'a>(&self, pods: impl IntoIterator<Item = &'a Name>) -> Vec<Block> {
        let mut mounting: BTreeMap<&Name, Vec<&Name>> = BTreeMap::new();
        for (pod, claims) in &self.claims {
            for claim in claims {
                mounting.entry(claim).or_default().push(pod);
            }
        }
        let mut done: BTreeSet<Name> = BTreeSet::new();
        let mut blocks = Vec::new();
        for pod in pods {
            if !done.contains(pod) {
                let block = self.block(pod, &mounting);
                done.extend(block.pods.iter().cloned());
                blocks.push(block);
            }
        }
        blocks
    }

    /// Everything that can be reached from one pod.
    fn block(&self, pod: &Name, mounting: &BTreeMap<&Name, Vec<&Name>>) -> Block {
        let mut block = Block::default();
        let mut next = vec![pod];
        while let Some(pod) = next.pop() {
            if !block.pods.insert(pod.clone()) {
                continue;
            }
            for claim in self.claims.get(pod).into_iter().flatten() {
                if block.claims.insert(claim.clone()) {
                    next.extend(mounting.get(claim).into_iter().flatten());
                    block.volumes.extend(self.volumes.get(claim).cloned());
                }
            }
        }
        block
    }
}

#[cfg(test)]
mod tests {
    use ark_archive::GroupResource;

    use super::*;

    fn name(name: &str) -> Name {
        Name {
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    fn links(mounts: &[(&str, &[&str])], volumes: &[(&str, &str)]) -> Links {
        let related = |resource: &str, name: &&str| Related {
            group_resource: GroupResource {
                resource: resource.into(),
                group: String::new(),
            },
            namespace: None,
            name: (*name).into(),
        };
        let mut links = Links::default();
        for (pod, claims) in mounts {
            let claims = claims.iter();
            let claims: Vec<_> = claims
                .map(|c| related("persistentvolumeclaims", c))
                .collect();
            links.note("pods", &name(pod), &claims);
        }
        for (claim, volume) in volumes {
            let volume = related("persistentvolumes", volume);
            links.note("persistentvolumeclaims", &name(claim), &[volume]);
        }
        links
    }

    fn told(links: &Links, pods: &[&str]) -> Vec<String> {
        let pods: Vec<Name> = pods.iter().map(|pod| name(pod)).collect();
        let blocks = links.blocks(&pods);
        blocks.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_pod_brings_its_claims_and_their_volumes() {
        let links = links(
            &[("db", &["data", "log"]), ("web", &["cache"])],
            &[("data", "pv-1"), ("log", "pv-2")],
        );
        assert_eq!(
            told(&links, &["db", "lone"]),
            [
                "pods shop/db; claims shop/data, shop/log; volumes pv-1, pv-2",
                "pods shop/lone",
            ]
        );
    }

    #[test]
    fn pods_that_share_a_claim_are_one_block_however_long_the_chain() {
        let links = links(
            &[
                ("a", &["x"]),
                ("b", &["x", "y"]),
                ("c", &["y"]),
                ("d", &["z"]),
            ],
            &[],
        );
        assert_eq!(
            told(&links, &["a", "c", "d"]),
            [
                "pods shop/a, shop/b, shop/c; claims shop/x, shop/y",
                "pods shop/d; claims shop/z",
            ]
        );
    }

    #[test]
    fn equal_names_in_two_namespaces_are_not_one_claim() {
        let mut links = links(&[("a", &["data"])], &[]);
        let other = Name {
            namespace: "bank".into(),
            name: "b".into(),
        };
        let claim = Related {
            group_resource: GroupResource {
                resource: "persistentvolumeclaims".into(),
                group: String::new(),
            },
            namespace: Some("bank".into()),
            name: "data".into(),
        };
        links.note("pods", &other, &[claim]);
        assert_eq!(links.blocks([&name("a"), &other]).len(), 2);
    }
}
