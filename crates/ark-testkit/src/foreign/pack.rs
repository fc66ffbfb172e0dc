//! Folders of a bucket, and tarballs by the system's own `tar`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A folder of a bucket that is a directory.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(bucket: &Path, folder: &str) -> Result<Self> {
        let path = bucket.join(folder);
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.0.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Puts a text, compressed.
    pub(super) fn gzip(&self, name: &str, text: &str) -> Result<()> {
        let mut gzip = Command::new("gzip")
            .arg("-nc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run gzip")?;
        // Texts here fit a pipe: no deadlock with its output.
        gzip.stdin
            .take()
            .context("gzip takes no input")?
            .write_all(text.as_bytes())?;
        let output = gzip.wait_with_output()?;
        self.put(name, &output.stdout)
    }
}

/// Files in the order of the archive.
pub(super) struct Tarball {
    files: Vec<(String, String)>,
    folders: bool,
}

impl Tarball {
    pub(super) fn new() -> Self {
        Self {
            files: Vec::new(),
            folders: false,
        }
    }

    /// Entries for the folders, too, as archives have that somebody packed anew.
    pub(super) fn with_folders(mut self) -> Self {
        self.folders = true;
        self
    }

    pub(super) fn add(&mut self, path: &str, content: &str) {
        self.files.push((path.to_owned(), content.to_owned()));
    }

    pub(super) fn gzip(&self) -> Result<Vec<u8>> {
        let dir = tempfile::tempdir()?;
        let mut names: Vec<&str> = Vec::new();
        for (path, content) in &self.files {
            let file = dir.path().join(path);
            fs::create_dir_all(file.parent().context("a file without a folder")?)?;
            fs::write(&file, content)?;
            let top = path.split('/').next().unwrap_or(path);
            let name = if self.folders { top } else { path };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let output = Command::new("tar")
            .current_dir(dir.path())
            .args([
                "-cz",
                "--format=ustar",
                "--mode=0755",
                "--owner=0",
                "--group=0",
            ])
            .args(names)
            .output()
            .context("cannot run tar")?;
        if !output.status.success() {
            bail!("tar: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }
}
