//! The objects in a backup, by way of the server and straight from the bucket.

use ark_testkit::{ControlPlane, Namespaces};

use super::{Installation, many_config_maps};

#[test]
fn a_backup_is_searched_by_way_of_the_server_and_in_its_bucket() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let ark = Installation::new(plane, bucket.path());
    let mut namespaces = Namespaces::new(plane);
    let source = namespaces.create("inside").unwrap();
    many_config_maps(plane, &source, 40);
    let create = ["backup", "create", "b", "--wait", "--include-namespaces"];
    ark.ark(&[&create[..], &[&source]].concat());

    let from = ["--from", bucket.path().to_str().unwrap()];
    let both = |verb: &[&str]| {
        let served = ark.ark(verb);
        let direct = ark.ark(&[verb, &from].concat());
        assert_eq!(served, direct);
        served
    };
    let found = both(&["backup", "ls", "b", "cm/item-0003?", "-o", "name"]);
    assert_eq!(found.lines().count(), 10, "{found}");
    assert!(found.starts_with("configmaps/item-00030\n"), "{found}");
    let object = both(&["backup", "cat", "b", "cm/item-00031", "-o", "json"]);
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    assert_eq!(object["kind"], "ConfigMap");
    assert_eq!(object["metadata"]["namespace"], source);

    let absent = ark.try_ark(&["backup", "cat", "b", "cm/absent"]);
    assert_eq!(absent.status.code(), Some(1));
    let unknown = ark.try_ark(&["backup", "ls", "unknown"]);
    assert!(
        String::from_utf8(unknown.stderr)
            .unwrap()
            .contains("unknown")
    );
}
