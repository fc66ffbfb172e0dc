//! Writing the archive: tar entries to gzip members to one upload.
//!
//! Members are compressed on blocking threads, several at once, and uploaded in
//! order. Memory is the members in flight plus the parts of the upload.

use std::collections::{BTreeMap, VecDeque};

use ark_archive::ItemKey;
use ark_archive::index::IndexBuilder;
use ark_archive::write::{Member, PackOptions, Packer, RawMember, WriteError};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use super::volume_record::VolumeRecord;
use super::{BackupError, Options};
use crate::object::Object;
use crate::port::{ApiResource, PutMode, Store, Upload};

/// The archive while it is being written.
pub(super) struct Sink {
    packer: Packer,
    compressing: VecDeque<JoinHandle<std::io::Result<Member>>>,
    placed: Vec<(u32, u64)>,
    upload: Box<dyn Upload>,
    level: u32,
    workers: usize,
    hasher: Sha256,
    bytes: u64,
    listing: BTreeMap<String, Vec<String>>,
    items: u64,
    scratch: Vec<u8>,
}

/// The archive when it is whole and uploaded.
pub(super) struct Written {
    /// Size in bytes, compressed.
    pub bytes: u64,
    /// SHA-256 of the whole file, in hex.
    pub sha256: String,
    /// The index, ready to store.
    pub index: Vec<u8>,
    /// `apiVersion/Kind` to `namespace/name`.
    pub listing: BTreeMap<String, Vec<String>>,
    /// How many objects.
    pub items: u64,
    /// What became of the volumes in it.
    pub volumes: VolumeRecord,
}

impl Sink {
    /// Starts the upload of `key`.
    pub(super) async fn start(
        store: &dyn Store,
        key: &str,
        mtime: i64,
        options: &Options,
    ) -> Result<Self, BackupError> {
        let upload = store.upload(key, PutMode::Create).await?;
        let mtime_unix = u64::try_from(mtime).unwrap_or_default();
        Ok(Self {
            packer: Packer::new(PackOptions {
                member_bytes: options.member_bytes,
                mtime_unix,
            }),
            compressing: VecDeque::new(),
            placed: Vec::new(),
            upload,
            level: options.compression_level,
            workers: options.compress_workers.max(1),
            hasher: Sha256::new(),
            bytes: 0,
            listing: BTreeMap::new(),
            items: 0,
            scratch: Vec::new(),
        })
    }

    /// How many objects were added.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Adds an object as it came; `Some` says why the archive cannot have it.
    pub(super) async fn add(
        &mut self,
        resource: &ApiResource,
        key: &ItemKey,
        object: &Object,
    ) -> Result<Option<WriteError>, BackupError> {
        self.scratch.clear();
        object.write_json(&mut self.scratch);
        let added = if resource.preferred {
            self.packer.add(key, &resource.version, &self.scratch)
        } else {
            self.packer
                .add_version(key, &resource.version, &self.scratch)
        };
        let full = match added {
            Ok(full) => full,
            Err(refused) => return Ok(Some(refused)),
        };
        let head = object.head();
        let name = match &head.namespace {
            Some(namespace) => format!("{namespace}/{}", head.name),
            None => head.name.clone(),
        };
        let kind = format!("{}/{}", resource.api_version(), resource.kind);
        self.listing.entry(kind).or_default().push(name);
        self.items += 1;
        if let Some(member) = full {
            self.compress(member).await?;
        }
        Ok(None)
    }

    async fn compress(&mut self, member: RawMember) -> Result<(), BackupError> {
        let level = self.level;
        self.compressing
            .push_back(tokio::task::spawn_blocking(move || member.compress(level)));
        while self.compressing.len() > self.workers {
            self.write_next().await?;
        }
        Ok(())
    }

    async fn write_next(&mut self) -> Result<(), BackupError> {
        let Some(task) = self.compressing.pop_front() else {
            return Ok(());
        };
        let member = task
            .await
            .map_err(|_| BackupError::Interrupted)?
            .map_err(BackupError::Compress)?;
        let compressed = member.bytes.len() as u64;
        self.placed.push((member.seq, compressed));
        self.hasher.update(&member.bytes);
        self.bytes += compressed;
        Ok(self.upload.write(Bytes::from(member.bytes)).await?)
    }

    /// Ends the archive and makes the upload visible.
    pub(super) async fn finish(mut self) -> Result<Written, BackupError> {
        let packer = std::mem::replace(&mut self.packer, Packer::new(PackOptions::default()));
        let finished = packer.finish();
        self.compress(finished.last).await?;
        while !self.compressing.is_empty() {
            self.write_next().await?;
        }
        let index = place(finished.index, &self.placed)?;
        self.upload.finish().await?;
        for names in self.listing.values_mut() {
            names.sort_unstable();
        }
        Ok(Written {
            bytes: self.bytes,
            sha256: hex::encode(self.hasher.finalize()),
            index,
            listing: self.listing,
            items: self.items,
            volumes: VolumeRecord::default(),
        })
    }

    /// Gives up; nothing stays visible.
    pub(super) async fn abort(self) {
        for task in &self.compressing {
            task.abort();
        }
        // The store removes unfinished uploads by itself if this fails too.
        let _ = self.upload.abort().await;
    }
}

fn place(mut index: IndexBuilder, placed: &[(u32, u64)]) -> Result<Vec<u8>, BackupError> {
    for (seq, compressed) in placed {
        index.place(*seq, *compressed).map_err(WriteError::Place)?;
    }
    Ok(index.encode().map_err(WriteError::Place)?)
}
