//! The file that a bundle is: a tarball, packed.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, Header};

use crate::error::CommandError;

/// A bundle that is being written.
pub(super) struct Bundle {
    path: PathBuf,
    tar: Builder<GzEncoder<File>>,
}

impl Bundle {
    /// Begins a bundle. A file that exists is not touched; what it holds is for
    /// the owner alone to read.
    pub(super) fn create(path: &Path) -> Result<Self, CommandError> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| failed(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            tar: Builder::new(GzEncoder::new(file, Compression::default())),
        })
    }

    /// Adds a file.
    pub(super) fn file(&mut self, name: &str, content: &[u8]) -> Result<(), CommandError> {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        let added = self
            .tar
            .append_data(&mut header, format!("bundle/{name}"), content);
        added.map_err(|error| failed(&self.path, &error))
    }

    /// Ends the bundle; answers its size.
    pub(super) fn finish(self) -> Result<u64, CommandError> {
        let Self { path, tar } = self;
        let finish = || {
            let file = tar.into_inner()?.finish()?;
            file.sync_all()?;
            file.metadata().map(|metadata| metadata.len())
        };
        finish().map_err(|error| failed(&path, &error))
    }
}

fn failed(path: &Path, error: &io::Error) -> CommandError {
    CommandError::because(format_args!("cannot write `{}`", path.display()), error)
}
