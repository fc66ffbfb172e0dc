//! Indexes made to do harm, put together byte by byte.

#![expect(
    clippy::cast_possible_truncation,
    reason = "the archives made here are small"
)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{FLAG_NAMESPACED, FLAG_PREFERRED, Index, IndexError, MAGIC};
use crate::limits::Limits;

/// Numbers below 128 are their own bytes.
const HUGE: [u8; 10] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

/// One member of 100 bytes that unpacks to 127 * 16 bytes.
fn members() -> Vec<u8> {
    vec![1, 100, 0xf0, 0x0f]
}

/// One group: pods of namespace `a`, v1, preferred.
fn groups() -> Vec<u8> {
    let mut out = vec![1, FLAG_NAMESPACED | FLAG_PREFERRED];
    for text in ["pods", "", "v1", "a"] {
        out.push(text.len() as u8);
        out.extend_from_slice(text.as_bytes());
    }
    out
}

struct TestEntry {
    group: u8,
    name: &'static str,
    step: u8,
    block: Vec<u8>,
    len: Vec<u8>,
}

fn pod(name: &'static str, block: u8, len: u8) -> TestEntry {
    TestEntry {
        group: 0,
        name,
        step: 0,
        block: vec![block],
        len: vec![len],
    }
}

fn entries(list: &[TestEntry]) -> Vec<u8> {
    let mut out = vec![list.len() as u8];
    for TestEntry {
        group,
        name,
        step,
        block,
        len,
    } in list
    {
        out.extend_from_slice(&[*group, name.len() as u8]);
        out.extend_from_slice(name.as_bytes());
        out.push(*step);
        out.extend_from_slice(block);
        out.extend_from_slice(len);
        out.extend_from_slice(&[7; 32]);
    }
    out
}

fn decode(parts: &[&[u8]]) -> Result<Index, IndexError> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(MAGIC).unwrap();
    gzip.write_all(&parts.concat()).unwrap();
    Index::decode(&gzip.finish().unwrap(), &Limits::default())
}

fn decode_entries(list: &[TestEntry]) -> Result<Index, IndexError> {
    decode(&[&members(), &groups(), &entries(list)])
}

#[test]
fn the_indexes_made_here_are_valid() {
    let index = decode_entries(&[pod("p", 1, 100), pod("q", 3, 100)]).unwrap();
    assert_eq!(index.iter().count(), 2);
    assert_eq!(index.member_range(0), Some(0..100));
    assert_eq!(
        (index.member_range(1), index.member_raw_len(1)),
        (None, None)
    );
}

#[test]
fn places_that_cannot_be() {
    let huge = HUGE.to_vec();
    let cases = [
        ("on the header", vec![pod("p", 0, 1)]),
        (
            "on top of another",
            vec![pod("p", 1, 100), pod("q", 1, 100)],
        ),
        (
            "on the header of the next",
            vec![pod("p", 1, 100), pod("q", 2, 100)]
                .into_iter()
                .rev()
                .collect(),
        ),
        (
            "no room for a header between",
            vec![pod("p", 1, 127), pod("q", 2, 1)]
                .into_iter()
                .rev()
                .collect(),
        ),
        ("behind the member", vec![pod("p", 4, 1)]),
        (
            "over the end",
            vec![TestEntry {
                len: vec![0xf1, 0x0b],
                ..pod("p", 1, 0)
            }],
        ),
        (
            "length overflow",
            vec![TestEntry {
                len: huge.clone(),
                ..pod("p", 1, 0)
            }],
        ),
        (
            "no such member",
            vec![TestEntry {
                step: 1,
                ..pod("p", 1, 1)
            }],
        ),
    ];
    for (what, list) in cases {
        let result = decode_entries(&list);
        assert!(
            matches!(&result, Err(IndexError::Place { .. })),
            "{what}: {result:?}"
        );
    }
    let overflow = [TestEntry {
        block: huge,
        ..pod("p", 0, 1)
    }];
    assert!(matches!(
        decode_entries(&overflow),
        Err(IndexError::Damaged { .. })
    ));
}

#[test]
fn counts_that_cannot_be() {
    let announce = |count: &[u8]| decode(&[count]);
    assert!(matches!(
        announce(&HUGE),
        Err(IndexError::TooMany {
            section: "members",
            ..
        })
    ));
    // Within the limit, but more than there are bytes for.
    let result = announce(&[0xff, 0xff, 0xff, 0x7f]);
    assert!(
        matches!(
            result,
            Err(IndexError::Damaged {
                section: "members",
                ..
            })
        ),
        "{result:?}"
    );
    let result = decode(&[&members(), &[0xff, 0xff, 0x7f]]);
    assert!(
        matches!(
            result,
            Err(IndexError::Damaged {
                section: "groups",
                ..
            })
        ),
        "{result:?}"
    );
    let result = decode(&[&members(), &HUGE]);
    assert!(
        matches!(
            result,
            Err(IndexError::TooMany {
                section: "groups",
                ..
            })
        ),
        "{result:?}"
    );
    let result = decode(&[&members(), &groups(), &[0xff, 0x7f]]);
    assert!(
        matches!(
            result,
            Err(IndexError::Damaged {
                section: "entries",
                ..
            })
        ),
        "{result:?}"
    );
}

#[test]
fn lengths_that_overflow() {
    let mut lens = vec![2];
    for _ in 0..2 {
        lens.extend_from_slice(&HUGE);
        lens.push(1);
    }
    assert!(matches!(
        decode(&[&lens]),
        Err(IndexError::Damaged {
            section: "members",
            ..
        })
    ));
    let too_large = [&[1, 1][..], &HUGE].concat();
    assert!(matches!(
        decode(&[&too_large]),
        Err(IndexError::Damaged {
            section: "members",
            ..
        })
    ));
    let endless = [0xff; 11];
    assert!(matches!(
        decode(&[&endless]),
        Err(IndexError::Damaged { .. })
    ));
}

#[test]
fn names_that_cannot_be() {
    for name in ["..", "a/b", "a%b", "nul\0"] {
        let result = decode_entries(&[pod(name, 1, 1)]);
        assert!(
            matches!(&result, Err(IndexError::Key { .. })),
            "{name:?}: {result:?}"
        );
    }
    let mut unknown = pod("p", 1, 1);
    unknown.group = 1;
    assert!(matches!(
        decode_entries(&[unknown]),
        Err(IndexError::Damaged { .. })
    ));
    let mut climbing = groups();
    let end = climbing.len();
    climbing[end - 1] = b'/';
    let result = decode(&[&members(), &climbing, &entries(&[])]);
    assert!(matches!(result, Err(IndexError::Key { .. })), "{result:?}");
    let mut flags = groups();
    flags[1] = 4;
    assert!(matches!(
        decode(&[&members(), &flags]),
        Err(IndexError::Damaged { .. })
    ));
}

#[test]
fn objects_listed_twice() {
    let result = decode_entries(&[pod("p", 1, 100), pod("p", 3, 100)]);
    assert!(
        matches!(&result, Err(IndexError::Duplicate(_))),
        "{result:?}"
    );
    // Two groups of the same content do not help.
    let twice = [&[2][..], &groups()[1..], &groups()[1..]].concat();
    let mut second = pod("p", 3, 100);
    second.group = 1;
    let result = decode(&[&members(), &twice, &entries(&[pod("p", 1, 100), second])]);
    assert!(
        matches!(&result, Err(IndexError::Duplicate(_))),
        "{result:?}"
    );
}

#[test]
fn other_files() {
    assert!(matches!(
        Index::decode(b"", &Limits::default()),
        Err(IndexError::Unpack(_) | IndexError::Magic)
    ));
    assert!(matches!(
        Index::decode(b"PK", &Limits::default()),
        Err(IndexError::Unpack(_))
    ));
    let result = decode(&[&members(), &groups(), &entries(&[]), b"more"]);
    assert!(
        matches!(result, Err(IndexError::Trailing { bytes: 4 })),
        "{result:?}"
    );
    let limits = Limits {
        index_bytes: 10,
        ..Limits::default()
    };
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(MAGIC).unwrap();
    let bytes = gzip.finish().unwrap();
    assert!(matches!(
        Index::decode(&bytes, &limits),
        Err(IndexError::Unpack(_))
    ));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(b"ark-index 2\n").unwrap();
    let bytes = gzip.finish().unwrap();
    assert!(matches!(
        Index::decode(&bytes, &Limits::default()),
        Err(IndexError::Magic)
    ));
}

#[test]
fn entries_are_checked_against_the_member_they_are_given() {
    let index = decode_entries(&[pod("p", 1, 100)]).unwrap();
    let entry = index.iter().next().unwrap();
    assert!(matches!(
        entry.json(&[0; 520]),
        Err(IndexError::OutOfMember { raw_len: 520, .. })
    ));
    assert!(matches!(
        entry.json(&[0; 700]),
        Err(IndexError::Checksum { .. })
    ));
}
