//! The files that backups and restores leave in a bucket are Velero's, byte for
//! byte where its readers look.

use serde_json::json;

use crate::site::Site;
use crate::strict;

/// Config maps so large that the tarball has several gzip members.
fn bulk(site: &Site, namespace: &str) {
    for n in 0..4 {
        let pad: String = (0..700_000_u32)
            .map(|i| {
                char::from(b'a' + u8::try_from((i.wrapping_mul(2_654_435_761) >> 13) % 26).unwrap())
            })
            .collect();
        let map = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": format!("bulk-{n}"), "namespace": namespace},
            "data": {"pad": pad},
        });
        let arguments = ["create", "-f", "-"];
        site.plane
            .kubectl_stdin(&arguments, &map.to_string())
            .unwrap();
    }
}

#[test]
fn a_backup_s_files_are_in_velero_s_form() {
    let mut site = Site::running();
    let shop = site.sample(20);
    bulk(&site, &shop);
    let spec = json!({"includedNamespaces": [shop], "includeClusterResources": true});
    site.add("Backup", "b", &spec);
    site.wait("backup/b", "{.status.phase}", "Completed");
    let files = site.files("backups/b");
    let tarball = &files["backups/b/b.tar.gz"];
    let members = tarball
        .windows(4)
        .filter(|window| *window == [0x1f, 0x8b, 8, 0])
        .count();
    assert!(members > 1, "the test wants several gzip members");
    let seen = strict::backup(&files, "b");
    let has = |kind: &str, name: &str| seen.listed.contains(&(kind.to_owned(), name.to_owned()));
    assert!(
        has("v1/ConfigMap", &format!("{shop}/item-3")),
        "{:?}",
        seen.listed
    );
    assert!(has("v1/Namespace", &shop));
    assert!(has(
        "rbac.authorization.k8s.io/v1/ClusterRole",
        "cluster-admin"
    ));
    assert_eq!(seen.results, json!({"errors": {}, "warnings": {}}));
}

#[test]
fn a_restore_s_files_are_in_velero_s_form() {
    let mut site = Site::running();
    let shop = site.sample(5);
    let copy = site.namespaces.reserve("copy");
    site.add("Backup", "b", &json!({"includedNamespaces": [shop]}));
    site.wait("backup/b", "{.status.phase}", "Completed");
    let restore = |name: &str, spec| {
        site.add("Restore", name, &spec);
        site.wait(&format!("restore/{name}"), "{.status.phase}", "Completed");
        let status = site.get(&format!("restore/{name}")).unwrap()["status"].clone();
        strict::restore(&site.files(&format!("restores/{name}")), name, &status)
    };
    let seen = restore(
        "clean",
        json!({"backupName": "b", "namespaceMapping": {&shop: &copy}}),
    );
    let created = ("v1/ConfigMap".to_owned(), format!("{copy}/item-4"));
    assert!(seen.listed.contains(&created), "{:?}", seen.listed);
    assert_eq!(seen.results, json!({"errors": {}, "warnings": {}}));

    // What differs and may not be updated is a warning about its namespace.
    let patch = r#"{"data":{"n":"changed"}}"#;
    let arguments = ["-n", &shop, "patch", "configmap/item-2", "-p", patch];
    site.plane.kubectl(&arguments).unwrap();
    let seen = restore("again", json!({"backupName": "b"}));
    let warnings = &seen.results["warnings"]["namespaces"][&shop];
    let text = warnings.to_string();
    assert!(text.contains("item-2"), "{:#}", seen.results);
}
