//! Trees with everything that a file system can hold, and what one looks like.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lgetxattr, llistxattr, makedev,
    mknodat, setxattr, utimensat,
};
use sha2::{Digest as _, Sha256};

use crate::noise;
use crate::store::{bucket, directory};
use crate::{copy, repository, restore};

/// What is to be seen of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    mode: u32,
    owner: (u32, u32),
    device: u64,
    size: u64,
    modified: (i64, i64),
    /// Of a file its hash, of a link where it leads.
    content: Vec<u8>,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,
    /// The names of the same file, the first one first.
    links: Vec<PathBuf>,
}

/// Everything in a directory, itself as the empty path.
pub(crate) fn look(root: &Path) -> BTreeMap<PathBuf, Seen> {
    let mut names: BTreeMap<(u64, u64), Vec<PathBuf>> = BTreeMap::new();
    let mut entries = BTreeMap::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        entries.insert(folder.clone(), see(&root.join(&folder)));
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let path = folder.join(entry.unwrap().file_name());
            let stat = fs::symlink_metadata(root.join(&path)).unwrap();
            if stat.is_dir() {
                folders.push(path);
                continue;
            }
            names
                .entry((stat.dev(), stat.ino()))
                .or_default()
                .push(path.clone());
            entries.insert(path.clone(), see(&root.join(&path)));
        }
    }
    for mut links in names.into_values() {
        links.sort();
        for path in &links {
            entries.get_mut(path).unwrap().links.clone_from(&links);
        }
    }
    entries
}

fn see(path: &Path) -> Seen {
    let stat = fs::symlink_metadata(path).unwrap();
    let content = if stat.is_file() {
        Sha256::digest(fs::read(path).unwrap()).to_vec()
    } else if stat.is_symlink() {
        fs::read_link(path).unwrap().as_os_str().as_bytes().to_vec()
    } else {
        Vec::new()
    };
    Seen {
        mode: stat.mode(),
        owner: (stat.uid(), stat.gid()),
        device: if stat.is_dir() || stat.is_file() {
            0
        } else {
            stat.rdev()
        },
        size: if stat.is_dir() { 0 } else { stat.size() },
        modified: (stat.mtime(), stat.mtime_nsec()),
        content,
        attributes: attributes(path),
        links: Vec::new(),
    }
}

fn attributes(path: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut list = Vec::with_capacity(4096);
    llistxattr(path, spare_capacity(&mut list)).unwrap();
    let names = list
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty());
    let mut all: Vec<_> = names
        .map(|name| {
            let mut value = Vec::with_capacity(65536);
            lgetxattr(path, name, spare_capacity(&mut value)).unwrap();
            (name.to_vec(), value)
        })
        .collect();
    all.sort();
    all
}

/// Says what differs, not all that there is.
#[track_caller]
pub(crate) fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (look(one), look(other));
    let only = |one: &BTreeMap<PathBuf, Seen>, other: &BTreeMap<PathBuf, Seen>| {
        let names = one.keys().filter(|path| !other.contains_key(*path));
        names.cloned().collect::<Vec<_>>()
    };
    assert_eq!(
        (only(&one, &other), only(&other, &one)),
        (vec![], vec![]),
        "other names"
    );
    for (path, seen) in &one {
        assert_eq!(seen, &other[path], "`{}` differs", path.display());
    }
}

/// Fills a directory with everything.
pub(crate) fn fill(root: &Path) {
    let write = |name: &str, bytes: &[u8]| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    };
    write("empty", b"");
    write("hello", b"hello\n");
    write("large", &noise(1, 9 << 20));
    // Twice the same: stored once.
    write("a/large-again", &noise(1, 9 << 20));
    for n in 0..200_u64 {
        write(&format!("many/{}/file-{n}", n % 7), &noise(n + 2, 500));
    }
    write(&format!("{}/deep", vec!["d"; 60].join("/")), b"down here");
    fs::create_dir(root.join("empty-folder")).unwrap();
    write("name with 'quotes\" and \\ and \n", b"odd");
    let raw = OsStr::from_bytes(b"no\xffutf8");
    fs::write(root.join(raw), b"raw").unwrap();
    holes(&root.join("holes"));
    owners(root);
    links(root);
    specials(root);
    let tagged = write("tagged", b"with attributes");
    setxattr(&tagged, "user.color", b"green", XattrFlags::empty()).unwrap();
    setxattr(&tagged, "user.none", b"", XattrFlags::empty()).unwrap();
    setxattr(&tagged, "user.long", &noise(9, 3000), XattrFlags::empty()).unwrap();
    setxattr(
        root.join("many"),
        "user.folder",
        b"yes",
        XattrFlags::empty(),
    )
    .unwrap();
    setxattr(root, "user.root", b"of all", XattrFlags::empty()).unwrap();
    times(root);
}

/// 64 MiB with 2 MiB in them.
fn holes(path: &Path) {
    let file = File::create(path).unwrap();
    file.set_len(64 << 20).unwrap();
    file.write_all_at(&noise(3, 1 << 20), 20 << 20).unwrap();
    file.write_all_at(&noise(4, 1 << 20), 50 << 20).unwrap();
}

fn owners(root: &Path) {
    for (name, mode, uid, gid) in [
        ("owned/plain", 0o640, 1000, 1001),
        ("owned/setuid", 0o4755, 70, 70),
        ("owned/setgid", 0o2755, 70, 71),
        ("owned/nobody", 0o000, 65534, 65534),
    ] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, name).unwrap();
        lchown(&path, Some(uid), Some(gid)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }
    lchown(root.join("owned"), Some(999), Some(998)).unwrap();
    fs::set_permissions(root.join("owned"), Permissions::from_mode(0o1777)).unwrap();
    lchown(root, Some(472), Some(472)).unwrap();
    fs::set_permissions(root, Permissions::from_mode(0o2770)).unwrap();
}

fn links(root: &Path) {
    symlink("hello", root.join("link")).unwrap();
    symlink("/nowhere/at/all", root.join("dangling")).unwrap();
    symlink(OsStr::from_bytes(b"\xfe\xff"), root.join("raw-link")).unwrap();
    lchown(root.join("link"), Some(12), Some(13)).unwrap();
    fs::hard_link(root.join("hello"), root.join("a/second-name")).unwrap();
    fs::hard_link(root.join("hello"), root.join("third-name")).unwrap();
}

fn specials(root: &Path) {
    let node = |name: &str, kind, device| {
        let mode = Mode::from_raw_mode(0o620);
        mknodat(CWD, root.join(name), kind, mode, device).unwrap();
    };
    node("pipe", FileType::Fifo, 0);
    node("null", FileType::CharacterDevice, makedev(1, 3));
    node("disk", FileType::BlockDevice, makedev(7, 200));
    drop(UnixListener::bind(root.join("socket")).unwrap());
}

/// Times that are not now: before 1970, with nanoseconds, of folders and links.
fn times(root: &Path) {
    let times = |seconds, nanoseconds| {
        let time = Timespec {
            tv_sec: seconds,
            tv_nsec: nanoseconds,
        };
        Timestamps {
            last_access: time,
            last_modification: time,
        }
    };
    for (name, seconds, nanoseconds) in [
        ("hello", 1_000_000_000, 123_456_789),
        ("empty", -5, 500_000_000),
        ("link", 1_234_567_890, 1),
        ("many/3", 86_400, 0),
        ("empty-folder", 2_000_000_000, 999_999_999),
        ("", 1_500_000_000, 42),
    ] {
        let path = root.join(name);
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        utimensat(CWD, &path, &times(seconds, nanoseconds), flags).unwrap();
    }
}

/// Blocks that a file takes on the disk, in bytes.
fn allocated(path: &Path) -> u64 {
    fs::metadata(path).unwrap().blocks() * 512
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_a_file_system_holds_comes_back() {
    let (_, _, store) = bucket().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path());
    let repository = repository(store).await;
    let copied = copy(&repository, from.path()).await;
    assert_eq!(copied.problems.first, []);
    assert_eq!(copied.snapshot.tags, ["backup=nightly"]);
    assert_eq!(copied.snapshot.names, ["/shop/data"]);
    let restored = restore(&repository, &copied, to.path()).await;
    assert_eq!(restored.problems.first, []);
    assert_same(from.path(), to.path());
    let holes = allocated(&to.path().join("holes"));
    assert!(
        holes < 12 << 20,
        "the holes are gone: {holes} bytes on the disk"
    );
    let entries = look(from.path()).len() as u64 - 1;
    assert_eq!(restored.entries, entries, "the root itself is not counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_copy_stores_only_what_changed() {
    let (_dir, store) = directory().await;
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(from.path());
    let repository = repository(store).await;
    let first = copy(&repository, from.path()).await;
    assert!(first.snapshot.added > 9 << 20, "{first:?}");
    assert!(
        first.snapshot.added < 15 << 20,
        "what is twice is stored twice: {first:?}"
    );
    let same = copy(&repository, from.path()).await;
    assert_eq!(same.snapshot.added, 0, "nothing changed");

    let large = File::options()
        .write(true)
        .open(from.path().join("large"))
        .unwrap();
    large.write_all_at(&noise(77, 4096), 5 << 20).unwrap();
    fs::write(from.path().join("new"), b"new").unwrap();
    fs::remove_file(from.path().join("hello")).unwrap();
    let next = copy(&repository, from.path()).await;
    assert!(next.snapshot.added < 10 << 20, "{next:?}");
    assert_eq!(
        restore(&repository, &next, to.path()).await.problems.first,
        []
    );
    assert_same(from.path(), to.path());

    let all = repository.snapshots().await.unwrap();
    let ids: Vec<_> = all.iter().map(|one| one.id).collect();
    assert_eq!(ids, [first.snapshot.id, same.snapshot.id, next.snapshot.id]);
}
