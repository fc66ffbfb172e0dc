//! `ark backup download`: the tarball of a backup into a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use ark_api::{Backup, DownloadTargetKind};
use clap::Args;
use clap_complete::ArgValueCandidates;

use crate::cluster;
use crate::context::Context;
use crate::download::{self, DownloadArgs};
use crate::error::{CommandError, Exit};
use crate::inside;
use crate::live;
use crate::out::human;

const EXAMPLES: &str = "\
Examples:
  ark backup download nightly
  ark backup download nightly --output /tmp/nightly.tar.gz --force";

/// Download all objects of a backup as a tarball
///
/// The tarball holds one JSON file for each object and can be read with any tar.
/// Data of volumes is not in it.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct DownloadCommandArgs {
    /// Name of the backup
    #[arg(add = ArgValueCandidates::new(live::names))]
    name: String,

    /// File to write [default: NAME-data.tar.gz]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write over the file if it exists
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    download: DownloadArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: DownloadCommandArgs) -> Result<Exit, CommandError> {
    let name = &args.name;
    let path = args
        .output
        .unwrap_or_else(|| PathBuf::from(format!("{name}-data.tar.gz")));
    if !args.force && path.exists() {
        return Err(taken(&path));
    }
    let backup: Backup = cluster::get(ctx, name).await?;
    inside::check_has_data(&backup)?;
    let mut draft = Draft::create(&path, args.force)?;
    let kind = DownloadTargetKind::BackupContents;
    let found = download::each(ctx, kind, name, &args.download, &mut |chunk| {
        draft.write(&chunk)
    })
    .await?;
    if !found {
        return Err(inside::missing(name));
    }
    let size = draft.finish()?;
    ctx.talk.say(format_args!(
        "Backup `{name}` is downloaded to `{}` ({})",
        path.display(),
        human::bytes(size)
    ));
    Ok(Exit::Done)
}

fn taken(path: &Path) -> CommandError {
    CommandError::refused(format!("the file `{}` exists already", path.display()))
        .hint("name another one with `--output`, or write over it with `--force`")
}

/// A file that exists under its name only when it is whole.
struct Draft {
    path: PathBuf,
    place: PathBuf,
    file: File,
    force: bool,
    size: u64,
}

impl Draft {
    fn create(path: &Path, force: bool) -> Result<Self, CommandError> {
        let mut place = path.as_os_str().to_owned();
        place.push(format!(".{}.part", std::process::id()));
        let place = PathBuf::from(place);
        let file = OpenOptions::new().write(true).create_new(true).open(&place);
        let file = file.map_err(|error| failed(&place, &error))?;
        Ok(Self {
            path: path.to_owned(),
            place,
            file,
            force,
            size: 0,
        })
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), CommandError> {
        self.size += chunk.len() as u64;
        let written = self.file.write_all(chunk);
        written.map_err(|error| failed(&self.place, &error))
    }

    /// Puts the file in its place; answers its size.
    fn finish(self) -> Result<u64, CommandError> {
        let synced = self.file.sync_all();
        synced.map_err(|error| failed(&self.place, &error))?;
        if self.force {
            let moved = std::fs::rename(&self.place, &self.path);
            moved.map_err(|error| failed(&self.path, &error))?;
            return Ok(self.size);
        }
        // Unlike a rename, a link does not replace what came into being meanwhile.
        match std::fs::hard_link(&self.place, &self.path) {
            Ok(()) => Ok(self.size),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(&self.path)),
            Err(_) => {
                let moved = std::fs::rename(&self.place, &self.path);
                moved.map_err(|error| failed(&self.path, &error))?;
                Ok(self.size)
            }
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.place);
    }
}

fn failed(path: &Path, error: &io::Error) -> CommandError {
    CommandError::because(format_args!("cannot write `{}`", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_came_into_being_meanwhile_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b.tar.gz");
        let mut draft = Draft::create(&path, false).unwrap();
        draft.write(b"new").unwrap();
        std::fs::write(&path, "old").unwrap();
        assert!(draft.finish().is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");

        let mut draft = Draft::create(&path, true).unwrap();
        draft.write(b"new").unwrap();
        assert_eq!(draft.finish().unwrap(), 3);
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
