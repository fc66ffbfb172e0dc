//! Writing a stream back to a device.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustic_core::TreeId;
use rustic_core::repofile::Node;

use super::batch::Batch;
use super::destination::{At, Destination};
use super::{DEVICE, Job, begin, contents};
use crate::file::error::FileError;

/// Writes the stream of a snapshot to a device, which must be as large at least.
pub(super) fn restore(
    job: &Job,
    root: TreeId,
    from: Option<&Path>,
    target: &Path,
) -> Result<(), FileError> {
    let node = begin(&job.repository, root, from, DEVICE)?;
    let Some(node) = node.filter(Node::is_file) else {
        return Err(FileError::NotInSnapshot {
            wanted: "stream of a device".to_owned(),
            has: contents(&job.repository, root),
        });
    };
    let content = node.content.unwrap_or_default();
    let needs = length(job, &content)?;
    let file = open(target, needs)?;
    let metadata = node.meta;
    let place = (target.to_owned(), At::Device(file), false);
    let into = Destination::new(place, metadata, content.len(), job.told.clone());
    let into = Arc::new(into);
    let mut batch = Batch::new(job);
    batch.add(&into, &content)?;
    batch.run()?;
    job.told.entries.fetch_add(1, Ordering::Relaxed);
    match &into.at {
        At::Device(file) => file
            .sync_all()
            .map_err(|error| FileError::local("write to", target, error)),
        At::Below(_) => Ok(()),
    }
}

/// Bytes of the stream.
fn length(job: &Job, content: &[rustic_core::DataId]) -> Result<u64, FileError> {
    let mut length = 0;
    for chunk in content {
        let entry = job.repository.get_index_entry(chunk)?;
        length += u64::from(entry.data_length());
    }
    Ok(length)
}

fn open(path: &Path, needs: u64) -> Result<File, FileError> {
    let failed = |error: io::Error| FileError::local("write to", path, error);
    let mut options = File::options();
    let mut file = options.read(true).write(true).open(path).map_err(failed)?;
    let has = file.seek(SeekFrom::End(0)).map_err(failed)?;
    if has >= needs {
        return Ok(file);
    }
    if file
        .metadata()
        .map_err(failed)?
        .file_type()
        .is_block_device()
    {
        let path = path.to_owned();
        return Err(FileError::TooSmall { path, has, needs });
    }
    file.set_len(needs).map_err(failed)?;
    Ok(file)
}
