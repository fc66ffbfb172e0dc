//! Tests of the crate as a whole, and the archives they share.

#![expect(
    clippy::cast_possible_truncation,
    reason = "the archives made here are small"
)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::key::{GroupResource, ItemKey};
use crate::write::{PackOptions, Writer};

mod damage;
mod gnu_tar;
mod hostile;
mod levels;
mod round_trip;
mod spooling;

/// Any fixed time.
const MTIME: u64 = 1_700_000_000;

/// An object with the version it is archived in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sample {
    key: ItemKey,
    version: String,
    preferred: bool,
    json: Vec<u8>,
}

/// `text` is `pods shop/web` or `nodes n1`.
fn key(text: &str) -> ItemKey {
    let (kind, name) = text.split_once(' ').unwrap();
    let kind: GroupResource = kind.parse().unwrap();
    match name.split_once('/') {
        Some((namespace, name)) => ItemKey::new(kind, Some(namespace.into()), name).unwrap(),
        None => ItemKey::new(kind, None, name).unwrap(),
    }
}

fn sample(text: &str, json: &str) -> Sample {
    Sample {
        key: key(text),
        version: "v1".into(),
        preferred: true,
        json: json.into(),
    }
}

/// Archive and index.
fn pack(samples: &[Sample], member_bytes: usize) -> (Vec<u8>, Vec<u8>) {
    let options = PackOptions {
        member_bytes,
        mtime_unix: MTIME,
    };
    let mut writer = Writer::new(Vec::new(), options, 6);
    for sample in samples {
        let Sample {
            key,
            version,
            preferred,
            json,
        } = sample;
        if *preferred {
            writer.add(key, version, json).unwrap();
        } else {
            writer.add_version(key, version, json).unwrap();
        }
    }
    writer.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// Some objects of several kinds, as a cluster has them.
fn cluster() -> Vec<Sample> {
    let mut samples = vec![
        sample("namespaces shop", r#"{"kind":"Namespace"}"#),
        sample("deployments.apps shop/web", r#"{"kind":"Deployment"}"#),
        sample(
            "clusterroles.rbac.authorization.k8s.io system:controller:job",
            r#"{"rules":[]}"#,
        ),
        sample("configmaps shop/ünïcödé", r#"{"data":{"k":"日本"}}"#),
    ];
    for i in 0..40 {
        let json = format!(r#"{{"kind":"Pod","n":{i},"pad":"{}"}}"#, "x".repeat(i * 37));
        samples.push(sample(&format!("pods shop/web-{i}"), &json));
    }
    let mut beta = sample(
        "deployments.apps shop/web",
        r#"{"apiVersion":"apps/v1beta1"}"#,
    );
    (beta.version, beta.preferred) = ("v1beta1".into(), false);
    samples.push(beta);
    samples
}
