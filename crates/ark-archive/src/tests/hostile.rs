//! Archives made to do harm: each gets its own clear error, and nothing is
//! allocated or read beyond the limits.

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::{gzip, pack, sample};
use crate::gunzip::GunzipError;
use crate::limits::Limits;
use crate::read::{ReadError, ReadWarning, Summary, scan};

const POD: &str = "resources/pods/namespaces/shop/web.json";

fn header(path: &[u8], kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    let len = path.len().min(100);
    header.as_gnu_mut().unwrap().name[..len].copy_from_slice(&path[..len]);
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(size);
    header.set_cksum();
    header
}

fn entry(out: &mut Vec<u8>, path: &[u8], kind: EntryType, data: &[u8]) {
    out.extend_from_slice(header(path, kind, data.len() as u64).as_bytes());
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
}

/// One entry and the end mark, packed.
fn archive(path: &str, kind: EntryType, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    entry(&mut out, path.as_bytes(), kind, data);
    finish(out)
}

fn finish(mut tar: Vec<u8>) -> Vec<u8> {
    tar.resize(tar.len() + 1024, 0);
    gzip(&tar)
}

fn read(archive: &[u8]) -> Result<Summary, ReadError> {
    read_within(archive, &Limits::default())
}

fn read_within(archive: impl Read, limits: &Limits) -> Result<Summary, ReadError> {
    scan(archive, limits, |_| Ok(()))
}

/// Tells how much was taken from it.
struct Meter<R>(R, usize);

impl<R: Read> Read for Meter<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buf)?;
        self.1 += n;
        Ok(n)
    }
}

#[test]
fn the_archives_made_here_are_readable() {
    let summary = read(&archive(POD, EntryType::Regular, b"{}")).unwrap();
    assert_eq!((summary.items, summary.item_bytes), (1, 2));
}

#[test]
fn paths_that_leave_the_archive() {
    for path in [
        "../etc/passwd",
        "resources/pods/cluster/../../../x.json",
        "/etc/passwd",
        "//x",
        "resources//x.json",
        "resources/./x.json",
        "..",
    ] {
        for kind in [EntryType::Regular, EntryType::Directory] {
            let result = read(&archive(path, kind, b""));
            assert!(
                matches!(&result, Err(ReadError::UnsafePath { path: p }) if p == path),
                "{result:?}"
            );
        }
    }
    let mut not_text = Vec::new();
    entry(
        &mut not_text,
        b"resources/\xff\xfe",
        EntryType::Regular,
        b"",
    );
    assert!(matches!(
        read(&finish(not_text)),
        Err(ReadError::UnsafePath { .. })
    ));
    // The same through the long names of PAX, where a NUL can be smuggled in.
    let mut nul = Vec::new();
    entry(&mut nul, b"x", EntryType::XHeader, b"12 path=a\0b\n");
    entry(&mut nul, b"a", EntryType::Regular, b"");
    assert!(matches!(
        read(&finish(nul)),
        Err(ReadError::UnsafePath { .. })
    ));
}

#[test]
fn backslashes_stay_part_of_the_name() {
    let path = r"resources/pods/namespaces/shop/..\..\x.json";
    assert_eq!(
        read(&archive(path, EntryType::Regular, b"{}"))
            .unwrap()
            .items,
        1
    );
}

#[test]
fn folders_are_passed_over() {
    let mut tar = Vec::new();
    for path in ["./", "./resources/", "resources/pods"] {
        entry(&mut tar, path.as_bytes(), EntryType::Directory, b"");
    }
    entry(&mut tar, b"resources/old-style/", EntryType::Regular, b"");
    entry(
        &mut tar,
        b"./resources/nodes/cluster/n.json",
        EntryType::Regular,
        b"{}",
    );
    let summary = read(&finish(tar)).unwrap();
    assert_eq!((summary.items, summary.has_resources), (1, true));
    assert_eq!(summary.warnings, []);
}

#[test]
fn links_and_devices() {
    for (kind, name) in [
        (EntryType::Symlink, "symbolic link"),
        (EntryType::Link, "hard link"),
        (EntryType::Char, "character device"),
        (EntryType::Block, "block device"),
        (EntryType::Fifo, "pipe"),
        (EntryType::GNUSparse, "sparse file"),
        (EntryType::new(b'V'), "special entry"),
    ] {
        let result = read(&archive(POD, kind, b""));
        assert!(
            matches!(&result, Err(ReadError::NotAFile { path, kind }) if path == POD && *kind == name),
            "{result:?}"
        );
    }
}

#[test]
fn ten_gigabytes_announced() {
    let declared = 10_u64 << 30;
    let mut tar = header(POD.as_bytes(), EntryType::Regular, declared)
        .as_bytes()
        .to_vec();
    tar.extend_from_slice(&[b'{'; 4096]);
    let archive = gzip(&tar);
    let result = read(&archive);
    assert!(
        matches!(&result, Err(ReadError::ItemTooLarge { bytes, .. }) if *bytes == declared),
        "{result:?}"
    );
    // With the limit out of the way nothing is allocated before it is there.
    let limits = Limits {
        item_bytes: u64::MAX,
        ..Limits::default()
    };
    let result = read_within(archive.as_slice(), &limits);
    assert!(
        matches!(&result, Err(ReadError::Truncated { last }) if last == POD),
        "{result:?}"
    );

    let record = format!("{} size={}\n", 29, u64::MAX);
    assert_eq!(record.len(), 29);
    let mut tar = Vec::new();
    entry(&mut tar, b"x", EntryType::XHeader, record.as_bytes());
    entry(&mut tar, POD.as_bytes(), EntryType::Regular, b"{}");
    assert!(matches!(
        read(&finish(tar)),
        Err(ReadError::Header {
            reason: "impossible size",
            ..
        })
    ));
}

#[test]
fn a_bomb_of_zeros_stops_early() {
    // An unexpected file, which is skipped, so no limit for objects applies.
    let zeros = vec![0; 64 << 20];
    let bomb = archive("zeros", EntryType::Regular, &zeros);

    let limits = Limits {
        ratio: 100,
        ratio_grace: 1 << 20,
        ..Limits::default()
    };
    let mut meter = Meter(bomb.as_slice(), 0);
    let result = read_within(&mut meter, &limits);
    assert!(
        matches!(
            &result,
            Err(ReadError::Unpack(GunzipError::Ratio { ratio: 100 }))
        ),
        "{result:?}"
    );
    assert!(
        meter.1 <= 64 << 10,
        "{} of {} bytes were read",
        meter.1,
        bomb.len()
    );

    let limits = Limits {
        total_bytes: 1 << 20,
        ..Limits::default()
    };
    let mut meter = Meter(bomb.as_slice(), 0);
    let result = read_within(&mut meter, &limits);
    assert!(
        matches!(
            &result,
            Err(ReadError::Unpack(GunzipError::TooLarge { .. }))
        ),
        "{result:?}"
    );
    assert!(
        meter.1 <= 64 << 10,
        "{} of {} bytes were read",
        meter.1,
        bomb.len()
    );

    // Behind the end of the tar stream it is no better.
    let mut hidden = finish(Vec::new());
    hidden.extend(gzip(&zeros));
    assert!(matches!(
        read_within(hidden.as_slice(), &limits),
        Err(ReadError::Unpack(_))
    ));
}

#[test]
fn names_without_end() {
    for kind in [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
    ] {
        let tar = header(b"x", kind, 1 << 30).as_bytes().to_vec();
        let result = read(&gzip(&tar));
        assert!(
            matches!(&result, Err(ReadError::PathTooLong { .. })),
            "{result:?}"
        );
    }
    let limits = Limits {
        path_bytes: 20,
        ..Limits::default()
    };
    let result = read_within(archive(POD, EntryType::Regular, b"{}").as_slice(), &limits);
    assert!(
        matches!(&result, Err(ReadError::PathTooLong { max: 20, .. })),
        "{result:?}"
    );
}

#[test]
fn malformed_extended_headers() {
    for record in [
        "9999 path=a\n",
        "0 path=a\n",
        "1 path=a\n",
        "path=a\n",
        "9 path=a ",
        "18446744073709551616 path=a\n",
        "21 GNU.sparse.size=1\n",
    ] {
        let mut tar = Vec::new();
        entry(&mut tar, b"x", EntryType::XHeader, record.as_bytes());
        entry(&mut tar, b"a", EntryType::Regular, b"");
        let result = read(&finish(tar));
        assert!(
            matches!(
                &result,
                Err(ReadError::Header {
                    reason: "malformed PAX record",
                    ..
                })
            ),
            "{record:?}: {result:?}"
        );
    }
}

#[test]
fn too_many_entries() {
    let mut tar = Vec::new();
    for _ in 0..11 {
        entry(&mut tar, b"resources", EntryType::Directory, b"");
    }
    let limits = Limits {
        entries: 10,
        ..Limits::default()
    };
    let result = read_within(finish(tar).as_slice(), &limits);
    assert!(
        matches!(result, Err(ReadError::TooManyEntries { max: 10 })),
        "{result:?}"
    );
}

#[test]
fn the_same_path_twice() {
    for path in [POD, "metadata/version", "README"] {
        let data: &[u8] = if path == POD { b"{}" } else { b"1" };
        let mut tar = Vec::new();
        entry(&mut tar, path.as_bytes(), EntryType::Regular, data);
        entry(
            &mut tar,
            format!("./{path}").as_bytes(),
            EntryType::Regular,
            data,
        );
        let result = read(&finish(tar));
        assert!(
            matches!(&result, Err(ReadError::Duplicate { path: p }) if p == path),
            "{result:?}"
        );
    }
    // The layouts of two ages name the same object.
    let mut tar = Vec::new();
    entry(&mut tar, POD.as_bytes(), EntryType::Regular, b"{}");
    entry(
        &mut tar,
        b"namespaces/shop/pods/web.json",
        EntryType::Regular,
        b"{}",
    );
    assert!(matches!(
        read(&finish(tar)),
        Err(ReadError::Duplicate { .. })
    ));
}

#[test]
fn objects_that_are_none() {
    for data in [&b""[..], b"[]", b"null", b"{\"cut\":", b"\x1f\x8b\x08"] {
        let result = read(&archive(POD, EntryType::Regular, data));
        assert!(
            matches!(&result, Err(ReadError::NotAnObject { path }) if path == POD),
            "{result:?}"
        );
    }
    let result = read(&archive(
        "resources/pods/cluster/50%.json",
        EntryType::Regular,
        b"{}",
    ));
    assert!(matches!(&result, Err(ReadError::Key { .. })), "{result:?}");
}

#[test]
fn other_files_are_warnings() {
    let mut tar = Vec::new();
    for i in 0..150 {
        entry(
            &mut tar,
            format!("notes-{i}").as_bytes(),
            EntryType::Regular,
            b"hello",
        );
    }
    entry(&mut tar, POD.as_bytes(), EntryType::Regular, b"{}");
    let mut archive = finish(tar);
    archive.extend(gzip(b"more"));
    let summary = read(&archive).unwrap();
    assert_eq!(
        (
            summary.items,
            summary.warnings.len(),
            summary.warnings_left_out
        ),
        (1, 100, 51)
    );
    assert_eq!(
        summary.warnings[0],
        ReadWarning::UnexpectedFile {
            path: "notes-0".into()
        }
    );

    let mut archive = finish(Vec::new());
    archive.extend(gzip(b"more"));
    assert_eq!(
        read(&archive).unwrap().warnings,
        [ReadWarning::TrailingData { bytes: 4 }]
    );
}

#[test]
fn format_versions_from_the_future() {
    let result = read(&archive("metadata/version", EntryType::Regular, b"2.0.0\n"));
    assert!(
        matches!(&result, Err(ReadError::FormatVersion(_))),
        "{result:?}"
    );
    let result = read(&archive(
        "metadata/version",
        EntryType::Regular,
        &[b'1'; 65],
    ));
    assert!(
        matches!(&result, Err(ReadError::ItemTooLarge { max: 64, .. })),
        "{result:?}"
    );
    let summary = read(&archive("metadata/version", EntryType::Regular, b"1")).unwrap();
    assert!(!summary.format_version.unwrap().has_versions());
}

#[test]
fn cut_short_anywhere() {
    let samples: Vec<_> = (0..6)
        .map(|i| sample(&format!("pods a/p{i}"), r#"{"a":1}"#))
        .collect();
    let (archive, _) = pack(&samples, 1);
    for len in 0..archive.len() {
        let result = read(&archive[..len]);
        assert!(
            matches!(
                &result,
                Err(ReadError::Truncated { .. } | ReadError::Unpack(_))
            ),
            "{len} of {} bytes: {result:?}",
            archive.len()
        );
    }
    assert_eq!(read(&archive).unwrap().items, 12);
}

#[test]
fn damaged_headers() {
    let mut tar = Vec::new();
    entry(&mut tar, POD.as_bytes(), EntryType::Regular, b"{}");
    tar[0] ^= 1;
    let result = read(&finish(tar));
    assert!(
        matches!(
            &result,
            Err(ReadError::Header {
                at: 0,
                reason: "wrong checksum"
            })
        ),
        "{result:?}"
    );
    let mut hole = vec![0; 512];
    entry(&mut hole, POD.as_bytes(), EntryType::Regular, b"{}");
    assert!(matches!(read(&finish(hole)), Err(ReadError::Header { .. })));
}

#[test]
fn errors_tell_whether_to_try_again() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::ConnectionReset, "gone"))
        }
    }
    let error = read_within(Broken, &Limits::default()).unwrap_err();
    assert!(error.is_retryable(), "{error:?}");
    assert!(!read(b"not gzip").unwrap_err().is_retryable());
}
