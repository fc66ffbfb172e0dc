//! What is written comes back, whichever way it is read.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{MTIME, Sample, cluster, key, pack, sample};
use crate::index::{Index, unpack_member};
use crate::key::{GroupResource, ItemKey};
use crate::layout;
use crate::limits::Limits;
use crate::metadata::FormatVersion;
use crate::read::{ReadError, scan};
use crate::spool::Spool;
use crate::write::{PackOptions, Packer, WriteError};

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9][-a-z0-9.]{0,20}",
        1 => "system:[a-z]{1,8}:[a-z]{1,8}",
        1 => "[a-z]{90,110}",
        1 => "[a-z.]{250,400}".prop_filter("dots only", |n| n.contains(|c| c != '.')),
        1 => "[a-zäöü日本\\\\ ]{1,30}",
        1 => "[a-z]{1,5}\\.json",
    ]
}

fn item_key() -> impl Strategy<Value = ItemKey> {
    let kind = prop_oneof![
        Just(("pods", "")),
        Just(("deployments", "apps")),
        Just(("namespaces", "")),
        Just(("clusters", "cluster.namespaces.example.org")),
        Just((
            "wombats",
            "a-rather-long-group-name.of-some-operator.example.com"
        )),
    ];
    (kind, prop::option::of(name()), name()).prop_map(|((resource, group), namespace, name)| {
        ItemKey::new(
            GroupResource::new(resource, group).unwrap(),
            namespace,
            name,
        )
        .unwrap()
    })
}

fn json() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        5 => any::<String>(),
        1 => "[a-z]{3000,9000}",
    ]
    .prop_map(|text| serde_json::to_vec(&serde_json::json!({ "text": text })).unwrap())
}

/// Any objects; some of them a second time in another version.
fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let item = (
        "v[1-3](beta[1-9])?",
        json(),
        prop::option::weighted(0.2, json()),
    );
    prop::collection::btree_map(item_key(), item, 0..40)
        .prop_map(|map| {
            let mut samples = Vec::new();
            for (key, (version, json, other)) in map {
                if let Some(json) = other {
                    let (key, version) = (key.clone(), "v0alpha1".to_owned());
                    samples.push(Sample {
                        key,
                        version,
                        preferred: false,
                        json,
                    });
                }
                samples.push(Sample {
                    key,
                    version,
                    preferred: true,
                    json,
                });
            }
            samples
        })
        .prop_shuffle()
}

fn read_through_index(archive: &[u8], index: &Index) -> Vec<Sample> {
    let member = |number| {
        let range = index.member_range(number).unwrap();
        let bytes = &archive[range.start as usize..range.end as usize];
        unpack_member(bytes, index.member_raw_len(number).unwrap()).unwrap()
    };
    let members: Vec<_> = (0..index.member_count()).map(member).collect();
    let entries = index.catalog().iter_all().map(|entry| Sample {
        key: entry.key(),
        version: entry.version().unwrap().to_owned(),
        preferred: entry.preferred(),
        json: entry
            .json(&members[entry.member as usize])
            .unwrap()
            .to_vec(),
    });
    entries.collect()
}

/// By path in the archive.
fn read_by_scan(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let summary = scan(
        archive,
        &Limits::default(),
        |entry| -> Result<(), ReadError> {
            let path = match &entry.version {
                Some(version) => layout::item_version_path(&entry.key, version, entry.preferred),
                None => layout::item_path(&entry.key),
            };
            files.insert(path, entry.json.to_vec());
            Ok(())
        },
    )
    .unwrap();
    assert_eq!(summary.items, files.len() as u64);
    assert_eq!(summary.format_version, Some(FormatVersion::CURRENT));
    assert_eq!(summary.warnings, []);
    files
}

fn expected_files(samples: &[Sample]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for Sample {
        key,
        version,
        preferred,
        json,
    } in samples
    {
        files.insert(
            layout::item_version_path(key, version, *preferred),
            json.clone(),
        );
        if *preferred {
            files.insert(layout::item_path(key), json.clone());
        }
    }
    files
}

fn check(samples: &[Sample], member_bytes: usize) {
    let (archive, index) = pack(samples, member_bytes);
    let index = Index::decode(&index, &Limits::default()).unwrap();
    assert_eq!(index.archive_len(), archive.len() as u64);
    assert_eq!(read_through_index(&archive, &index), samples);
    assert_eq!(read_by_scan(&archive), expected_files(samples));

    let dir = tempfile::tempdir().unwrap();
    let spool = Spool::build(archive.as_slice(), dir.path(), &Limits::default()).unwrap();
    let spooled = spool.catalog().iter_all().map(|entry| Sample {
        key: entry.key(),
        version: entry.version().unwrap().to_owned(),
        preferred: entry.preferred(),
        json: spool.read(&entry).unwrap(),
    });
    assert_eq!(spooled.collect::<Vec<_>>(), samples);

    let preferred: Vec<_> = samples
        .iter()
        .filter(|s| s.preferred)
        .map(|s| &s.key)
        .collect();
    for catalog in [index.catalog(), spool.catalog()] {
        let listed: Vec<_> = catalog.iter().map(|entry| entry.key()).collect();
        assert_eq!(listed.iter().collect::<Vec<_>>(), preferred);
        for Sample { key, version, .. } in samples {
            assert_eq!(catalog.find(key).unwrap().key(), *key);
            assert_eq!(
                catalog.find_version(key, version).unwrap().version(),
                Some(&**version)
            );
        }
        let by_kind = catalog
            .group_resources()
            .into_iter()
            .flat_map(|kind| catalog.iter_kind(kind));
        let mut sorted: Vec<_> = preferred.iter().map(|key| (*key).clone()).collect();
        sorted.sort();
        assert_eq!(by_kind.map(|entry| entry.key()).collect::<Vec<_>>(), sorted);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_objects_come_back(
        samples in samples(),
        member_bytes in prop_oneof![Just(1), Just(5000), Just(1 << 20)],
    ) {
        check(&samples, member_bytes);
    }
}

#[test]
fn nothing_comes_back_as_nothing() {
    check(&[], 1 << 20);
}

#[test]
fn a_cluster_comes_back() {
    check(&cluster(), 4096);
}

#[test]
fn an_object_larger_than_a_member_stays_whole() {
    let large = format!(r#"{{"blob":"{}"}}"#, "0123456789".repeat(40_000));
    let samples = [
        sample("pods a/small", "{}"),
        sample("secrets a/large", &large),
    ];
    let (_, index) = pack(&samples, 10_000);
    let index = Index::decode(&index, &Limits::default()).unwrap();
    let entry = index.find(&key("secrets a/large")).unwrap();
    assert!(index.member_raw_len(entry.member).unwrap() > 2 * 400_000);
    check(&samples, 10_000);
}

#[test]
fn absent_objects_are_not_found() {
    let (_, index) = pack(&cluster(), 4096);
    let index = Index::decode(&index, &Limits::default()).unwrap();
    for absent in [
        "pods shop/web",
        "pods shop/web-99",
        "pods other/web-1",
        "nodes web-1",
    ] {
        assert!(index.find(&key(absent)).is_none(), "{absent}");
    }
    assert!(
        index
            .catalog()
            .find_version(&key("pods shop/web-1"), "v2")
            .is_none()
    );
}

#[test]
fn members_compressed_in_any_order_make_the_same_archive() {
    let samples = cluster();
    let (archive, index) = pack(&samples, 4096);

    let mut packer = Packer::new(PackOptions {
        member_bytes: 4096,
        mtime_unix: MTIME,
    });
    let mut raw = Vec::new();
    for Sample {
        key,
        version,
        preferred,
        json,
    } in &samples
    {
        let full = if *preferred {
            packer.add(key, version, json).unwrap()
        } else {
            packer.add_version(key, version, json).unwrap()
        };
        raw.extend(full);
    }
    let mut finished = packer.finish();
    raw.push(finished.last);
    assert!(raw.len() > 3, "the test needs several members");
    let mut members: Vec<_> = raw
        .into_iter()
        .rev()
        .map(|m| m.compress(6).unwrap())
        .collect();
    members.sort_by_key(|member| member.seq);
    let mut again = Vec::new();
    for member in members {
        finished
            .index
            .place(member.seq, member.bytes.len() as u64)
            .unwrap();
        again.extend(member.bytes);
    }
    assert_eq!(again, archive);
    assert_eq!(finished.index.encode().unwrap(), index);
}

#[test]
fn the_index_wants_each_member_once_and_in_order() {
    let mut packer = Packer::new(PackOptions {
        member_bytes: 1,
        mtime_unix: MTIME,
    });
    packer.add(&key("pods a/b"), "v1", b"{}").unwrap().unwrap();
    let mut index = packer.finish().index;
    assert!(index.encode().is_err());
    assert!(index.place(1, 10).is_err());
    index.place(0, 10).unwrap();
    assert!(index.place(0, 10).is_err());
    index.place(1, 10).unwrap();
    assert!(index.place(2, 10).is_err());
    index.encode().unwrap();
}

#[test]
fn the_writer_refuses_what_readers_would() {
    let mut packer = Packer::new(PackOptions::default());
    let pod = key("pods a/b");
    packer.add(&pod, "v1", b"{}").unwrap();
    let refused = packer.add(&pod, "v2", b"{}");
    assert!(matches!(refused, Err(WriteError::Duplicate { path }) if path.ends_with("a/b.json")));
    assert!(packer.add_version(&pod, "v1", b"{}").is_ok());
    assert!(packer.add_version(&pod, "v1", b"{}").is_err());
    for json in [&b""[..], b"[]", b"null", b"{", b"\"{}\""] {
        let refused = packer.add(&key("pods a/c"), "v1", json);
        assert!(
            matches!(refused, Err(WriteError::NotAnObject { .. })),
            "{json:?}"
        );
    }
    let mut climbing = pod.clone();
    climbing.namespace = Some("../..".into());
    assert!(matches!(
        packer.add(&climbing, "v1", b"{}"),
        Err(WriteError::Key { .. })
    ));
    assert!(packer.add(&key("pods a/d"), "apps/v1", b"{}").is_err());
    let huge = vec![b' '; 65 << 20];
    assert!(matches!(
        packer.add(&key("pods a/e"), "v1", &huge),
        Err(WriteError::TooLarge { .. })
    ));
    assert_eq!(packer.finish().index.entry_count(), 2);
}

#[derive(Debug)]
enum Stop {
    Enough,
    Read(ReadError),
}
impl From<ReadError> for Stop {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

#[test]
fn the_visitor_can_end_a_scan() {
    let (archive, _) = pack(&cluster(), 4096);
    let mut seen = 0;
    let stopped = scan(archive.as_slice(), &Limits::default(), |_| {
        seen += 1;
        if seen == 3 { Err(Stop::Enough) } else { Ok(()) }
    });
    assert!(matches!(stopped, Err(Stop::Enough)), "{stopped:?}");
    assert_eq!(seen, 3);
    let read = scan(&b"not gzip"[..], &Limits::default(), |_| Ok(()));
    assert!(
        matches!(&read, Err(Stop::Read(ReadError::Unpack(_)))),
        "{read:?}"
    );
}

#[test]
fn paths_in_the_archive() {
    let samples = [
        sample("namespaces shop", "{}"),
        sample("pods shop/web-0", "{}"),
        sample("deployments.apps shop/web", "{}"),
        Sample {
            version: "v1beta1".into(),
            preferred: false,
            ..sample("deployments.apps shop/web", "{}")
        },
        sample("clusterroles.rbac.authorization.k8s.io system:node", "{}"),
    ];
    let (archive, _) = pack(&samples, 1 << 20);
    let mut paths = vec![layout::VERSION_PATH.to_owned()];
    paths.extend(read_by_scan(&archive).into_keys());
    paths.sort();
    insta::assert_snapshot!(paths.join("\n"), @r"
    metadata/version
    resources/clusterroles.rbac.authorization.k8s.io/cluster/system:node.json
    resources/clusterroles.rbac.authorization.k8s.io/v1-preferredversion/cluster/system:node.json
    resources/deployments.apps/namespaces/shop/web.json
    resources/deployments.apps/v1-preferredversion/namespaces/shop/web.json
    resources/deployments.apps/v1beta1/namespaces/shop/web.json
    resources/namespaces/cluster/shop.json
    resources/namespaces/v1-preferredversion/cluster/shop.json
    resources/pods/namespaces/shop/web-0.json
    resources/pods/v1-preferredversion/namespaces/shop/web-0.json
    ");
}
