//! Disks made of files, and file systems on them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A block device over a file; gone when dropped.
pub(crate) struct Disk {
    dir: TempDir,
    device: PathBuf,
}

impl Disk {
    /// One of so many bytes, all zero.
    pub(crate) fn new(bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("image");
        File::create(&file).unwrap().set_len(bytes).unwrap();
        let device = run(Command::new("losetup")
            .args(["--find", "--show"])
            .arg(&file));
        let device = PathBuf::from(device.trim());
        Self { dir, device }
    }

    /// The device.
    pub(crate) fn path(&self) -> &Path {
        &self.device
    }

    /// Takes away what is behind so many bytes: reading there fails from now on.
    pub(crate) fn break_behind(&self, bytes: u64) {
        let image = File::options()
            .write(true)
            .open(self.dir.path().join("image"))
            .unwrap();
        image.set_len(bytes).unwrap();
        fs::write("/proc/sys/vm/drop_caches", "1").unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("losetup")
            .arg("--detach")
            .arg(&self.device)
            .status();
    }
}

/// Something mounted on a folder; unmounted when dropped.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// `mount ARGUMENTS… FOLDER`
    pub(crate) fn new(arguments: &[&str], folder: &Path) -> Self {
        run(Command::new("mount").args(arguments).arg(folder));
        Self(folder.to_owned())
    }

    /// A new file system on a disk.
    pub(crate) fn of(disk: &Disk, folder: &Path) -> Self {
        run(Command::new("/usr/sbin/mkfs.ext4")
            .args(["-q", "-F"])
            .arg(disk.path()));
        Self::new(&[disk.path().to_str().unwrap()], folder)
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{command:?} (these tests need root): {said}"
    );
    String::from_utf8(output.stdout).unwrap()
}
