//! Writing a tree back to a directory.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustic_core::TreeId;
use rustic_core::repofile::{Node, NodeType};

use super::batch::Batch;
use super::destination::{At, Destination, tell};
use super::root::{Begun, Root};
use super::{Job, VOLUME, attributes, begin, contents, is_damage};
use crate::file::error::FileError;
use crate::file::tree::{Step, Walk};

/// Writes the folder of a snapshot into a directory.
pub(super) fn restore(
    job: &Job,
    root: TreeId,
    from: Option<&Path>,
    target: &Path,
) -> Result<(), FileError> {
    let node = begin(&job.repository, root, from, VOLUME)?;
    let folder = match &node {
        None if from.is_none() => Some(root),
        None => None,
        Some(node) => node.subtree,
    };
    let Some(folder) = folder else {
        return Err(FileError::NotInSnapshot {
            wanted: "directory".to_owned(),
            has: contents(&job.repository, root),
        });
    };
    let failed = |error: std::io::Error| FileError::local("write to", target, error);
    let at = Arc::new(Root::open(target).map_err(failed)?);
    let mut writing = Writing {
        job,
        root: at.clone(),
        batch: Batch::new(job),
        linked: HashMap::new(),
    };
    writing.write(folder)?;
    finish_folders(job, &at, folder)?;
    if let Some(node) = node {
        tell(
            &job.told,
            Path::new(""),
            &attributes::apply(at.as_fd(), &node.meta),
        );
    }
    rustix::fs::syncfs(at.as_fd()).map_err(|error| failed(error.into()))
}

/// A tree on its way to a directory.
struct Writing<'a> {
    job: &'a Job,
    root: Arc<Root>,
    batch: Batch<'a>,
    /// Files with several names, by what tells them apart, and the name that came first.
    /// One entry each while the restore lasts.
    linked: HashMap<(u64, u64), PathBuf>,
}

impl Writing<'_> {
    fn write(&mut self, folder: TreeId) -> Result<(), FileError> {
        let mut walk = Walk::new(&self.job.repository, folder)?;
        while let Some(step) = walk.next() {
            self.job.check_cancelled()?;
            match step {
                Ok(Step::Entry(path, node)) => self.entry(&path, &node)?,
                Ok(Step::Leave(..)) => {}
                Ok(Step::Refused(folder, name)) => {
                    let what = format!("it has an entry with the name `{name}`, which is none");
                    self.job.told.problems.add(&folder, what);
                }
                Err((path, error)) if is_damage(&error) => {
                    let what = format!("what is in it cannot be restored: {error}");
                    self.job.told.problems.add(&path, what);
                }
                Err((_, error)) => return Err(error),
            }
        }
        self.batch.run()
    }

    fn entry(&mut self, path: &Path, node: &Node) -> Result<(), FileError> {
        let made = match node.node_type {
            NodeType::Dir => self.root.make_folder(path),
            NodeType::File => return self.file(path, node),
            _ => self.special(path, node),
        };
        self.count(path, made);
        Ok(())
    }

    /// One more entry, or one more problem.
    fn count(&self, path: &Path, made: std::io::Result<()>) {
        match made {
            Ok(()) => {
                self.job.told.entries.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                let what = format!("cannot make it: {error}");
                self.job.told.problems.add(path, what);
            }
        }
    }

    fn special(&self, path: &Path, node: &Node) -> std::io::Result<()> {
        self.root.make_special(path, &node.node_type)?;
        let failures = attributes::apply_beside(&self.root.place(path)?, &node.meta);
        tell(&self.job.told, path, &failures);
        Ok(())
    }

    fn file(&mut self, path: &Path, node: &Node) -> Result<(), FileError> {
        let key = (node.meta.device_id, node.meta.inode);
        if node.meta.links > 1 && key.1 != 0 {
            if let Some(first) = self.linked.get(&key) {
                self.job.control.progress.add(node.meta.size);
                self.count(path, self.root.link(first, path));
                return Ok(());
            }
            self.linked.insert(key, path.to_owned());
        }
        let content = node.content.as_deref().unwrap_or_default();
        let begun = self.root.begin_file(path, node.meta.size);
        let is_new = matches!(begun, Ok(Begun::New));
        let went_well = begun.is_ok();
        self.count(path, begun.map(|_| ()));
        if !went_well {
            return Ok(());
        }
        let place = (path.to_owned(), At::Below(self.root.clone()), is_new);
        let told = self.job.told.clone();
        let into = Destination::new(place, node.meta.clone(), content.len(), told);
        if content.is_empty() {
            into.finish();
            return Ok(());
        }
        self.batch.add(&Arc::new(into), content)
    }
}

/// Gives folders what they have beside their content, each after all that is in it.
fn finish_folders(job: &Job, root: &Root, folder: TreeId) -> Result<(), FileError> {
    let mut walk = Walk::new(&job.repository, folder)?;
    while let Some(step) = walk.next() {
        job.check_cancelled()?;
        let (path, node) = match step {
            Ok(Step::Leave(path, node)) => (path, node),
            // Told already, in the first walk.
            Ok(_) => continue,
            Err((_, error)) if is_damage(&error) => continue,
            Err((_, error)) => return Err(error),
        };
        match root.folder(&path) {
            Ok(open) => tell(&job.told, &path, &attributes::apply(&open, &node.meta)),
            Err(error) => {
                let what = format!("cannot open it again: {error}");
                job.told.problems.add(&path, what);
            }
        }
    }
    Ok(())
}
