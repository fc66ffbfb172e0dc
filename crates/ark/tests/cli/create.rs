//! The objects that flags make, with every flag of the verbs.

use crate::show;

#[test]
fn a_backup_of_everything() {
    insta::assert_snapshot!(show(&["backup", "create", "all", "-o", "yaml"]));
}

#[test]
fn a_backup_with_every_flag() {
    insta::assert_snapshot!(show(&[
        "backup",
        "create",
        "full",
        "--namespace=backups",
        "--include-namespaces=shop,bank",
        "--include-namespaces=mail",
        "--exclude-namespaces=shop-test",
        "--include-resources=pods,deployments.apps",
        "--exclude-resources=events",
        "--include-cluster-resources",
        "--selector=app=web,tier in (a, b),!legacy",
        "--labels=team=red,stage=prod",
        "--annotations=note=a=b",
        "--ttl=72h30m",
        "--storage-location=offsite",
        "--volume-snapshot-locations=aws-1,gcp-1",
        "--snapshot-volumes=false",
        "--snapshot-move-data=true",
        "--data-mover=velero",
        "--default-volumes-to-fs-backup=F",
        "--csi-snapshot-timeout=20m",
        "--item-operation-timeout=2h",
        "--resource-policies-configmap=policies",
        "--parallel-files-upload=4",
        "--ordered-resources=pods=shop/a,shop/b;persistentvolumes=v1",
        "--output=yaml",
    ]));
}

#[test]
fn a_backup_by_scope() {
    insta::assert_snapshot!(show(&[
        "create",
        "backup",
        "scoped",
        "--include-cluster-scoped-resources=nodes",
        "--exclude-cluster-scoped-resources=persistentvolumes",
        "--include-namespace-scoped-resources=pods",
        "--exclude-namespace-scoped-resources=secrets",
        "--or-selector=app=web or app=db",
        "-o",
        "json",
    ]));
}

#[test]
fn a_schedule_with_every_flag() {
    insta::assert_snapshot!(show(&[
        "schedule",
        "create",
        "nightly",
        "--schedule=CRON_TZ=Europe/Berlin 0 3 * * mon-fri",
        "--use-owner-references-in-backup",
        "--paused=true",
        "--skip-immediately=false",
        "--include-namespaces=shop,bank",
        "--exclude-resources=events",
        "--selector=app=web",
        "--labels=team=red",
        "--annotations=note=x",
        "--ttl=72h",
        "--storage-location=offsite",
        "--snapshot-volumes=false",
        "--ordered-resources=pods=shop/a",
        "-o",
        "yaml",
    ]));
}

#[test]
fn a_schedule_with_the_verb_first() {
    insta::assert_snapshot!(show(&[
        "create",
        "schedule",
        "often",
        "--schedule",
        "@every 6h",
        "--skip-immediately",
        "true",
        "-o",
        "json",
    ]));
}

#[test]
fn a_restore_with_every_flag() {
    insta::assert_snapshot!(show(&[
        "restore",
        "create",
        "again",
        "--from-backup=full",
        "--include-namespaces=shop",
        "--exclude-namespaces=bank",
        "--include-resources=pods",
        "--exclude-resources=events",
        "--include-cluster-resources=false",
        "--selector=app=web",
        "--namespace-mappings=shop:shop-test,a:b",
        "--existing-resource-policy=update",
        "--preserve-nodeports",
        "--status-include-resources=workflows",
        "--status-exclude-resources=jobs",
        "--resource-modifier-configmap=rules",
        "--restore-volumes=true",
        "--zone-mappings=eu-1a:eu-1b,eu-1c:eu-1b",
        "--write-sparse-files",
        "--parallel-files-download=2",
        "--item-operation-timeout=1h",
        "--labels=team=red",
        "--annotations=note=x",
        "-o",
        "yaml",
    ]));
}

#[test]
fn a_restore_is_named_after_its_source_and_the_time() {
    for flag in ["--from-backup=nightly", "--from-schedule=nightly"] {
        let text = show(&["create", "restore", flag, "-o", "json"]);
        let name = text.split("\"name\": \"nightly-").nth(1).expect(&text);
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        assert_eq!(digits.len(), 14, "{text}");
    }
}

#[test]
fn a_location_with_every_flag() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("ca.pem"), "certificates").unwrap();
    insta::assert_snapshot!(crate::show_in(
        home.path(),
        &[
            "backup-location",
            "create",
            "offsite",
            "--provider=aws",
            "--bucket=backups",
            "--prefix=cluster-1",
            "--config=region=eu-1,s3Url=https://s3.example.com",
            "--config=s3ForcePathStyle=true",
            "--credential=storage=cloud",
            "--cacert=ca.pem",
            "--access-mode=ReadOnly",
            "--default",
            "--backup-sync-period=5m",
            "--validation-frequency=0s",
            "--labels=team=red",
            "-o",
            "yaml",
        ]
    ));
}

#[test]
fn the_namespace_comes_from_the_client_configuration() {
    let home = tempfile::tempdir().unwrap();
    let set = crate::show_in(
        home.path(),
        &["client", "config", "set", "namespace=elsewhere"],
    );
    assert_eq!(set, "exit code: 0\n----- stdout\n----- stderr\n");
    let created = crate::show_in(home.path(), &["backup", "create", "x", "-o", "yaml"]);
    assert!(created.contains("namespace: elsewhere\n"), "{created}");
    let flag = crate::show_in(
        home.path(),
        &["backup", "create", "x", "-o", "yaml", "-n", "flag"],
    );
    assert!(flag.contains("namespace: flag\n"), "{flag}");
    insta::assert_snapshot!(crate::show_in(
        home.path(),
        &["client", "config", "get", "namespace", "features"]
    ));
}
