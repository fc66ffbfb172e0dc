//! What a test says to the clouds and is told by them; plain data.

use std::collections::BTreeMap;

/// Whose API something was made through, or belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cloud {
    /// Google Compute Engine.
    Gce,
    /// Azure Resource Manager.
    Azure,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskRecord {
    /// The cloud it is in.
    pub cloud: Cloud,
    /// Its name, written as whoever made it did.
    pub name: String,
    /// Google's project, or `SUBSCRIPTION/RESOURCE-GROUP` of Azure.
    pub owner: String,
    /// Google's zone, or its region if `zones` has some; Azure's location.
    pub location: String,
    /// The zones a regional disk of Google is copied to; Azure's zones (`1`, `2`, `3`).
    pub zones: Vec<String>,
    /// Its size in GiB.
    pub size_gib: u64,
    /// Google's type (`pd-ssd`) or Azure's SKU (`Premium_LRS`).
    pub kind: String,
    /// Google's labels or Azure's tags.
    pub labels: BTreeMap<String, String>,
    /// The snapshot or disk it was made from: Google's path from `projects/` on, or
    /// Azure's id.
    pub source: Option<String>,
    /// Google's KMS key or the id of Azure's disk encryption set.
    pub encryption: Option<String>,
    /// The machine it is attached to, which keeps it from being deleted.
    pub attached_to: Option<String>,
}

impl DiskRecord {
    /// A disk of Google's in `zone`, of type `pd-balanced` and without labels.
    pub fn gce(project: &str, zone: &str, name: &str, size_gib: u64) -> Self {
        Self::new(
            Cloud::Gce,
            (project, zone, name),
            size_gib,
            "pd-balanced".to_owned(),
        )
    }

    /// A disk of Azure's in `location`, of SKU `StandardSSD_LRS` and without tags;
    /// `owner` is `SUBSCRIPTION/RESOURCE-GROUP`.
    pub fn azure(owner: &str, location: &str, name: &str, size_gib: u64) -> Self {
        Self::new(
            Cloud::Azure,
            (owner, location, name),
            size_gib,
            "StandardSSD_LRS".to_owned(),
        )
    }

    fn new(cloud: Cloud, place: (&str, &str, &str), size_gib: u64, kind: String) -> Self {
        let (owner, location, name) = place;
        Self {
            cloud,
            name: name.to_owned(),
            owner: owner.to_owned(),
            location: location.to_owned(),
            zones: Vec::new(),
            size_gib,
            kind,
            labels: BTreeMap::new(),
            source: None,
            encryption: None,
            attached_to: None,
        }
    }
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SnapshotRecord {
    /// The cloud it is in.
    pub cloud: Cloud,
    /// Its name, written as whoever made it did.
    pub name: String,
    /// Google's project, or `SUBSCRIPTION/RESOURCE-GROUP` of Azure.
    pub owner: String,
    /// The first of Google's storage locations (`us`, `europe-west1`); Azure's location.
    pub location: String,
    /// The size of its disk in GiB.
    pub size_gib: u64,
    /// Google's snapshot type (`STANDARD`) or Azure's SKU (`Standard_ZRS`).
    pub kind: String,
    /// Google's labels or Azure's tags.
    pub labels: BTreeMap<String, String>,
    /// The disk (or snapshot, with Azure) it is of: Google's path from `projects/` on, or
    /// Azure's id.
    pub source: String,
    /// Google's KMS key or the id of Azure's disk encryption set.
    pub encryption: Option<String>,
    /// Whether it keeps but the difference to the one before. Google's always do.
    pub incremental: bool,
    /// Whether a disk can be made from it.
    pub is_ready: bool,
}

/// What it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path and the query, as they came.
    pub target: String,
    /// The header of that name.
    pub authorization: Option<String>,
    /// The whole body.
    pub body: String,
}

/// What goes wrong with some requests; by itself once.
#[derive(Debug, Clone)]
pub struct Fault {
    method: String,
    path: String,
    pub(super) deed: Deed,
    times: u32,
}

#[derive(Debug, Clone)]
pub(super) enum Deed {
    Refuse {
        status: u16,
        body: Option<String>,
        retry_after: Option<u32>,
    },
    Lose,
}

impl Fault {
    /// Answers requests of `method` (any if empty) whose path and query contain `path`
    /// with `status` and an error in the form of the cloud that was asked.
    pub fn new(method: &str, path: &str, status: u16) -> Self {
        let deed = Deed::Refuse {
            status,
            body: None,
            retry_after: None,
        };
        Self::with(method, path, deed)
    }

    pub(super) fn lost(method: &str, path: &str) -> Self {
        Self::with(method, path, Deed::Lose)
    }

    fn with(method: &str, path: &str, deed: Deed) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            deed,
            times: 1,
        }
    }

    /// The same, with this body.
    #[must_use]
    pub fn body(mut self, text: &str) -> Self {
        if let Deed::Refuse { body, .. } = &mut self.deed {
            *body = Some(text.to_owned());
        }
        self
    }

    /// The same, `times` times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// The same, with the header `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        if let Deed::Refuse { retry_after, .. } = &mut self.deed {
            *retry_after = Some(seconds);
        }
        self
    }

    /// Whether it strikes this request; counts it if so.
    pub(super) fn strikes(&mut self, method: &str, target: &str) -> bool {
        let strikes = self.times > 0
            && (self.method.is_empty() || self.method == method)
            && target.contains(&self.path);
        if strikes {
            self.times -= 1;
        }
        strikes
    }
}
