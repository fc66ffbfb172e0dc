//! Reading discovery documents, whole and broken.

use super::*;

const AGGREGATED_DOC: &str = r#"{"kind":"APIGroupDiscoveryList","apiVersion":"apidiscovery.k8s.io/v2","items":[
 {"metadata":{"name":"apps","creationTimestamp":null},"versions":[
   {"version":"v1","freshness":"Current","resources":[
     {"resource":"deployments","responseKind":{"group":"apps","version":"v1","kind":"Deployment"},
      "scope":"Namespaced","singularResource":"deployment","verbs":["list","get"],"shortNames":["deploy"],
      "subresources":[{"subresource":"status","verbs":["get"]}]},
     {"resource":"ghosts","responseKind":null,"scope":"Cluster"}]},
   {"version":"v1beta1","freshness":"Current","resources":[]}]},
 {"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]}]}"#;

#[test]
fn aggregated_documents_give_resources_and_name_stale_groups() {
    let found = entries("x", AGGREGATED_DOC.as_bytes()).unwrap();
    let names: Vec<_> = found.iter().map(Entry::group_version).collect();
    assert_eq!(names, ["apps/v1", "apps/v1beta1", "metrics.k8s.io/v1beta1"]);
    let resources = found[0].resources.as_ref().unwrap();
    assert_eq!(resources.len(), 1);
    assert_eq!(resources[0].group_resource(), "deployments.apps");
    assert!(resources[0].namespaced && resources[0].preferred);
    assert_eq!(resources[0].short_names, ["deploy"]);
    assert_eq!(found[1].resources, Some(Vec::new()));
    assert!(!found[1].preferred);
    assert_eq!(found[2].resources, None);
}

#[test]
fn plain_documents_leave_everything_to_ask() {
    let core = entries("x", br#"{"kind":"APIVersions","versions":["v1"]}"#).unwrap();
    assert_eq!(core[0].group_version(), "v1");
    assert_eq!(core[0].resources, None);
    let groups = br#"{"kind":"APIGroupList","groups":[{"name":"batch","versions":[
        {"groupVersion":"batch/v1","version":"v1"},{"groupVersion":"batch/v1beta1","version":"v1beta1"}]}]}"#;
    let groups = entries("x", groups).unwrap();
    assert_eq!(groups[1].group_version(), "batch/v1beta1");
    assert!(groups[0].preferred && !groups[1].preferred);
}

#[test]
fn subresources_are_dropped_from_plain_lists() {
    let list: PlainResources = serde_json::from_str(
        r#"{"resources":[{"name":"pods","kind":"Pod","namespaced":true,"verbs":["list"]},
            {"name":"pods/log","kind":"Pod","namespaced":true,"verbs":["get"]}]}"#,
    )
    .unwrap();
    let resources = list.resources("", "v1", true);
    assert_eq!(resources.len(), 1);
    assert_eq!(resources[0].plural, "pods");
}

#[test]
fn registered_groups_join_beside_their_siblings() {
    let mut found = entries("x", AGGREGATED_DOC.as_bytes()).unwrap();
    let service = |group: &str, version: &str| Service {
        group: group.to_owned(),
        version: version.to_owned(),
        remote: false,
    };
    add_registered(
        &mut found,
        &[
            service("apps", "v1"),
            service("apps", "v2"),
            service("new.io", "v1"),
        ],
    );
    let names: Vec<_> = found.iter().map(Entry::group_version).collect();
    assert_eq!(
        names,
        [
            "apps/v1",
            "apps/v1beta1",
            "apps/v2",
            "metrics.k8s.io/v1beta1",
            "new.io/v1"
        ]
    );
    assert!(!found[2].preferred);
    assert!(found[4].preferred);
}

#[test]
fn services_of_other_servers_are_told_apart() {
    let list: ApiServices = serde_json::from_str(
        r#"{"items":[{"spec":{"group":"a","version":"v1","service":{"name":"s"}}},
            {"spec":{"version":"v1"}},{"spec":{"group":"b","version":"v1","service":null}}]}"#,
    )
    .unwrap();
    let remote: Vec<_> = list.services().into_iter().map(|s| s.remote).collect();
    assert_eq!(remote, [true, false, false]);
}

#[test]
fn a_kind_of_one_old_version_is_preferred_in_it() {
    let kind = |version: &str, plural: &str| ApiResource {
        group: "acme.io".to_owned(),
        version: version.to_owned(),
        plural: plural.to_owned(),
        singular: String::new(),
        kind: plural.to_owned(),
        namespaced: true,
        verbs: Vec::new(),
        short_names: Vec::new(),
        preferred: version == "v1",
    };
    let mut resources = [
        kind("v1", "widgets"),
        kind("v1beta1", "widgets"),
        kind("v1beta1", "gadgets"),
        kind("v1alpha1", "gadgets"),
    ];
    prefer_each(&mut resources);
    assert_eq!(
        resources.map(|one| one.preferred),
        [true, false, true, false]
    );
}
