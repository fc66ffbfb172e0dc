//! Two servers on one bucket, one of them read-only, and random events: backups
//! made, deleted, expired, lost from a cluster, found again. All periods are short,
//! and the servers' clocks run fast: each event is half a minute after the last one.
//! `ARK_TEST_SOAK_SECONDS` makes it long, `ARK_TEST_SEED` repeats it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use ark_api::backup::BackupSpec;
use ark_api::delete_request::DeleteBackupRequestSpec;
use ark_api::{Backup, BackupPhase, DeleteBackupRequest, GoDuration};
use serde_json::json;

use crate::site::Site;

/// How long it goes on when nobody says.
const BRIEF: Duration = Duration::from_secs(10);
/// What the servers' clocks gain with each event.
const LEAP: Duration = Duration::from_secs(30);
/// The longest life, in leaps, of a backup that is meant to expire.
const BRIEF_LIFE: u32 = 20;
/// Longer than it goes on by those clocks.
const FOR_GOOD: Duration = Duration::from_hours(24 * 365);
/// With more backups than this there are as many deleted as made.
const MANY: usize = 40;

/// Random numbers (`SplitMix64`): the same seed gives the same events.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(sides).unwrap()).unwrap()
    }
}

/// What should be there.
#[derive(Default)]
struct Model {
    made: usize,
    /// Backups that stay.
    kept: BTreeSet<String>,
    /// Backups that were seen in the bucket.
    seen: BTreeSet<String>,
    /// Backups that were seen to be gone from it.
    gone: BTreeSet<String>,
}

struct Twins {
    writer: Site,
    reader: Site,
    shops: [String; 2],
    dice: Dice,
    model: Model,
}

fn backups(site: &Site) -> BTreeMap<String, Backup> {
    let listed = site.block_on(site.custom::<Backup>().list(None)).unwrap();
    let named = |backup: Backup| (backup.metadata.name.clone().unwrap(), backup);
    listed.items.into_iter().map(named).collect()
}

fn names(site: &Site) -> BTreeSet<String> {
    backups(site).into_keys().collect()
}

fn ask_away(site: &Site, backup: &str) {
    let spec = DeleteBackupRequestSpec {
        backup_name: backup.to_owned(),
    };
    let mut request = DeleteBackupRequest::new("", spec);
    request.metadata.name = None;
    request.metadata.generate_name = Some(format!("{backup}-"));
    let requests = site.custom::<DeleteBackupRequest>();
    site.block_on(requests.create(&request)).unwrap();
}

impl Twins {
    fn start(seed: u64) -> Self {
        let brief = |options: &mut ark_server::ServerOptions| {
            options.garbage_collection_frequency = Duration::from_secs(1);
            options.concurrent_backups = 2;
        };
        let mut writer = Site::new();
        let shops = [writer.sample(2), writer.sample(2)];
        writer.start(brief);
        writer.add_location("default", writer.bucket(), &json!({"default": true}));
        writer.wait("bsl/default", "{.status.phase}", "Available");
        let mut reader = Site::new();
        reader.start(brief);
        let read_only = json!({"accessMode": "ReadOnly"});
        reader.add_location("elsewhere", writer.bucket(), &read_only);
        Self {
            writer,
            reader,
            shops,
            dice: Dice(seed),
            model: Model::default(),
        }
    }

    /// Backups in the bucket.
    fn stored(&self) -> BTreeSet<String> {
        let Ok(entries) = std::fs::read_dir(self.writer.file("backups")) else {
            return BTreeSet::new();
        };
        entries
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.path().join("velero-backup.json").exists())
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }

    fn leap(&self, leaps: u32) {
        for site in [&self.writer, &self.reader] {
            site.clock.advance(LEAP * leaps);
        }
    }

    fn step(&mut self) {
        self.leap(1);
        match self.dice.roll(10) {
            0..=2 if self.model.kept.len() < MANY => self.make(FOR_GOOD),
            3 => {
                let life = usize::try_from(BRIEF_LIFE).unwrap();
                let leaps = 1 + u32::try_from(self.dice.roll(life)).unwrap();
                self.make(LEAP * leaps);
            }
            0..=2 | 4 | 5 => {
                if let Some(name) = self.settled() {
                    self.model.kept.remove(&name);
                    ask_away(&self.writer, &name);
                }
            }
            // What only reads may not delete.
            6 => {
                if let Some(name) = self.known_to_reader() {
                    ask_away(&self.reader, &name);
                }
            }
            // A resource that somebody deletes comes back from the bucket.
            7 => {
                if let Some(name) = self.settled() {
                    let objects = self.writer.custom::<Backup>();
                    self.writer.block_on(objects.delete(&name)).unwrap();
                }
            }
            8 => {
                if let Some(name) = self.known_to_reader() {
                    let objects = self.reader.custom::<Backup>();
                    self.reader.block_on(objects.delete(&name)).unwrap();
                }
            }
            _ => std::thread::sleep(Duration::from_millis(700)),
        }
    }

    fn make(&mut self, ttl: Duration) {
        let name = format!("b{:04}", self.model.made);
        self.model.made += 1;
        let shop = self.shops[self.dice.roll(2)].clone();
        let spec = BackupSpec {
            included_namespaces: vec![shop],
            ttl: Some(GoDuration::from(ttl)),
            ..BackupSpec::default()
        };
        let objects = self.writer.custom::<Backup>();
        let backup = Backup::new(&name, spec);
        self.writer.block_on(objects.create(&backup)).unwrap();
        if ttl == FOR_GOOD {
            self.model.kept.insert(name);
        }
    }

    /// One that stays and is done, as the writer knows it.
    fn settled(&mut self) -> Option<String> {
        let known = backups(&self.writer);
        let done = |name: &&String| {
            let backup = known.get(*name);
            backup.is_some_and(|backup| *backup.phase() == BackupPhase::Completed)
        };
        let names: Vec<String> = self.model.kept.iter().filter(done).cloned().collect();
        (!names.is_empty()).then(|| names[self.dice.roll(names.len())].clone())
    }

    /// One that stays and that the reader has imported.
    fn known_to_reader(&mut self) -> Option<String> {
        let known = names(&self.reader);
        let both: Vec<String> = self.model.kept.intersection(&known).cloned().collect();
        (!both.is_empty()).then(|| both[self.dice.roll(both.len())].clone())
    }

    /// What must hold at every moment: backups that stay are in the bucket once
    /// they were, and what has left it does not come back.
    fn check(&mut self) {
        let stored = self.stored();
        let model = &mut self.model;
        let should = model.seen.intersection(&model.kept);
        let lost: Vec<_> = should.filter(|name| !stored.contains(*name)).collect();
        assert!(lost.is_empty(), "lost: {lost:?}");
        let back: Vec<_> = model.gone.intersection(&stored).collect();
        assert!(back.is_empty(), "resurrected: {back:?}");
        let left = model.seen.difference(&stored).cloned();
        model.gone.extend(left);
        model.seen.extend(stored);
    }

    /// When everything has come to rest, both clusters and the bucket agree. What is
    /// to expire has done so by then, also if it is made only now.
    fn settle(&self) {
        let kept = &self.model.kept;
        let agree = |twins: &Self| {
            let done = |backup: &Backup| *backup.phase() == BackupPhase::Completed;
            let (written, read) = (backups(&twins.writer), backups(&twins.reader));
            twins.stored() == *kept
                && written.keys().eq(kept)
                && read.keys().eq(kept)
                && written.values().chain(read.values()).all(done)
        };
        let start = Instant::now();
        while !agree(self) {
            self.leap(BRIEF_LIFE);
            assert!(
                start.elapsed() < crate::site::PATIENCE,
                "should be {kept:?}\nbucket {:?}\nwriter {:?}\nreader {:?}",
                self.stored(),
                names(&self.writer),
                names(&self.reader)
            );
            std::thread::sleep(Duration::from_millis(500));
        }
        std::thread::sleep(Duration::from_secs(3));
        assert!(agree(self), "it does not stay so");
    }

    /// Every error that a request tells is one that a person caused: a backup
    /// that was gone already, or a deletion where only reading is allowed.
    fn explain(&self) {
        for (site, expected) in [
            (&self.writer, "does not exist"),
            (&self.reader, "is read-only"),
        ] {
            let requests = site.custom::<DeleteBackupRequest>();
            let listed = site.block_on(requests.list(None)).unwrap().items;
            let errors = listed
                .into_iter()
                .flat_map(|request| request.status.unwrap_or_default().errors);
            for error in errors {
                let gone = error.contains("does not exist");
                assert!(error.contains(expected) || gone, "{error}");
            }
        }
    }
}

#[test]
fn no_backup_is_lost_and_none_comes_back() {
    let seed = ark_testkit::seed().unwrap_or_else(|| u64::from(std::process::id()));
    println!("seed {seed}");
    let mut twins = Twins::start(seed);
    let end = Instant::now() + ark_testkit::soak().unwrap_or(BRIEF);
    while Instant::now() < end {
        twins.step();
        twins.check();
        std::thread::sleep(Duration::from_millis(100));
    }
    twins.settle();
    twins.check();
    twins.explain();
    assert!(twins.model.made > 1, "only {} backups", twins.model.made);
}
