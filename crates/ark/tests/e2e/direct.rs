//! `--direct`: the same backup and restore with nothing installed.

use ark_testkit::fault::{Fault, FaultProxy, Rule};
use ark_testkit::s3::S3Server;
use ark_testkit::{ControlPlane, Namespaces};

use super::{ark, config_maps, many_config_maps};

/// What it says on standard error.
fn run(plane: &ControlPlane, arguments: &[&str]) -> String {
    let access = S3Server::shared().access();
    let output = ark(plane, "heptio-ark")
        .env("AWS_ACCESS_KEY_ID", &access.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &access.secret_key)
        .args(arguments)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "ark {arguments:?}: {}\n{errors}",
        output.status
    );
    errors
}

/// Backs a namespace up to `bucket` and restores it under another name.
fn there_and_back(bucket: &str) {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let source = namespaces.create("direct").unwrap();
    let target = namespaces.reserve("direct-back");
    many_config_maps(plane, &source, 50);
    run(
        plane,
        &[
            "backup",
            "create",
            "one",
            "--direct",
            "--to",
            bucket,
            "--include-namespaces",
            &source,
        ],
    );
    let mapping = format!("{source}:{target}");
    run(
        plane,
        &[
            "restore",
            "create",
            "--direct",
            "--from",
            bucket,
            "--from-backup",
            "one",
            "--namespace-mappings",
            &mapping,
        ],
    );
    assert_eq!(config_maps(plane, &target), config_maps(plane, &source));
}

#[test]
fn a_directory_is_enough() {
    let bucket = tempfile::tempdir().unwrap();
    there_and_back(bucket.path().to_str().unwrap());
}

#[test]
fn a_store_that_fails_for_a_while_is_told_and_waited_for() {
    let plane = ControlPlane::shared();
    let server = S3Server::shared();
    let access = server.access();
    let bucket = server.create_unique_bucket("direct").unwrap();
    let proxy = FaultProxy::start(&access.endpoint).unwrap();
    proxy.add(
        Rule::new("/velero-backup.json", Fault::SlowDown)
            .method("PUT")
            .first(2),
    );
    let to = format!(
        "s3://{bucket}?endpoint={}&region={}&path_style=true",
        proxy.url(),
        access.region
    );
    let create = ["backup", "create", "slow", "--direct", "--to", &to];
    let options = ["--include-resources", "priorityclasses"];
    let told = run(plane, &[&create[..], &options].concat());
    assert_eq!(proxy.faults(), 2);
    assert_eq!(told.matches("trying again").count(), 2, "{told}");
}

#[test]
fn so_is_an_s3_server() {
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket("direct").unwrap();
    let access = server.access();
    there_and_back(&format!(
        "s3://{bucket}/some/prefix?endpoint={}&region={}&path_style=true",
        access.endpoint, access.region
    ));
}
