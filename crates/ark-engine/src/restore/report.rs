//! What a restore came to: counts while it runs, the files and the status at its
//! end.

use std::collections::BTreeMap;

use ark_api::restore::RestoreProgress;
use ark_api::{RestorePhase, RestoreStatus, Time};
use ark_archive::{ItemKey, layout, side};
use bytes::Bytes;
use serde_json::{Value, json};

use super::apply::Action;
use super::prepare::{Data, Prepared};
use super::volume::NATIVE;
use super::{RestoreError, Rule, ValidatedRestore};
use crate::csi;
use crate::job::Job;
use crate::outcome::{Issues, Severity};
use crate::port::PutMode;
use crate::progress::Event;

/// What a restore came to.
#[derive(Debug, Clone)]
pub struct Report {
    /// The final status.
    pub status: RestoreStatus,
    /// All problems.
    pub issues: Issues,
    /// How many objects ended as created, updated, skipped, failed.
    pub counts: Counts,
    /// How many objects each rule left out.
    pub left_out: BTreeMap<Rule, u64>,
}

/// After a failure: leaves the results and the log for people, as far as that goes;
/// the failure itself is in the status already.
pub(super) async fn give_up(job: &Job, restore: &str) {
    let files = [
        (
            layout::restore_results(restore),
            side::encode(&job.issues().to_results()).ok(),
        ),
        (layout::restore_log(restore), job.log().ok()),
    ];
    for (key, bytes) in files {
        if let Some(bytes) = bytes {
            let bytes = Bytes::from(bytes);
            let _ = job.ports.store.put(&key, bytes, PutMode::Replace).await;
        }
    }
}

/// Objects by their ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Made by this restore.
    pub created: u64,
    /// Existed and was changed.
    pub updated: u64,
    /// Existed and was left as it is.
    pub skipped: u64,
    /// Is missing or not as it should be.
    pub failed: u64,
}

/// Counts while a restore runs, and tells listeners now and then.
pub(super) struct Tally<'a> {
    job: &'a Job,
    total: u64,
    done: u64,
    told: u64,
    counts: Counts,
    left_out: BTreeMap<Rule, u64>,
    listing: side::ResourceList,
    volumes: Vec<side::RestoreVolumeInfo>,
}

impl<'a> Tally<'a> {
    pub(super) fn new(job: &'a Job) -> Self {
        Self {
            job,
            total: 0,
            done: 0,
            told: 0,
            counts: Counts::default(),
            left_out: BTreeMap::new(),
            listing: side::ResourceList::new(),
            volumes: Vec::new(),
        }
    }

    /// Objects that a plan leaves out.
    pub(super) fn leave_out(&mut self, rules: &BTreeMap<Rule, u64>) {
        self.left_out.clone_from(rules);
    }

    /// An object that is left out after it was loaded; it counts as done.
    pub(super) fn left_out(&mut self, rule: Rule) {
        *self.left_out.entry(rule).or_default() += 1;
        self.advance(1);
    }

    /// How many objects there will be.
    pub(super) fn expect(&mut self, total: u64) {
        self.total = total;
        self.job.progress(&Event::Total(total));
    }

    /// Changes how many objects there will be.
    pub(super) fn expect_more(&mut self, change: i64) {
        if change != 0 {
            self.expect(self.total.saturating_add_signed(change));
        }
    }

    /// The end of an object; `kind` is `apps/v1/Deployment`.
    pub(super) fn end(&mut self, kind: &str, key: &ItemKey, action: Action) {
        self.list(kind, key.namespace.as_deref(), &key.name, action);
        let counts = &mut self.counts;
        *match action {
            Action::Created => &mut counts.created,
            Action::Updated => &mut counts.updated,
            Action::Skipped => &mut counts.skipped,
            Action::Failed => &mut counts.failed,
        } += 1;
        self.advance(1);
    }

    /// A volume or a claim whose data comes from a snapshot.
    pub(super) fn volume(&mut self, item: &Prepared, data: &Data) {
        let object: Value = serde_json::from_slice(&item.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.volumes.push(match data {
            Data::Disk(source) => side::RestoreVolumeInfo {
                pvc_name: text(&object["spec"]["claimRef"]["name"]),
                pvc_namespace: text(&object["spec"]["claimRef"]["namespace"]),
                pv_name: item.key.name.clone(),
                restore_method: NATIVE.to_owned(),
                native_snapshot_info: Some(side::NativeSnapshotInfo {
                    snapshot_handle: source.snapshot.clone(),
                    volume_type: source.disk_type.clone(),
                    volume_az: source.zone.clone(),
                    iops: source.iops.map(|iops| iops.to_string()).unwrap_or_default(),
                    phase: String::new(),
                }),
                ..side::RestoreVolumeInfo::default()
            },
            Data::Snapshot(source) => side::RestoreVolumeInfo {
                pvc_name: item.key.name.clone(),
                pvc_namespace: item.key.namespace.clone().unwrap_or_default(),
                restore_method: csi::source::METHOD.to_owned(),
                csi_snapshot_info: Some(side::CsiSnapshotInfo {
                    snapshot_handle: source.handle.clone(),
                    size: source.bytes,
                    driver: source.driver.clone(),
                    ..side::CsiSnapshotInfo::default()
                }),
                ..side::RestoreVolumeInfo::default()
            },
        });
    }

    /// A line of the resource list that is no planned object.
    pub(super) fn list(&mut self, kind: &str, namespace: Option<&str>, name: &str, action: Action) {
        let text = match namespace {
            Some(namespace) => format!("{namespace}/{name}({})", action.text()),
            None => format!("{name}({})", action.text()),
        };
        match self.listing.get_mut(kind) {
            Some(names) => names.push(text),
            None => {
                self.listing.insert(kind.to_owned(), vec![text]);
            }
        }
    }

    /// Objects that are done without being listed.
    pub(super) fn advance(&mut self, count: u64) {
        self.done += count;
        let step = (self.total / 200).max(1);
        if self.done - self.told >= step || self.done >= self.total {
            self.tell();
        }
    }

    /// Tells the listeners how far it got.
    pub(super) fn tell(&mut self) {
        self.told = self.done;
        self.job.progress(&Event::Done(self.done));
    }

    /// Writes the restore's files and makes the final report. Results that
    /// cannot be written are a warning: the objects are there.
    pub(super) async fn finish(
        mut self,
        restore: &ValidatedRestore,
    ) -> Result<Report, RestoreError> {
        side::sort(&mut self.listing);
        self.volumes.sort_by(|a, b| a.pv_name.cmp(&b.pv_name));
        let none = side::encode(&json!([]))?;
        let name = restore.name();
        let files = [
            (
                layout::restore_resource_list(name),
                side::encode(&self.listing)?,
            ),
            (layout::restore_item_operations(name), none),
            (
                layout::restore_volume_info(name),
                side::encode(&self.volumes)?,
            ),
        ];
        for (key, bytes) in files {
            self.put(key, bytes).await;
        }
        let issues = self.job.issues();
        self.put(
            layout::restore_results(name),
            side::encode(&issues.to_results())?,
        )
        .await;
        let issues = self.job.issues();
        let status = self.status(restore, &issues);
        self.job.stage(format!(
            "{} created, {} updated, {} unchanged, {} failed; {} warnings, {} errors",
            self.counts.created,
            self.counts.updated,
            self.counts.skipped,
            self.counts.failed,
            status.warnings,
            status.errors,
        ));
        self.put(
            layout::restore_log(name),
            self.job.log().map_err(RestoreError::Log)?,
        )
        .await;
        Ok(Report {
            status,
            issues,
            counts: self.counts,
            left_out: self.left_out,
        })
    }

    async fn put(&self, key: String, bytes: Vec<u8>) {
        let store = &self.job.ports.store;
        if let Err(error) = store.put(&key, Bytes::from(bytes), PutMode::Replace).await {
            self.job.warn(format!(
                "what became of the restore could not be stored: {error}"
            ));
        }
    }

    fn status(&self, restore: &ValidatedRestore, issues: &Issues) -> RestoreStatus {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let count = |severity| i64::try_from(issues.count(severity)).unwrap_or(i64::MAX);
        let phase = if issues.is_complete() {
            RestorePhase::Completed
        } else {
            RestorePhase::PartiallyFailed
        };
        RestoreStatus {
            phase: Some(phase),
            warnings: count(Severity::Warning),
            errors: count(Severity::Error),
            completion_timestamp: Some(Time(self.job.ports.clock.now())),
            progress: Some(RestoreProgress {
                total_items: number(self.total),
                items_restored: number(self.done),
            }),
            ..restore.restore.status.clone().unwrap_or_default()
        }
    }
}
