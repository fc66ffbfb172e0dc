//! Permission bits in the format's own encoding, which is that of Go's [`fs.FileMode`]:
//! nine bits as everywhere, the rest from the top down.
//!
//! [`fs.FileMode`]: https://pkg.go.dev/io/fs#FileMode

use rustix::fs::FileType;

const PERMISSIONS: u32 = 0o777;
/// Unix: set user, set group, sticky; and the same in Go's.
const SPECIAL: [(u32, u32); 3] = [(0o4000, 1 << 23), (0o2000, 1 << 22), (0o1000, 1 << 20)];

const DIRECTORY: u32 = 1 << 31;
const SYMLINK: u32 = 1 << 27;
const DEVICE: u32 = 1 << 26;
const FIFO: u32 = 1 << 25;
const SOCKET: u32 = 1 << 24;
const CHARACTER: u32 = 1 << 21;
const IRREGULAR: u32 = 1 << 19;

/// What `stat` says → what the format holds.
pub(super) fn encode(mode: u32) -> u32 {
    let kind = match FileType::from_raw_mode(mode) {
        FileType::RegularFile => 0,
        FileType::Directory => DIRECTORY,
        FileType::Symlink => SYMLINK,
        FileType::BlockDevice => DEVICE,
        FileType::CharacterDevice => DEVICE | CHARACTER,
        FileType::Fifo => FIFO,
        FileType::Socket => SOCKET,
        FileType::Unknown => IRREGULAR,
    };
    let special = SPECIAL.iter().filter(|(unix, _)| mode & unix != 0);
    special.fold(kind | (mode & PERMISSIONS), |bits, (_, go)| bits | go)
}

/// What the format holds → the twelve bits that `chmod` takes.
pub(super) fn permissions(encoded: u32) -> u32 {
    let special = SPECIAL.iter().filter(|(_, go)| encoded & go != 0);
    special.fold(encoded & PERMISSIONS, |bits, (unix, _)| bits | unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_survives() {
        for bits in 0..=0o7777 {
            assert_eq!(permissions(encode(0o100_000 | bits)), bits);
        }
    }

    /// Figures that `go run` prints for `os.Lstat(…).Mode()`.
    #[test]
    fn kinds_are_encoded_as_go_does() {
        assert_eq!(encode(0o100_644), 0o644);
        assert_eq!(encode(0o040_755), 0x8000_01ed);
        assert_eq!(encode(0o041_777), 0x8010_01ff, "a sticky directory");
        assert_eq!(encode(0o020_620), 0x0420_0190, "a terminal");
        assert_eq!(encode(0o060_660), 0x0400_01b0, "a disk");
    }
}
