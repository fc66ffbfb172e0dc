//! Working without a server: the engine runs in this process, with the caller's
//! own kubeconfig and credentials, and nothing is installed in the cluster.
//!
//! Resources exist in memory only; the bucket gets the same files as from a
//! server.

use std::sync::Arc;

use ark_api::storage_location::{BackupStorageLocationStatus, ObjectStorageLocation};
use ark_api::{Backup, BackupStorageLocation, LocationPhase, ObjectMeta, Restore, Time, label};
use ark_archive::gunzip::gunzip;
use ark_archive::side;
use ark_engine::archive::Archive;
use ark_engine::backup::{Surroundings, Versions};
use ark_engine::catalog;
use ark_engine::job::{Job, Ports};
use ark_engine::outcome::{Issues, Severity};
use ark_engine::port::{SnapshotLocations, Store, StoreErrorKind, SystemClock};
use ark_engine::progress::{Event, Observer};
use ark_store::Location;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::describe::Fetched;
use crate::error::{CommandError, ErrorKind, Exit};
use crate::out::human;
use crate::out::progress::Progress;
use crate::out::style::Tone;
use crate::out::warnings;
use crate::work::{self, Work};
use crate::{cluster, name};

/// Name of the location where the resource names none.
const LOCATION: &str = "default";
/// Side files that unpack to more are not read.
const MAX_SIDE: u64 = 1 << 30;
/// Problems that are told one by one.
const TOLD: usize = 20;

/// A bucket that is opened with the caller's own credentials.
pub struct Bucket {
    url: String,
    location: Location,
    store: Arc<dyn Store>,
}

impl Bucket {
    /// Opens a directory or a URL. A bucket of something else is refused.
    pub async fn open(url: &str) -> Result<Self, CommandError> {
        let location = Location::from_url(url)?;
        let store = ark_store::open(&location).await?;
        ark_store::check_layout(store.as_ref()).await?;
        Ok(Self {
            url: url.to_owned(),
            location,
            store,
        })
    }

    /// As [`open`](Self::open); a directory is made where there is none.
    pub async fn open_or_create(url: &str) -> Result<Self, CommandError> {
        let location = Location::from_url(url)?;
        if location.provider == "fs" {
            std::fs::create_dir_all(&location.bucket).map_err(|error| {
                let what = format!("cannot make the directory `{}`", location.bucket);
                CommandError::because(what, &error)
            })?;
        }
        Self::open(url).await
    }

    /// A committed backup.
    pub async fn backup(&self, name: &str) -> Result<Backup, CommandError> {
        match catalog::read(self.store.as_ref(), name).await {
            Ok(document) => cluster::read(document),
            Err(error) if error.is_absent() => Err(CommandError::failed(format!(
                "there is no backup named `{name}` in `{}`",
                self.url
            ))
            .hint(format!(
                "`ark backup get --from {}` lists those there are",
                self.url
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// All committed backups.
    pub async fn backups(&self) -> Result<Vec<Backup>, CommandError> {
        let mut backups = Vec::new();
        for name in catalog::list(self.store.as_ref()).await? {
            backups.push(self.backup(&name).await?);
        }
        Ok(backups)
    }

    /// A file beside an archive, for descriptions.
    pub async fn side<T: DeserializeOwned>(&self, key: &str) -> Fetched<T> {
        match self.store.read(key, MAX_SIDE).await {
            Ok(bytes) => match side::decode(key, &bytes, MAX_SIDE) {
                Ok(document) => Fetched::Found(document),
                Err(error) => Fetched::Failed(crate::error::chain(&error)),
            },
            Err(error) if error.kind == StoreErrorKind::NotFound => Fetched::Absent,
            Err(error) => Fetched::Failed(error.to_string()),
        }
    }

    /// The archive of a backup, open for reading.
    pub async fn archive(&self, ctx: &Context, name: &str) -> Result<Archive, CommandError> {
        self.backup(name).await?;
        let opened = Archive::open(Arc::clone(&self.store), name, ctx.scratch_dir()).await;
        opened.map_err(|error| CommandError::failed(crate::error::chain(&error)))
    }

    /// The bucket as a location named `name`, for validation.
    fn resource(&self, name: &str) -> BackupStorageLocation {
        let mut location = BackupStorageLocation::default();
        location.metadata.name = Some(name.to_owned());
        location.spec.provider.clone_from(&self.location.provider);
        location.spec.object_storage = ObjectStorageLocation {
            bucket: self.location.bucket.clone(),
            prefix: self.location.prefix.clone(),
            ..ObjectStorageLocation::default()
        };
        location.spec.default = true;
        // It was opened and looked into a moment ago.
        location.status = Some(BackupStorageLocationStatus {
            phase: Some(LocationPhase::Available),
            ..BackupStorageLocationStatus::default()
        });
        location
    }
}

/// An unpacked file of a bucket.
pub async fn gunzipped(url: &str, key: &str) -> Result<Vec<u8>, CommandError> {
    let bucket = Bucket::open(url).await?;
    let packed = bucket.store.read(key, MAX_SIDE).await?;
    gunzip(&packed, MAX_SIDE)
        .map_err(|error| CommandError::because(format_args!("cannot unpack `{key}`"), &error))
}

/// Makes a backup.
pub async fn backup(ctx: &Context, mut backup: Backup, to: &str) -> Result<Exit, CommandError> {
    let bucket = Bucket::open_or_create(to).await?;
    identify(&mut backup.metadata, ctx);
    if backup.spec.storage_location.is_empty() {
        LOCATION.clone_into(&mut backup.spec.storage_location);
    }
    let locations = [bucket.resource(&backup.spec.storage_location)];
    let connection = ctx.connect().await?;
    let around = Surroundings::look(connection, ctx.namespace(), &backup.spec, &locations).await?;
    let defaults = ark_engine::backup::Defaults::default();
    let validated = match ark_engine::backup::validate(&backup, &around, &defaults, ctx.now()) {
        Ok(validated) => validated,
        Err(rejected) => return Ok(refused(ctx, rejected.prepared.as_ref())),
    };
    let session = Session::start(ctx, &bucket, Backup::DOING).await?;
    let options = ark_engine::backup::Options {
        versions: Versions::of_features(ctx.features()),
        ..ark_engine::backup::Options::default()
    };
    let run = Box::pin(ark_engine::backup::run(&session.job, &validated, &options));
    let report = session.drive(ctx, run).await?;
    session.progress.finish();
    backup.status = Some(report.status);
    tell(ctx, &report.issues);
    let name = validated.name();
    let exit = work::report(ctx, "backup", name, &backup.standing());
    ctx.talk
        .say(format_args!("{} in `{to}`", human::bytes(report.bytes)));
    ctx.talk.hint(format_args!(
        "`ark restore create --from-backup {name} --direct --from {to}` brings it back"
    ));
    Ok(exit)
}

/// Restores a backup.
pub async fn restore(
    ctx: &Context,
    mut restore: Restore,
    from: &str,
) -> Result<Exit, CommandError> {
    let bucket = Bucket::open(from).await?;
    identify(&mut restore.metadata, ctx);
    let mut source = bucket.backup(&restore.spec.backup_name).await?;
    // Where it says it lies is what the cluster calls it that made it.
    LOCATION.clone_into(&mut source.spec.storage_location);
    let labels = source.metadata.labels.get_or_insert_default();
    labels.insert(label::STORAGE_LOCATION.to_owned(), LOCATION.to_owned());
    let locations = [bucket.resource(LOCATION)];
    let defaults = ark_engine::restore::Defaults::default();
    let validated = match ark_engine::restore::validate(
        &restore,
        &[source],
        &locations,
        &defaults,
        ctx.now(),
    ) {
        Ok(validated) => validated,
        Err(rejected) => return Ok(refused(ctx, rejected.prepared.as_ref())),
    };
    let session = Session::start(ctx, &bucket, Restore::DOING).await?;
    let options = ark_engine::restore::Options {
        spool_dir: ctx.scratch_dir(),
        ..ark_engine::restore::Options::default()
    };
    let run = ark_engine::restore::run(&session.job, &validated, &options);
    let report = session.drive(ctx, run).await?;
    session.progress.finish();
    restore.status = Some(report.status);
    tell(ctx, &report.issues);
    let name = validated.name();
    let exit = work::report(ctx, "restore", name, &restore.standing());
    if exit != Exit::Done {
        ctx.talk.hint(format_args!(
            "`ark restore logs {name} --from {from}` tells the whole story"
        ));
    }
    Ok(exit)
}

/// Gives a resource what an API server would.
fn identify(metadata: &mut ObjectMeta, ctx: &Context) {
    metadata.uid = Some(name::uid());
    metadata.creation_timestamp = Some(Time(ctx.now()));
}

/// A resource that failed validation.
fn refused<K: Work>(ctx: &Context, prepared: &K) -> Exit {
    let name = prepared.metadata().name.clone().unwrap_or_default();
    work::report(ctx, K::NOUN, &name, &prepared.standing())
}

/// Tells the first problems of each severity.
fn tell(ctx: &Context, issues: &Issues) {
    let paint = ctx.talk.style();
    let sides = [
        (Severity::Error, "error:", Tone::Bad),
        (Severity::Warning, "warning:", Tone::Warning),
    ];
    for (severity, label, tone) in sides {
        let mut of_it = issues.iter().filter(|issue| issue.severity == severity);
        for issue in of_it.by_ref().take(TOLD) {
            ctx.talk.say(format_args!(
                "{} {}",
                paint.paint(tone, label),
                issue.message
            ));
        }
        let more = of_it.count();
        if more > 0 {
            ctx.talk.say(format_args!(
                "{} and {} more",
                paint.paint(tone, label),
                more
            ));
        }
    }
}

/// One run of the engine.
struct Session {
    job: Job,
    cancel: CancellationToken,
    progress: Arc<Progress>,
}

impl Session {
    async fn start(ctx: &Context, bucket: &Bucket, doing: &str) -> Result<Self, CommandError> {
        let connection = ctx.connect().await?.clone();
        let progress = Arc::new(Progress::start(ctx.talk, doing));
        warnings::show({
            let (progress, talk) = (Arc::clone(&progress), ctx.talk);
            move |line| progress.say(talk, &format!("warning: {line}"))
        });
        let cancel = CancellationToken::new();
        let ports = Ports {
            cluster: Arc::new(connection),
            store: Arc::clone(&bucket.store),
            snapshots: SnapshotLocations::default(),
            clock: Arc::new(SystemClock),
        };
        let observer = Arc::new(Shown {
            progress: Arc::clone(&progress),
            title: doing.to_owned(),
        });
        Ok(Self {
            job: Job::new(ports, observer, cancel.clone()),
            cancel,
            progress,
        })
    }

    /// Runs to the end. The first Ctrl-C asks the job to stop and clean up, the
    /// second one does not wait for that.
    async fn drive<T, E: Into<CommandError>>(
        &self,
        ctx: &Context,
        run: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CommandError> {
        let mut run = Box::pin(run);
        loop {
            tokio::select! {
                result = &mut run => {
                    if result.is_err() {
                        self.progress.finish();
                    }
                    return result.map_err(Into::into);
                }
                _ = tokio::signal::ctrl_c() => {
                    if self.cancel.is_cancelled() {
                        return Err(CommandError::new(
                            ErrorKind::Interrupted,
                            "interrupted before everything was cleaned up",
                        ));
                    }
                    self.cancel.cancel();
                    self.progress.say(ctx.talk, "Stopping; Ctrl-C again does not wait for it");
                }
            }
        }
    }
}

/// Shows a job's events as progress.
struct Shown {
    progress: Arc<Progress>,
    title: String,
}

impl Observer for Shown {
    fn on(&self, event: &Event) {
        match event {
            // The stages are sentences for the log; the bar has no room for them.
            Event::Stage(_) => self.progress.stage(&self.title),
            Event::Total(total) => self.progress.total(*total),
            Event::Done(done) => self.progress.done(*done),
            Event::Issue(_) | Event::Note(_) | Event::Part { .. } => {}
        }
    }
}
