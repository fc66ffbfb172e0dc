//! Caps and checksums of the gzip layer.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{GunzipError, GunzipReader, gunzip, gunzip_exact};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn members_are_joined_and_capped_together() {
    let two = [gzip(b"hello "), gzip(b"world")].concat();
    assert_eq!(gunzip(&two, 11).unwrap(), b"hello world");
    assert!(matches!(
        gunzip(&two, 10),
        Err(GunzipError::TooLarge { max: 10 })
    ));
}

#[test]
fn damage_is_found() {
    let good = gzip(b"hello world, hello world");
    for len in 0..good.len() {
        let result = gunzip(&good[..len], 100);
        assert!(
            matches!(&result, Err(GunzipError::Damaged(_))),
            "{len}: {result:?}"
        );
    }
    let mut wrong_sum = good.clone();
    let crc = wrong_sum.len() - 8;
    wrong_sum[crc] ^= 1;
    assert!(matches!(
        gunzip(&wrong_sum, 100),
        Err(GunzipError::Damaged(_))
    ));
    assert!(matches!(
        gunzip_exact(&wrong_sum, 24),
        Err(GunzipError::Damaged(_))
    ));
    let garbage_after = [&good[..], b"garbage"].concat();
    assert!(matches!(
        gunzip(&garbage_after, 100),
        Err(GunzipError::Damaged(_))
    ));
}

#[test]
fn one_member_of_one_length() {
    let good = gzip(b"hello");
    assert_eq!(gunzip_exact(&good, 5).unwrap(), b"hello");
    for len in [0, 4, 6, u64::MAX] {
        let result = gunzip_exact(&good, len);
        assert!(
            matches!(&result, Err(GunzipError::Length { .. })),
            "{len}: {result:?}"
        );
    }
    let two = [gzip(b"hello"), gzip(b"")].concat();
    assert!(matches!(
        gunzip_exact(&two, 5),
        Err(GunzipError::Trailing { .. })
    ));
    assert!(matches!(
        gunzip_exact(&good[..good.len() - 1], 5),
        Err(GunzipError::Damaged(_))
    ));
}

#[test]
fn a_bomb_gives_no_more_than_the_cap() {
    let bomb = gzip(&vec![0; 8 << 20]);
    let mut out = Vec::new();
    let mut reader = GunzipReader::new(bomb.as_slice(), 1 << 20);
    let error = GunzipError::from_io(reader.read_to_end(&mut out).unwrap_err());
    assert!(matches!(error, GunzipError::TooLarge { .. }));
    assert!(out.len() <= 1 << 20);
    let many_empty = gzip(b"").repeat(100_000);
    assert_eq!(gunzip(&many_empty, 0).unwrap(), b"");
}
