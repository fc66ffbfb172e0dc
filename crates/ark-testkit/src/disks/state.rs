//! What there is in both clouds: disks, snapshots, operations under way, and what
//! tests have asked for. A cloud's own words are in the documents, which only its
//! module writes and reads.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::Value;

use super::record::{Cloud, DiskRecord, Fault, Request, SnapshotRecord};
use super::{arm, gce};

/// All of it.
#[derive(Debug)]
pub(super) struct State {
    /// By the path that names it in its cloud, in small letters with Azure.
    pub(super) resources: BTreeMap<String, Resource>,
    /// By the path (Google) or the id (Azure).
    pub(super) operations: HashMap<String, Operation>,
    /// Which operation a request that has an id of its own began.
    pub(super) begun: HashMap<String, String>,
    pub(super) log: Vec<Request>,
    pub(super) faults: Vec<Fault>,
    /// Why the next snapshots fail.
    pub(super) failures: VecDeque<String>,
    pub(super) snapshot_steps: u32,
    pub(super) operation_steps: u32,
    pub(super) page_size: usize,
    last_id: u64,
}

/// A disk or a snapshot.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) cloud: Cloud,
    pub(super) kind: Kind,
    /// As the cloud answers it, less what changes by itself.
    pub(super) document: Value,
    pub(super) progress: Progress,
    /// The reason, if it comes to nothing in the end.
    pub(super) failure: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Disk,
    Snapshot,
}

/// Something that the cloud does after it has answered.
#[derive(Debug)]
pub(super) struct Operation {
    pub(super) document: Value,
    pub(super) progress: Progress,
    pub(super) failure: Option<String>,
    /// The path of what it is done to.
    pub(super) target: String,
}

/// How often something was looked at, and how often it is before it is done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    pub(super) looks: u32,
    pub(super) steps: u32,
}

impl Progress {
    pub(super) fn of(steps: u32) -> Self {
        Self { looks: 0, steps }
    }

    pub(super) fn is_done(self) -> bool {
        self.looks >= self.steps
    }

    pub(super) fn look(&mut self) {
        self.looks = self.looks.saturating_add(1);
    }

    /// From 0 to 100.
    pub(super) fn percent(self) -> u32 {
        if self.is_done() {
            return 100;
        }
        let percent = u64::from(self.looks) * 100 / u64::from(self.steps);
        u32::try_from(percent).unwrap_or(100)
    }
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            resources: BTreeMap::new(),
            operations: HashMap::new(),
            begun: HashMap::new(),
            log: Vec::new(),
            faults: Vec::new(),
            failures: VecDeque::new(),
            snapshot_steps: 1,
            operation_steps: 1,
            page_size: 500,
            last_id: 7_000_000_000_000_000_000,
        }
    }

    /// A number that nothing else has.
    pub(super) fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn disks(&self) -> Vec<DiskRecord> {
        self.of(Kind::Disk)
            .map(|(_, resource)| match resource.cloud {
                Cloud::Gce => gce::disk_record(&resource.document),
                Cloud::Azure => arm::disk_record(&resource.document),
            })
            .collect()
    }

    pub(super) fn snapshots(&self) -> Vec<SnapshotRecord> {
        self.of(Kind::Snapshot)
            .map(|(path, resource)| match resource.cloud {
                Cloud::Gce => gce::snapshot_record(resource),
                Cloud::Azure => arm::snapshot_record(self, path, resource),
            })
            .collect()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = (&String, &Resource)> {
        let resources = self.resources.iter();
        resources.filter(move |(_, resource)| resource.kind == kind)
    }

    pub(super) fn add_disk(&mut self, disk: &DiskRecord) {
        match disk.cloud {
            Cloud::Gce => gce::add_disk(self, disk),
            Cloud::Azure => arm::add_disk(self, disk),
        }
    }
}

/// Now, as both clouds write times.
#[expect(clippy::disallowed_methods, reason = "a server tells its own time")]
pub(super) fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// The text at a path of names in a document, or an empty one.
pub(super) fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The object of texts at a path of names in a document, or an empty one.
pub(super) fn texts(document: &Value, pointer: &str) -> BTreeMap<String, String> {
    let entries = document.pointer(pointer).and_then(Value::as_object);
    entries
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}
