//! Deciding over each object that a list brings, and putting it in the archive.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use ark_api::label;
use ark_archive::{GroupResource, ItemKey, KeyError};
use sha2::{Digest, Sha256};

use super::BackupError;
use super::block::{Links, Name};
use super::hooked::Held;
use super::plan::BackupPlan;
use super::remap;
use super::sink::Sink;
use super::volumes::{self, Volumes};
use crate::action::backup::{self as action, Related};
use crate::hook;
use crate::job::Job;
use crate::object::Object;
use crate::outcome::{Issue, Severity};
use crate::port::{ApiResource, Discovery};
use crate::progress::Event;

/// Takes objects in, remembers what they need.
pub(super) struct Keeper<'a> {
    pub job: &'a Job,
    pub plan: &'a BackupPlan,
    pub discovery: &'a Discovery,
    pub sink: Sink,
    /// Digests of the keys that are in; 16 bytes an object.
    seen: HashSet<[u8; 16]>,
    /// Objects that kept ones refer to and no list will bring.
    wanted: BTreeSet<Related>,
    /// Kept service accounts, while their cluster roles are still to be found.
    pub accounts: BTreeSet<(String, String)>,
    /// Kinds of which something was kept.
    pub kinds: BTreeSet<String>,
    /// Namespaces of which something was kept.
    pub namespaces: BTreeSet<String>,
    /// What is known of volumes.
    pub volumes: Volumes,
    /// Who mounts what.
    pub links: Links,
    /// Pods that are saved later, between their hooks.
    pub held: BTreeMap<Name, Held>,
    /// Claims that are saved later, when it is known whether they have snapshots.
    pub claims: BTreeMap<Name, HeldClaim>,
    holds_claims: bool,
    follows_accounts: bool,
}

/// A claim that waits for the snapshot of its volume.
pub(super) struct HeldClaim {
    pub resource: ApiResource,
    pub key: ItemKey,
    pub object: Object,
}

impl<'a> Keeper<'a> {
    /// `holds_claims`: bound claims are held back.
    pub(super) fn new(
        job: &'a Job,
        plan: &'a BackupPlan,
        discovery: &'a Discovery,
        sink: Sink,
        holds_claims: bool,
    ) -> Self {
        let bindings = discovery.preferred("clusterrolebindings", "rbac.authorization.k8s.io");
        let follows_accounts =
            bindings.is_some_and(|kind| !plan.lists_all_of(kind) && plan.selection.admits(kind));
        Self {
            job,
            plan,
            discovery,
            sink,
            seen: HashSet::new(),
            wanted: BTreeSet::new(),
            accounts: BTreeSet::new(),
            kinds: BTreeSet::new(),
            namespaces: BTreeSet::new(),
            volumes: Volumes::default(),
            links: Links::default(),
            held: BTreeMap::new(),
            claims: BTreeMap::new(),
            holds_claims,
            follows_accounts,
        }
    }

    /// Takes a page of one kind.
    pub(super) async fn page(
        &mut self,
        resource: &ApiResource,
        items: Vec<Object>,
    ) -> Result<(), BackupError> {
        for object in items {
            if self.plan.wants(resource, object.head()) {
                self.keep(resource, object).await?;
            }
        }
        self.job.progress(&Event::Done(self.sink.items()));
        Ok(())
    }

    /// Puts one object in the archive, unless a rule leaves it out or it is in.
    pub(super) async fn keep(
        &mut self,
        resource: &ApiResource,
        object: Object,
    ) -> Result<(), BackupError> {
        let head = object.head();
        let excluded = head
            .labels
            .get(label::EXCLUDE_FROM_BACKUP)
            .is_some_and(|v| v == "true");
        if head.deleting || excluded {
            return Ok(());
        }
        let key = match key_of(resource, &object) {
            Ok(key) => key,
            Err(error) => {
                let message = format!("{} {}: {error}", resource.group_resource(), head.name);
                self.job.issue(Issue::job(Severity::Error, message));
                return Ok(());
            }
        };
        let version = (!resource.preferred).then_some(resource.version.as_str());
        if !self.seen.insert(digest(&key, version)) {
            return Ok(());
        }
        let object = match self.act(resource, object) {
            Ok(object) => object,
            Err(error) => {
                self.job.issue(Issue::item(Severity::Error, &key, error));
                return Ok(());
            }
        };
        let object =
            remap::in_old_version(self.job, self.plan, self.discovery, resource, object).await;
        match self.hold(resource, &key, object) {
            Some(object) => self.put(resource, &key, &object).await,
            None => Ok(()),
        }
    }

    /// Puts an object in the archive that nothing leaves out.
    pub(super) async fn put(
        &mut self,
        resource: &ApiResource,
        key: &ItemKey,
        object: &Object,
    ) -> Result<(), BackupError> {
        match self.sink.add(resource, key, object).await? {
            None => self.remember(resource, key),
            Some(refused) => self.job.issue(Issue::item(Severity::Error, key, refused)),
        }
        Ok(())
    }

    /// Holds objects back that are saved later; gives every other one back.
    fn hold(&mut self, resource: &ApiResource, key: &ItemKey, object: Object) -> Option<Object> {
        let Some(namespace) = &key.namespace else {
            return Some(object);
        };
        let name = Name {
            namespace: namespace.clone(),
            name: key.name.clone(),
        };
        match resource.group_resource().as_str() {
            "pods" => self.hold_pod(resource, key, name, object),
            "persistentvolumeclaims" if self.holds_claims => {
                self.remember(resource, key);
                let held = HeldClaim {
                    resource: resource.clone(),
                    key: key.clone(),
                    object: object.detached(),
                };
                self.claims.insert(name, held);
                None
            }
            _ => Some(object),
        }
    }

    /// Holds a pod back that has hooks.
    fn hold_pod(
        &mut self,
        resource: &ApiResource,
        key: &ItemKey,
        name: Name,
        object: Object,
    ) -> Option<Object> {
        let hooks = match hook::of_pod(&self.plan.hooks, &object) {
            Ok(hooks) => hooks,
            Err(error) => {
                let message = format!("its hooks could not be read: {error}");
                self.job.issue(Issue::item(Severity::Error, key, message));
                return Some(object);
            }
        };
        for warning in &hooks.warnings {
            self.job.issue(Issue::item(Severity::Warning, key, warning));
        }
        if hooks.is_empty() {
            return Some(object);
        }
        // Its namespace is wanted, whatever becomes of the pod.
        self.remember(resource, key);
        let held = Held {
            resource: resource.clone(),
            key: key.clone(),
            object: object.detached(),
            hooks,
        };
        self.held.insert(name, held);
        None
    }

    /// Runs the actions of the kind, if it has any.
    fn act(
        &mut self,
        resource: &ApiResource,
        object: Object,
    ) -> Result<Object, crate::object::ObjectError> {
        let kind = resource.group_resource();
        let of_volumes = volumes::concerns(&kind);
        if !of_volumes && !action::applies_to(&kind) {
            return Ok(object);
        }
        let mut value = object.to_value()?;
        if of_volumes {
            let (policies, locations) = (&self.plan.policies, &self.job.ports.snapshots);
            self.volumes.see(&kind, &value, policies, locations);
        }
        let outcome = action::run(&kind, &mut value);
        if let Some(namespace) = &object.head().namespace {
            let owner = Name {
                namespace: namespace.clone(),
                name: object.head().name.clone(),
            };
            self.links.note(&kind, &owner, &outcome.related);
        }
        // What one version refers to, the others do as well.
        for related in outcome.related.into_iter().filter(|_| resource.preferred) {
            self.want(related);
        }
        if outcome.changed {
            Object::from_value(&value)
        } else {
            Ok(object)
        }
    }

    fn remember(&mut self, resource: &ApiResource, key: &ItemKey) {
        let kind = resource.group_resource();
        if let Some(namespace) = &key.namespace {
            if self.follows_accounts && kind == "serviceaccounts" {
                self.accounts.insert((namespace.clone(), key.name.clone()));
            }
            if !self.namespaces.contains(namespace) {
                self.namespaces.insert(namespace.clone());
            }
        }
        if !self.kinds.contains(&kind) {
            self.kinds.insert(kind);
        }
    }

    /// Notes an object to be fetched after the lists, unless a list brings it.
    pub(super) fn want(&mut self, related: Related) {
        let named = &related.group_resource;
        let kind = self.discovery.preferred(&named.resource, &named.group);
        let listed = kind.is_some_and(|kind| {
            self.plan.lists_all_of(kind) && self.plan.wants_namespace(related.namespace.as_deref())
        });
        if !listed {
            self.wanted.insert(related);
        }
    }

    /// Takes what is noted and not yet in.
    pub(super) fn take_wanted(&mut self) -> BTreeSet<Related> {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.retain(|related| {
            let key = ItemKey {
                group_resource: related.group_resource.clone(),
                namespace: related.namespace.clone(),
                name: related.name.clone(),
            };
            !self.seen.contains(&digest(&key, None))
        });
        wanted
    }
}

fn key_of(resource: &ApiResource, object: &Object) -> Result<ItemKey, KeyError> {
    let head = object.head();
    let group_resource = GroupResource {
        resource: resource.plural.clone(),
        group: resource.group.clone(),
    };
    ItemKey::new(group_resource, head.namespace.clone(), head.name.clone())
}

/// `version` only of versions that are not the preferred one.
fn digest(key: &ItemKey, version: Option<&str>) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for part in [
        key.group_resource.resource.as_str(),
        key.group_resource.group.as_str(),
        key.namespace.as_deref().unwrap_or_default(),
        key.name.as_str(),
        version.unwrap_or_default(),
    ] {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hasher.finalize()[..16]);
    short
}
