//! Kinds that are served in several versions.

use ark_api::BackupSpec;
use ark_archive::{Index, Limits, layout};
use ark_engine::backup::{Options, Versions};
use ark_testkit::{Namespaces, unique_name};

use super::Bench;

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: PLURAL, singular: KIND, kind: KIND}
  versions: [VERSIONS]
";
const VERSION: &str = "{name: NAME, served: true, storage: STORED, \
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}";

/// Makes a kind and one object of it called `one`.
pub(crate) fn kind(
    bench: &Bench,
    namespace: &str,
    group: &str,
    (plural, versions): (&str, &[&str]),
) {
    let each: Vec<String> = versions
        .iter()
        .map(|name| {
            let stored = (*name == versions[0]).to_string();
            VERSION.replace("NAME", name).replace("STORED", &stored)
        })
        .collect();
    let manifest = DEFINITION
        .replace("PLURAL", plural)
        .replace("GROUP", group)
        .replace("KIND", &plural[..plural.len() - 1])
        .replace("VERSIONS", &each.join(", "));
    let plane = bench.plane;
    plane
        .kubectl_stdin(&["apply", "-f", "-"], &manifest)
        .unwrap();
    let crd = format!("crd/{plural}.{group}");
    plane
        .kubectl(&["wait", "--for=condition=Established", &crd])
        .unwrap();
    let object = format!(
        "{{apiVersion: {group}/{}, kind: {}, metadata: {{name: one, namespace: {namespace}}}}}",
        versions[0],
        &plural[..plural.len() - 1]
    );
    plane.kubectl_stdin(&["apply", "-f", "-"], &object).unwrap();
}

/// Kind, version and whether it is the preferred one, of objects called `one`.
async fn stored(bench: &Bench, backup: &str) -> Vec<(String, String, bool)> {
    let index = bench
        .ports
        .store
        .read(&layout::index(backup), 1 << 30)
        .await;
    let index = Index::decode(&index.unwrap(), &Limits::default()).unwrap();
    let mut found: Vec<_> = index
        .catalog()
        .iter_all()
        .filter(|entry| entry.name == "one")
        .map(|entry| {
            let version = entry.version().unwrap_or_default().to_owned();
            (
                entry.key().group_resource.resource,
                version,
                entry.preferred(),
            )
        })
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_is_saved_and_with_the_feature_in_every_version() {
    let bench = Bench::new().await;
    let mut namespaces = Namespaces::new(bench.plane);
    let namespace = namespaces.create("versions").unwrap();
    let group = format!("{}.example.org", unique_name("versions"));
    kind(&bench, &namespace, &group, ("widgets", &["v1", "v1beta1"]));
    // The group prefers v1, where this kind does not exist.
    kind(&bench, &namespace, &group, ("gadgets", &["v1alpha1"]));
    let spec = BackupSpec {
        included_namespaces: vec![namespace],
        ..BackupSpec::default()
    };
    let row =
        |kind: &str, version: &str, preferred| (kind.to_owned(), version.to_owned(), preferred);

    bench
        .back_up("preferred", spec.clone(), &Options::default())
        .await;
    assert_eq!(
        stored(&bench, "preferred").await,
        [row("gadgets", "v1alpha1", true), row("widgets", "v1", true)]
    );
    let all = Options {
        versions: Versions::of_features(&["EnableCSI", "EnableAPIGroupVersions"]),
        ..Options::default()
    };
    let report = bench.back_up("all", spec, &all).await;
    assert_eq!(report.status.errors, 0, "{:?}", report.issues);
    assert_eq!(
        stored(&bench, "all").await,
        [
            row("gadgets", "v1alpha1", true),
            row("widgets", "v1", true),
            row("widgets", "v1beta1", false)
        ]
    );
    for plural in ["widgets", "gadgets"] {
        let crd = format!("crd/{plural}.{group}");
        bench
            .plane
            .kubectl(&["delete", &crd, "--wait=false"])
            .unwrap();
    }
}
