//! Owner, permissions, extended attributes and times of what was restored, in this
//! order: a new owner takes special permissions and capabilities away, and everything
//! changes the times.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;

use jiff::Timestamp;
use rustic_core::repofile::Metadata;
use rustix::buffer::spare_capacity;
use rustix::fs::{
    AtFlags, FileType, Gid, Mode, Stat, Timespec, Timestamps, Uid, XattrFlags, chmodat, chownat,
    fchmod, fchown, flistxattr, fremovexattr, fsetxattr, fstat, futimens, lsetxattr, utimensat,
};

use super::root::Place;
use crate::file::{mode, xattr};

/// What could not be set, for people; empty when all was.
type Failures = Vec<String>;

/// Gives an open file or folder what the snapshot says.
pub(super) fn apply(file: impl AsFd, metadata: &Metadata) -> Failures {
    let (file, mut failures) = (file.as_fd(), Failures::new());
    let owned = fstat(file).and_then(|stat| match new_owner(metadata, &stat) {
        Some((uid, gid)) => fchown(file, uid, gid),
        None => Ok(()),
    });
    note(&mut failures, "owner", owned);
    note(
        &mut failures,
        "permissions",
        fchmod(file, permissions(metadata)),
    );
    remove_others(file, metadata, &mut failures);
    for attribute in &metadata.extended_attributes {
        let value = attribute.value.as_deref().unwrap_or_default();
        let set = fsetxattr(file, &*attribute.name, value, XattrFlags::empty());
        note(&mut failures, &attribute.name, set);
    }
    if let Some(times) = times(metadata) {
        note(&mut failures, "times", futimens(file, &times));
    }
    failures
}

/// Gives a link, a device, a pipe or a socket that was just made what the snapshot says.
pub(super) fn apply_beside(place: &Place<'_>, metadata: &Metadata) -> Failures {
    let mut failures = Failures::new();
    let (folder, name) = (place.folder.as_fd(), place.name);
    let stat = match place.stat() {
        Ok(Some(stat)) => stat,
        Ok(None) => return vec!["it is gone".to_owned()],
        Err(error) => return vec![error.to_string()],
    };
    if let Some((uid, gid)) = new_owner(metadata, &stat) {
        let owned = chownat(folder, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW);
        note(&mut failures, "owner", owned);
    }
    let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
    if !is_link {
        let set = chmodat(folder, name, permissions(metadata), AtFlags::empty());
        note(&mut failures, "permissions", set);
    }
    if let Ok(name) = std::ffi::CString::new(name.as_bytes()) {
        let path = xattr::beside(folder, &name);
        for attribute in &metadata.extended_attributes {
            let value = attribute.value.as_deref().unwrap_or_default();
            let set = lsetxattr(&*path, &*attribute.name, value, XattrFlags::empty());
            note(&mut failures, &attribute.name, set);
        }
    }
    if let Some(times) = times(metadata) {
        let set = utimensat(folder, name, &times, AtFlags::SYMLINK_NOFOLLOW);
        note(&mut failures, "times", set);
    }
    failures
}

/// Takes away the attributes that something had before it was restored.
fn remove_others(file: BorrowedFd<'_>, metadata: &Metadata, failures: &mut Failures) {
    let present = xattr::names(|buffer| flistxattr(file, spare_capacity(buffer)));
    // What cannot be listed will fail when it is set.
    for name in present.unwrap_or_default() {
        let wanted = metadata.extended_attributes.iter();
        if !wanted
            .map(|attribute| &attribute.name)
            .any(|wanted| *wanted == name)
        {
            note(failures, &name, fremovexattr(file, &*name));
        }
    }
}

/// The owner that must be set; `None`: it is right, as it is for all who may set none.
fn new_owner(metadata: &Metadata, stat: &Stat) -> Option<(Option<Uid>, Option<Gid>)> {
    // All ones means "no change" to the kernel, and is nobody's number.
    let wanted = |number: Option<u32>, is: u32| number.filter(|n| *n != is && *n != u32::MAX);
    let uid = wanted(metadata.uid, stat.st_uid).map(Uid::from_raw);
    let gid = wanted(metadata.gid, stat.st_gid).map(Gid::from_raw);
    (uid.is_some() || gid.is_some()).then_some((uid, gid))
}

/// None at all stands for those of a file that nobody may do anything with.
fn permissions(metadata: &Metadata) -> Mode {
    Mode::from_raw_mode(mode::permissions(metadata.mode.unwrap_or(0)))
}

fn times(metadata: &Metadata) -> Option<Timestamps> {
    let modified = metadata.mtime?;
    Some(Timestamps {
        last_access: timespec(metadata.atime.unwrap_or(modified)),
        last_modification: timespec(modified),
    })
}

/// The kernel counts nanoseconds forward, also before 1970.
fn timespec(time: Timestamp) -> Timespec {
    const SECOND: i128 = 1_000_000_000;
    let nanoseconds = time.as_nanosecond();
    Timespec {
        tv_sec: i64::try_from(nanoseconds.div_euclid(SECOND)).unwrap_or(0),
        tv_nsec: i64::try_from(nanoseconds.rem_euclid(SECOND)).unwrap_or(0),
    }
}

fn note(failures: &mut Failures, what: &str, result: rustix::io::Result<()>) {
    if let Err(error) = result {
        failures.push(format!("{what}: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_count_forward_before_1970_too() {
        let before = Timestamp::from_nanosecond(-1).expect("it is a time");
        assert_eq!(
            (timespec(before).tv_sec, timespec(before).tv_nsec),
            (-1, 999_999_999)
        );
        let after = Timestamp::from_nanosecond(1_000_000_002).expect("it is a time");
        assert_eq!((timespec(after).tv_sec, timespec(after).tv_nsec), (1, 2));
    }
}
