//! What the cluster of the benchmark holds: a value made from a seed, the same on
//! every machine.
//!
//! Four tenths config maps, two tenths secrets, four tenths custom resources of six
//! kinds, spread over up to 200 namespaces. Three of four objects have about
//! 1 KB of JSON as they are posted, the fourth about 10 KB. Text is words with
//! random identifiers in between, and secrets are random bytes, so that
//! compression has neither an easy nor a hopeless task.

use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// API group of the custom resources.
pub(crate) const GROUP: &str = "shop.example.com";
/// Plural and kind of the custom resources.
pub(crate) const KINDS: [(&str, &str); 6] = [
    ("caches", "Cache"),
    ("databases", "Database"),
    ("policies", "Policy"),
    ("queues", "Queue"),
    ("routes", "Route"),
    ("tenants", "Tenant"),
];
/// Prefix of every namespace.
pub(crate) const NAMESPACE_PREFIX: &str = "bench-";

const MAX_NAMESPACES: usize = 200;
const SMALL: usize = 700;
const LARGE: usize = 9_500;

const WORDS: [&str; 32] = [
    "account",
    "balance",
    "catalog",
    "delivery",
    "endpoint",
    "forward",
    "gateway",
    "handler",
    "invoice",
    "journal",
    "keepalive",
    "latency",
    "message",
    "network",
    "operator",
    "payment",
    "quantity",
    "replica",
    "session",
    "timeout",
    "upstream",
    "verify",
    "warehouse",
    "exchange",
    "yield",
    "zone",
    "buffer",
    "customer",
    "discount",
    "enabled",
    "false",
    "graceful",
];

/// A request that creates one object.
#[derive(Debug, Clone)]
pub(crate) struct Creation {
    /// Path of the collection.
    pub(crate) path: String,
    /// The object.
    pub(crate) body: Bytes,
}

/// How many objects, made from which seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DataSet {
    /// Objects in namespaces; namespaces and definitions come on top.
    pub(crate) objects: usize,
    /// Same seed, same objects.
    pub(crate) seed: u64,
}

/// Labels that every object gets besides its own.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

impl DataSet {
    /// How many namespaces.
    pub(crate) fn namespaces(self) -> usize {
        (self.objects / 100).clamp(1, MAX_NAMESPACES)
    }

    /// The definitions of the custom resources.
    pub(crate) fn definitions() -> Vec<Creation> {
        KINDS
            .iter()
            .map(|(plural, kind)| definition(plural, kind))
            .collect()
    }

    /// The namespaces.
    pub(crate) fn namespace_creations(self, labels: Labels<'_>) -> Vec<Creation> {
        (0..self.namespaces())
            .map(|number| {
                let metadata = metadata(&namespace(number), None, "platform", labels);
                let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
                Creation {
                    path: "/api/v1/namespaces".to_owned(),
                    body: bytes(&body),
                }
            })
            .collect()
    }

    /// Every object in a namespace.
    pub(crate) fn creations(self, labels: Labels<'_>) -> Vec<Creation> {
        (0..self.objects)
            .map(|index| self.creation(index, labels))
            .collect()
    }

    /// How many objects each collection gets: `config maps`, `secrets`, then each
    /// of [`KINDS`], by the path of the collection in all namespaces.
    pub(crate) fn counts(self) -> Vec<(String, usize)> {
        let mut counts = vec![
            ("/api/v1/configmaps".to_owned(), 0),
            ("/api/v1/secrets".to_owned(), 0),
        ];
        counts.extend(KINDS.map(|(plural, _)| (format!("/apis/{GROUP}/v1/{plural}"), 0)));
        for index in 0..self.objects {
            counts[kind_of(index)].1 += 1;
        }
        counts
    }

    fn creation(self, index: usize, labels: Labels<'_>) -> Creation {
        let mut random = Random::new(self.seed, index as u64);
        let namespace = namespace(index % self.namespaces());
        // Tens count too, so that every kind has objects of both sizes.
        let is_large = (index + index / 10) % 4 == 3;
        let size = if is_large { LARGE } else { SMALL };
        let name = format!("{}-{index:06}", random.word());
        let application = format!("{}-{}", random.word(), random.next() % 20);
        let metadata = metadata(&name, Some(&namespace), &application, labels);
        let kind = kind_of(index);
        let (path, body) = match kind {
            0 => config_map(&namespace, &metadata, &mut random, size),
            1 => secret(&namespace, &metadata, &mut random, size),
            other => custom_resource(&namespace, &metadata, &mut random, (size, other - 2)),
        };
        Creation {
            path,
            body: bytes(&body),
        }
    }
}

/// Index into [`DataSet::counts`].
fn kind_of(index: usize) -> usize {
    match index % 10 {
        0..4 => 0,
        4..6 => 1,
        _ => 2 + (index / 10) % KINDS.len(),
    }
}

fn namespace(number: usize) -> String {
    format!("{NAMESPACE_PREFIX}{number:03}")
}

fn metadata(name: &str, namespace: Option<&str>, application: &str, labels: Labels<'_>) -> Value {
    let mut all = Map::new();
    all.insert("app.kubernetes.io/name".to_owned(), application.into());
    all.insert("app.kubernetes.io/managed-by".to_owned(), "bench".into());
    for (key, value) in labels {
        all.insert((*key).to_owned(), (*value).into());
    }
    let mut metadata = json!({"name": name, "labels": all});
    if let Some(namespace) = namespace {
        metadata["namespace"] = namespace.into();
    }
    metadata
}

fn config_map(
    namespace: &str,
    metadata: &Value,
    random: &mut Random,
    size: usize,
) -> (String, Value) {
    let mut data = Map::new();
    for (number, part) in parts(size).into_iter().enumerate() {
        data.insert(
            format!("{}-{number}.properties", random.word()),
            random.text(part).into(),
        );
    }
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
    (format!("/api/v1/namespaces/{namespace}/configmaps"), body)
}

fn secret(namespace: &str, metadata: &Value, random: &mut Random, size: usize) -> (String, Value) {
    let mut data = Map::new();
    for (number, part) in parts(size).into_iter().enumerate() {
        // Base64 makes four characters of three bytes.
        let text = base64::engine::general_purpose::STANDARD.encode(random.bytes(part * 3 / 4));
        data.insert(format!("{}-{number}", random.word()), text.into());
    }
    let body = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data
    });
    (format!("/api/v1/namespaces/{namespace}/secrets"), body)
}

/// What a rule costs besides its text: names, punctuation, weight.
const RULE_BYTES: usize = 58;

fn custom_resource(
    namespace: &str,
    metadata: &Value,
    random: &mut Random,
    (size, kind): (usize, usize),
) -> (String, Value) {
    let (plural, kind) = KINDS[kind];
    let mut rules = Vec::new();
    let mut left = size;
    while left > 0 {
        let part = left.saturating_sub(RULE_BYTES).clamp(8, 120);
        left = left.saturating_sub(part + RULE_BYTES);
        rules.push(json!({
            "name": random.identifier(), "match": random.text(part), "weight": random.next() % 100
        }));
    }
    let body = json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": kind, "metadata": metadata,
        "spec": {"owner": random.word(), "replicas": random.next() % 9, "rules": rules},
    });
    (
        format!("/apis/{GROUP}/v1/namespaces/{namespace}/{plural}"),
        body,
    )
}

/// Sizes of the values that make up `size` bytes.
fn parts(size: usize) -> Vec<usize> {
    let count = if size > 2_000 { 8 } else { 3 };
    vec![size / count; count]
}

fn definition(plural: &str, kind: &str) -> Creation {
    let singular = kind.to_lowercase();
    let rule = json!({"type": "object", "properties": {
        "name": {"type": "string"}, "match": {"type": "string"}, "weight": {"type": "integer"},
    }});
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "owner": {"type": "string"}, "replicas": {"type": "integer"},
        "rules": {"type": "array", "items": rule},
    }}}});
    let body = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{GROUP}")},
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": {
                "plural": plural, "singular": singular, "kind": kind,
                "listKind": format!("{kind}List"),
            },
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    });
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned();
    Creation {
        path,
        body: bytes(&body),
    }
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// `SplitMix64`: small, fast, the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64, index: u64) -> Self {
        let mut random = Self(seed ^ index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn word(&mut self) -> &'static str {
        // The top five bits choose one of 32.
        let index = usize::try_from(self.next() >> 59).unwrap_or_default();
        WORDS[index]
    }

    fn identifier(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    fn text(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 20);
        while text.len() < length {
            if self.next().is_multiple_of(16) {
                text.push_str(&self.identifier());
            } else {
                text.push_str(self.word());
            }
            text.push(if self.next().is_multiple_of(8) {
                '\n'
            } else {
                ' '
            });
        }
        text.truncate(length);
        text
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_objects_and_no_name_twice() {
        let set = DataSet {
            objects: 3_000,
            seed: 1,
        };
        let (first, second) = (set.creations(&[]), set.creations(&[]));
        assert!(
            first
                .iter()
                .zip(&second)
                .all(|(a, b)| a.path == b.path && a.body == b.body)
        );
        let other = DataSet {
            objects: 3_000,
            seed: 2,
        }
        .creations(&[]);
        assert_ne!(first[0].body, other[0].body);
        let names: HashSet<_> = first
            .iter()
            .map(|creation| {
                let body: Value = serde_json::from_slice(&creation.body).unwrap();
                (creation.path.clone(), body["metadata"]["name"].to_string())
            })
            .collect();
        assert_eq!(names.len(), 3_000);
    }

    #[test]
    fn every_kind_has_small_and_large_objects_of_the_stated_sizes() {
        let set = DataSet {
            objects: 20_000,
            seed: 1,
        };
        let mut large = [0; 8];
        for (index, creation) in set.creations(&[]).iter().enumerate() {
            let length = creation.body.len();
            let is_large = length > 5_000;
            let expected = if is_large { 9_000..13_500 } else { 800..1_400 };
            assert!(
                expected.contains(&length),
                "{length} bytes: {:?}",
                creation.body
            );
            large[kind_of(index)] += usize::from(is_large);
        }
        let counts = set.counts();
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<usize>(), 20_000);
        for ((path, count), large) in counts.iter().zip(large) {
            let share = large as f64 / *count as f64;
            assert!((0.1..0.4).contains(&share), "{path}: {share}");
        }
    }
}
