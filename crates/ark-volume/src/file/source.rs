//! What is copied: a directory with all that is in it, or a block device.

mod attributes;
mod device;
mod reader;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustic_core::{ReadSource, ReadSourceEntry, RusticResult};

use self::device::Device;
use self::reader::Opener;
use self::walk::Directory;
use super::control::Control;
use super::error::FileError;
use super::problem::Collector;

/// What a copy is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A directory: the root of a volume.
    Directory(PathBuf),
    /// A block device, or a file that stands for one, as a single stream.
    Device(PathBuf),
}

impl Source {
    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Directory(path) | Self::Device(path) => path,
        }
    }
}

/// The name of the only entry at a snapshot's root: for a directory, and for a device.
pub(super) const VOLUME: &str = "volume";
pub(super) const DEVICE: &str = "device";

/// A source that is open, as the library reads it.
pub(super) struct Opened {
    kind: Kind,
    shared: Arc<Shared>,
}

enum Kind {
    Directory(Directory),
    Device(Device),
}

/// What all threads that read a source tell.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) control: Control,
    pub(super) problems: Collector,
    /// Directories that belong to other file systems and were left out.
    pub(super) elsewhere: Collector,
    /// Entries that are no directories and were handed over, those that then could not be
    /// read, and those that changed meanwhile.
    pub(super) entries: std::sync::atomic::AtomicU64,
    pub(super) unread: std::sync::atomic::AtomicU64,
}

/// An entry on its way to the library.
type Entry = RusticResult<ReadSourceEntry<Opener>>;

impl Opened {
    /// Opens it, so that what cannot be copied at all is said at once.
    pub(super) fn new(source: &Source, shared: Arc<Shared>) -> Result<Self, FileError> {
        let kind = match source {
            Source::Directory(path) => Kind::Directory(Directory::open(path)?),
            Source::Device(path) => Kind::Device(Device::open(path)?),
        };
        Ok(Self { kind, shared })
    }
}

impl ReadSource for Opened {
    type Open = Opener;
    type Iter = Box<dyn Iterator<Item = Entry> + Send>;

    fn size(&self) -> RusticResult<Option<u64>> {
        Ok(match &self.kind {
            Kind::Directory(directory) => directory.size(&self.shared.control.cancel),
            Kind::Device(device) => Some(device.size()),
        })
    }

    fn entries(&self) -> Self::Iter {
        match &self.kind {
            Kind::Directory(directory) => Box::new(directory.walk(self.shared.clone())),
            Kind::Device(device) => Box::new(std::iter::once(device.entry(self.shared.clone()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use rustic_core::ReadSourceOpen as _;

    use super::*;

    /// Somebody who may write to the volume waits for the walk to pass, and puts a link to
    /// a file of the node in the place of one of theirs.
    #[test]
    fn a_file_that_became_a_link_is_not_followed() -> Result<(), Box<dyn std::error::Error>> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("mine"), "mine")?;
        fs::create_dir(dir.path().join("folder"))?;
        fs::write(dir.path().join("folder/mine"), "mine")?;
        let shared = Arc::new(Shared::default());
        let source = Source::Directory(dir.path().to_owned());
        let opened = Opened::new(&source, shared.clone())?;
        let found: Vec<_> = opened.entries().collect::<Result<_, _>>()?;
        let paths: Vec<_> = found.iter().map(|entry| entry.path.clone()).collect();
        let names = [
            "/volume",
            "/volume/folder",
            "/volume/folder/mine",
            "/volume/mine",
        ];
        assert_eq!(paths, names.map(PathBuf::from));

        fs::remove_file(dir.path().join("mine"))?;
        symlink("/etc/passwd", dir.path().join("mine"))?;
        fs::rename(dir.path().join("folder"), dir.path().join("moved"))?;
        symlink("/etc", dir.path().join("folder"))?;
        let mut open = found.into_iter().filter_map(|entry| entry.open);
        let mut inner = String::new();
        open.next()
            .ok_or("it has none")?
            .open()?
            .read_to_string(&mut inner)?;
        assert_eq!(inner, "mine", "through the folder as it was");
        assert!(open.next().ok_or("it has none")?.open().is_err());
        let problems = shared.problems.take();
        assert_eq!(problems.count, 1, "{problems:?}");
        assert_eq!(problems.first[0].path, Path::new("mine"));
        Ok(())
    }
}
