//! From objects as stored to requests as sent: load, select by labels, act, map,
//! mark. Talks to the archive alone, never to a cluster.
//!
//! A batch carries what its objects need in earlier stages of the same batch,
//! each object once per restore. Memory is one batch: at most [`BATCH_ITEMS`]
//! objects or about [`BATCH_BYTES`].

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use ark_api::label;
use ark_archive::{GroupResource, ItemKey};
use bytes::Bytes;
use serde_json::Value;

use super::Rule;
use super::clean::{self, Origin};
use super::open::{self, Opened};
use super::order::NAMESPACES;
use super::ownership::{self, Ownership};
use super::plan::{PlannedItem, PlannedKind, served};
use super::selection::Selection;
use super::status::StatusFilter;
use super::validate::ValidatedRestore;
use super::volume::{Decision, DiskSource, VolumeData};
use crate::action::restore::{self as action, Context, Effects};
use crate::archive::{Archive, LoadError};
use crate::csi::source::ClaimSource;
use crate::outcome::{Issue, Severity, describe};
use crate::port::{ApiResource, Discovery};

/// Most objects of a batch.
pub(super) const BATCH_ITEMS: usize = 256;
/// Bytes of JSON after which a batch is full.
const BATCH_BYTES: u64 = 1 << 20;

const CLAIMS: &str = "persistentvolumeclaims";
const VOLUMES: &str = "persistentvolumes";

/// What stays the same while a restore runs.
pub(super) struct Setup {
    pub archive: Arc<Archive>,
    pub restore: ValidatedRestore,
    pub origin: Origin,
    pub selection: Selection,
    pub status: StatusFilter,
    pub volumes: Arc<VolumeData>,
    pub discovery: Discovery,
}

/// A request to create one object.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    /// Its key in the cluster.
    pub key: ItemKey,
    /// `plural.group`.
    pub kind: Arc<str>,
    /// Where it is created.
    pub resource: Arc<ApiResource>,
    /// What is sent.
    pub body: Bytes,
    /// The object as the backup holds it.
    pub stored: Bytes,
    /// How its owners return.
    pub ownership: Ownership,
    /// Merge patch for its status.
    pub status: Option<Value>,
    /// For a volume or a claim: what its data comes from.
    pub data: Option<Data>,
}

/// The snapshot that the data of a volume comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    /// A new disk for a volume.
    Disk(DiskSource),
    /// A new volume for a claim.
    Snapshot(ClaimSource),
}

/// What became of a number of planned objects.
#[derive(Default)]
pub(super) struct Batch {
    /// Requests, to be sent stage by stage.
    pub stages: Vec<Vec<Prepared>>,
    /// Namespaces that are restored as objects.
    pub namespaces: BTreeSet<String>,
    /// How many objects those were; several may become one.
    pub namespace_objects: u64,
    /// Problems, before any request.
    pub issues: Vec<Issue>,
    /// Objects that no request can be made of, with `apiVersion/Kind` or kind.
    pub failed: Vec<(String, ItemKey)>,
    /// Objects left out, by rule.
    pub left_out: Vec<Rule>,
    /// Objects beyond the planned ones, less those that came earlier.
    pub extra: i64,
}

/// Prepares batch after batch, in the order of the plan.
pub(super) struct Preparer {
    setup: Arc<Setup>,
    /// Objects of kinds that others ask for, as far as they are done.
    handled: HashSet<ItemKey>,
    /// Volumes that are provisioned anew.
    anew: HashSet<String>,
    /// Volumes that return under another name.
    renamed: HashMap<String, String>,
}

/// An object that is to be prepared.
struct Request {
    source: ItemKey,
    kind: Arc<str>,
    served: Arc<[ApiResource]>,
    /// Whether the plan has it; otherwise another object needs it.
    planned: bool,
}

/// An object on its way.
struct Draft {
    request: Request,
    resource: ApiResource,
    stored: Bytes,
    object: Value,
    status: Option<Value>,
    data: Option<Data>,
    needs: Vec<Need>,
}

/// An object that another one needs.
struct Need {
    source: ItemKey,
    /// Whether it is worth a warning when the backup lacks it.
    expected: bool,
}

impl Preparer {
    pub(super) fn new(setup: Arc<Setup>) -> Self {
        Self {
            setup,
            handled: HashSet::new(),
            anew: HashSet::new(),
            renamed: HashMap::new(),
        }
    }

    /// How many of `items`, from the first on, make a batch.
    pub(super) fn cut(&self, kind: &GroupResource, items: &[PlannedItem]) -> usize {
        let catalog = self.setup.archive.catalog();
        let mut bytes = 0;
        for (count, item) in items.iter().take(BATCH_ITEMS).enumerate() {
            let entry = catalog.find(&item.source_key(kind));
            bytes += entry.map_or(0, |entry| u64::from(entry.len));
            if bytes > BATCH_BYTES {
                return count.max(1);
            }
        }
        items.len().min(BATCH_ITEMS)
    }

    /// Prepares a batch of one kind.
    ///
    /// # Errors
    /// When the archive cannot be read; everything else is in the batch.
    pub(super) async fn batch(
        &mut self,
        kind: &PlannedKind,
        items: &[PlannedItem],
    ) -> Result<Batch, LoadError> {
        let text: Arc<str> = Arc::from(kind.group_resource.to_string());
        let served: Arc<[ApiResource]> = Arc::from(kind.served.as_slice());
        let mut requests: Vec<Request> = items
            .iter()
            .map(|item| Request {
                source: item.source_key(&kind.group_resource),
                kind: Arc::clone(&text),
                served: Arc::clone(&served),
                planned: true,
            })
            .collect();
        let mut batch = Batch::default();
        let mut levels = Vec::new();
        while !requests.is_empty() {
            let mut drafts = Vec::new();
            for request in requests {
                drafts.extend(self.draft(request, &mut batch).await?);
                // Parsing takes time that the requests in flight need too.
                tokio::task::consume_budget().await;
            }
            requests = self.additional(&drafts, &mut batch);
            levels.push(drafts);
        }
        for drafts in levels.into_iter().rev() {
            let stage: Vec<_> = drafts
                .into_iter()
                .filter_map(|draft| self.finish(draft, &mut batch))
                .collect();
            if !stage.is_empty() {
                batch.stages.push(stage);
            }
        }
        Ok(batch)
    }

    async fn draft(
        &mut self,
        request: Request,
        batch: &mut Batch,
    ) -> Result<Option<Draft>, LoadError> {
        if action::ADDITIONAL_KINDS.contains(&&*request.kind)
            && self.handled.contains(&request.source)
        {
            batch.extra -= 1;
            return Ok(None);
        }
        let setup = Arc::clone(&self.setup);
        let stored = setup.archive.read(&request.source).await?;
        let object = match open::parse(&request.source, &stored) {
            Ok(object) => object,
            Err(problem) => {
                self.fail(&request, &problem, batch);
                return Ok(None);
            }
        };
        if request.planned && !setup.restore.labels.matches(&object.head().labels) {
            batch.left_out.push(Rule::LabelSelector);
            return Ok(None);
        }
        if action::ADDITIONAL_KINDS.contains(&&*request.kind) {
            self.handled.insert(request.source.clone());
        }
        if &*request.kind == NAMESPACES {
            let target = setup.restore.mapping.target(&request.source.name);
            batch.namespaces.insert(target.to_owned());
            batch.namespace_objects += 1;
            return Ok(None);
        }
        let (source, served) = (&request.source, &request.served);
        let opened =
            open::in_served_version(&setup.archive, source, object, stored, served).await?;
        match opened {
            Ok(opened) => Ok(self.act(request, opened, batch)),
            Err(problem) => {
                self.fail(&request, &problem, batch);
                Ok(None)
            }
        }
    }

    fn act(&mut self, request: Request, opened: Opened, batch: &mut Batch) -> Option<Draft> {
        let Opened {
            object,
            stored,
            resource,
        } = opened;
        let mut object = match object.to_value() {
            Ok(object) => object,
            Err(error) => {
                self.fail(&request, &error.to_string(), batch);
                return None;
            }
        };
        if let Some(rule) = finished(&request.kind, &object) {
            batch.left_out.push(rule);
            return None;
        }
        let setup = Arc::clone(&self.setup);
        let status = clean::strip(&mut object);
        let is_volume = &*request.kind == VOLUMES;
        let decision = is_volume.then(|| setup.volumes.decide(&request.source.name));
        if let Some(Decision::FromSnapshot(_)) = decision {
            self.rename(&request.source.name, &mut object);
        }
        let context = Context {
            mapping: &setup.restore.mapping,
            preserve_node_ports: setup.restore.restore.spec.preserve_node_ports == Some(true),
            new_disk: matches!(decision, Some(Decision::FromSnapshot(_))),
        };
        let mut effects = action::run(&request.kind, &mut object, &context);
        let decision = decision.unwrap_or(Decision::ByPolicy);
        let data = match &request.source.namespace {
            Some(namespace) if &*request.kind == CLAIMS => {
                let source = setup.volumes.claim(namespace, &request.source.name);
                source.cloned().map(Data::Snapshot)
            }
            _ => self
                .volume(&request, decision, &mut effects, batch)
                .map(Data::Disk),
        };
        let target = self.target(&request.source);
        for warning in effects.warnings {
            batch
                .issues
                .push(Issue::item(Severity::Warning, &target, warning));
        }
        if let Some(rule) = effects.skip {
            batch.left_out.push(rule);
            return None;
        }
        let need = |expected| move |source| Need { source, expected };
        let needs = effects.additional.into_iter().map(need(true));
        let needs = needs.chain(effects.optional.into_iter().map(need(false)));
        let needs = needs.collect();
        Some(Draft {
            request,
            resource,
            stored,
            object,
            status,
            data,
            needs,
        })
    }

    /// Gives a volume another name where its own is taken.
    fn rename(&mut self, volume: &str, object: &mut Value) {
        let restore = &self.setup.restore;
        let namespace = object["spec"]["claimRef"]["namespace"].as_str();
        let mapped = namespace.is_some_and(|name| restore.mapping.target(name) != name);
        let uid = restore.uid();
        if let Some(name) = self.setup.volumes.new_name(volume, mapped, uid) {
            object["metadata"]["name"] = name.as_str().into();
            object["metadata"]["annotations"][label::ORIGINAL_PV_NAME] = volume.into();
            self.renamed.insert(volume.to_owned(), name);
        }
    }

    /// A volume of which the backup has data, or that is not restored at all; what its
    /// new disk is made of.
    fn volume(
        &mut self,
        request: &Request,
        decision: Decision,
        effects: &mut Effects,
        batch: &mut Batch,
    ) -> Option<DiskSource> {
        let mut disk = None;
        match decision {
            Decision::ByPolicy => {}
            Decision::FromSnapshot(source) => disk = Some(source),
            Decision::Anew => effects.skip = Some(Rule::DynamicVolume),
            Decision::DataMissing(problem) => {
                batch
                    .issues
                    .push(Issue::item(Severity::Error, &request.source, problem));
                effects.skip = Some(Rule::DynamicVolume);
            }
        }
        if effects.skip.is_some() && &*request.kind == VOLUMES {
            self.anew.insert(request.source.name.clone());
        }
        disk
    }

    /// The objects that drafts need and that nobody has prepared yet.
    fn additional(&mut self, drafts: &[Draft], batch: &mut Batch) -> Vec<Request> {
        let setup = Arc::clone(&self.setup);
        let mut requests = Vec::new();
        let mut asked = HashSet::new();
        for (draft, need) in drafts
            .iter()
            .flat_map(|draft| draft.needs.iter().map(move |need| (draft, need)))
        {
            let source = &need.source;
            let kind = source.group_resource.to_string();
            if self.handled.contains(source) || setup.selection.admits(source, &kind).is_err() {
                continue;
            }
            if setup.archive.catalog().find(source).is_none() {
                if need.expected {
                    let target = self.target(&draft.request.source);
                    let missing =
                        format!("needs {}, which the backup does not hold", describe(source));
                    let warning = Issue::item(Severity::Warning, &target, missing);
                    batch.issues.push(warning);
                }
                continue;
            }
            if asked.insert(source.clone()) {
                batch.extra += 1;
                requests.push(Request {
                    source: source.clone(),
                    kind: Arc::from(kind),
                    served: Arc::from(served(&source.group_resource, &setup.discovery)),
                    planned: false,
                });
            }
        }
        requests
    }

    fn finish(&self, draft: Draft, batch: &mut Batch) -> Option<Prepared> {
        let Draft {
            request,
            resource,
            stored,
            mut object,
            status,
            data,
            ..
        } = draft;
        let setup = &self.setup;
        if &*request.kind == CLAIMS {
            self.rebind(&mut object);
        }
        setup.restore.mapping.rename_object(&mut object);
        setup.origin.mark(&mut object);
        let status = setup.status.patch(&request.kind, &object, status);
        let ownership = if status.is_some() {
            ownership::rewrite(&object)
        } else {
            ownership::of(&object)
        };
        if !matches!(ownership, Ownership::Create(_))
            && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        {
            metadata.remove("managedFields");
        }
        let key = self.target(&request.source);
        match serde_json::to_vec(&object) {
            Ok(body) => Some(Prepared {
                key,
                kind: Arc::clone(&request.kind),
                resource: Arc::new(resource),
                body: Bytes::from(body),
                stored,
                ownership,
                status,
                data,
            }),
            Err(error) => {
                self.fail(&request, &error.to_string(), batch);
                None
            }
        }
    }

    /// A claim whose volume is provisioned anew must not name the old one; one whose
    /// volume has a new name must name that.
    fn rebind(&self, claim: &mut Value) {
        let Some(spec) = claim.get_mut("spec").and_then(Value::as_object_mut) else {
            return;
        };
        let Some(volume) = spec.get("volumeName").and_then(Value::as_str) else {
            return;
        };
        if self.anew.contains(volume) {
            spec.remove("volumeName");
        } else if let Some(name) = self.renamed.get(volume) {
            let name = name.as_str().into();
            spec.insert("volumeName".to_owned(), name);
        }
    }

    fn target(&self, source: &ItemKey) -> ItemKey {
        let mapping = &self.setup.restore.mapping;
        let namespace = source
            .namespace
            .as_deref()
            .map(|name| mapping.target(name).to_owned());
        let is_volume = source.namespace.is_none() && source.group_resource.to_string() == VOLUMES;
        let renamed = self.renamed.get(&source.name).filter(|_| is_volume);
        ItemKey {
            namespace,
            name: renamed.unwrap_or(&source.name).clone(),
            group_resource: source.group_resource.clone(),
        }
    }

    fn fail(&self, request: &Request, problem: &str, batch: &mut Batch) {
        let target = self.target(&request.source);
        let kind = request.served.first();
        let kind = kind.map_or_else(|| request.kind.to_string(), type_of);
        batch
            .issues
            .push(Issue::item(Severity::Error, &target, problem));
        batch.failed.push((kind, target));
    }
}

/// `apps/v1/Deployment`: how the resource list names kinds.
pub(super) fn type_of(resource: &ApiResource) -> String {
    format!("{}/{}", resource.api_version(), resource.kind)
}

/// Pods and jobs that have run to their end, and pods that belong to a node.
fn finished(kind: &str, object: &Value) -> Option<Rule> {
    match kind {
        "pods" => {
            let mirror = "/metadata/annotations/kubernetes.io~1config.mirror";
            if object.pointer(mirror).is_some() {
                return Some(Rule::MirrorPod);
            }
            let phase = object.pointer("/status/phase").and_then(Value::as_str);
            matches!(phase, Some("Succeeded" | "Failed")).then_some(Rule::Finished)
        }
        "jobs.batch" => {
            let time = object.pointer("/status/completionTime");
            time.is_some_and(|time| !time.is_null())
                .then_some(Rule::Finished)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
