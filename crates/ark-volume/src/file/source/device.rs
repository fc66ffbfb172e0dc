//! A block device as a single stream.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustic_core::ReadSourceEntry;
use rustic_core::repofile::{Metadata, Node, NodeType};

use super::reader::{Opener, What};
use super::{DEVICE, Entry, Shared};
use crate::file::error::{FileError, library};

/// A device that is open.
pub(super) struct Device {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Device {
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        let failed = |error| FileError::local("read", path, error);
        let mut file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        // A device's metadata have no size.
        let size = file.seek(SeekFrom::End(0)).map_err(failed)?;
        let path = path.to_owned();
        Ok(Self { path, file, size })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn entry(&self, shared: Arc<Shared>) -> Entry {
        shared.entries.fetch_add(1, Ordering::Relaxed);
        let mut file = self.file.try_clone().map_err(library)?;
        file.rewind().map_err(library)?;
        let metadata = Metadata {
            size: self.size,
            ..Metadata::default()
        };
        let node = Node::new_node(OsStr::new(DEVICE), NodeType::File, metadata);
        let path = Path::new("/").join(DEVICE);
        let open = Some(Opener {
            what: What::Device(file),
            path: self.path.clone(),
            size: self.size,
            shared,
        });
        Ok(ReadSourceEntry { path, node, open })
    }
}
