//! `--direct`: the same backup and restore with nothing installed.

use ark_testkit::aws::AwsServer;
use ark_testkit::azure::{self, BlobServer};
use ark_testkit::fault::{Fault, FaultProxy, Rule};
use ark_testkit::gcs::GcsServer;
use ark_testkit::s3::S3Server;
use ark_testkit::tokens::TokenServer;
use ark_testkit::{ControlPlane, Namespaces, http, unique_name};
use serde_json::json;

use super::{ark, config_maps, many_config_maps};

type Variable = (&'static str, String);

/// Ambient credentials for the S3 server.
fn keys() -> Vec<Variable> {
    let access = S3Server::shared().access();
    vec![
        ("AWS_ACCESS_KEY_ID", access.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", access.secret_key.clone()),
    ]
}

/// What it says on standard error.
fn run(plane: &ControlPlane, environment: &[Variable], arguments: &[&str]) -> String {
    let output = ark(plane, "heptio-ark")
        .envs(environment.iter().cloned())
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
fn there_and_back(bucket: &str, environment: &[Variable]) {
    let plane = ControlPlane::shared();
    let mut namespaces = Namespaces::new(plane);
    let source = namespaces.create("direct").unwrap();
    let target = namespaces.reserve("direct-back");
    many_config_maps(plane, &source, 50);
    run(
        plane,
        environment,
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
        environment,
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
    there_and_back(bucket.path().to_str().unwrap(), &[]);
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
    let told = run(plane, &keys(), &[&create[..], &options].concat());
    assert_eq!(proxy.faults(), 2);
    assert_eq!(told.matches("trying again").count(), 2, "{told}");
}

#[test]
fn so_is_an_s3_server() {
    let server = S3Server::shared();
    let bucket = server.create_unique_bucket("direct").unwrap();
    let access = server.access();
    let url = format!(
        "s3://{bucket}/some/prefix?endpoint={}&region={}&path_style=true",
        access.endpoint, access.region
    );
    there_and_back(&url, &keys());
}

#[test]
fn so_is_google_cloud_storage_as_the_machine_itself() {
    let server = GcsServer::shared();
    let bucket = server.create_unique_bucket("direct").unwrap();
    let metadata = TokenServer::start("of-the-machine").unwrap();
    let proxy = FaultProxy::start(&server.endpoint()).unwrap();
    let url = format!("gs://{bucket}/some/prefix?endpoint={}", proxy.url());
    there_and_back(&url, &[("GCE_METADATA_HOST", metadata.authority())]);
    let question = &metadata.questions()[0].head;
    assert!(
        question.starts_with("GET /computeMetadata/v1/instance/service-accounts/default/token"),
        "{question}"
    );
    let mut shown = proxy.requests().into_iter().filter_map(|r| r.authorization);
    assert!(shown.all(|shown| shown == "Bearer of-the-machine"));
}

#[test]
fn so_is_azure_blob_storage_as_the_machine_itself() {
    let server = BlobServer::shared();
    let container = server.create_unique_container("direct").unwrap();
    let keys = json!([{"value": azure::KEY, "permissions": "FULL"}]);
    // The metadata server of the machine, and Azure's management.
    let machine = TokenServer::with("of-the-machine", &[("keys", keys)]).unwrap();
    let address = format!("http://{}", machine.authority());
    let url = format!(
        "azblob://{container}/some/prefix?storageAccount={}&storageAccountURI={}\
         &resourceManagerURI={address}&subscriptionId=sub&resourceGroup=group",
        azure::ACCOUNT,
        server.endpoint()
    );
    let metadata = format!("{address}/metadata/identity/oauth2/token");
    there_and_back(&url, &[("AZURE_IMDS_ENDPOINT", metadata)]);
    let questions = machine.questions();
    let [token, keys] = [&questions[0].head, &questions[1].head].map(|head| head.to_lowercase());
    let asked = "get /metadata/identity/oauth2/token?api-version=2018-02-01&resource=";
    assert!(token.starts_with(asked), "{token}");
    assert!(token.contains("\r\nmetadata: true\r\n"), "{token}");
    assert!(
        keys.starts_with("post /subscriptions/sub/resourcegroups/group/"),
        "{keys}"
    );
    assert!(
        keys.contains("\r\nauthorization: bearer of-the-machine\r\n"),
        "{keys}"
    );
}

#[test]
fn so_is_s3_with_the_keys_of_a_container() {
    // Its keys are nobody's, so the server must not check them.
    let server = AwsServer::start_unchecked().unwrap();
    let endpoint = server.endpoint();
    let bucket = unique_name("direct");
    let authority = endpoint.strip_prefix("http://").unwrap();
    let made = http::request(authority, "PUT", &format!("/{bucket}"), &[], b"").unwrap();
    assert_eq!(made.status, 200);
    let agent = TokenServer::with(
        "",
        &[
            ("AccessKeyId", json!("OF-THE-CONTAINER")),
            ("SecretAccessKey", json!("secret")),
            ("Token", json!("session")),
            ("Expiration", json!("2099-01-01T00:00:00Z")),
        ],
    )
    .unwrap();
    let proxy = FaultProxy::start(&endpoint).unwrap();
    let url = format!(
        "s3://{bucket}/some/prefix?endpoint={}&region=us-east-1&path_style=true",
        proxy.url()
    );
    let credentials = format!("http://{}/v1/credentials", agent.authority());
    let environment = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of-the-pod".to_owned()),
    ];
    there_and_back(&url, &environment);
    let question = agent.questions()[0].head.to_lowercase();
    assert!(question.starts_with("get /v1/credentials "), "{question}");
    assert!(
        question.contains("\r\nauthorization: of-the-pod\r\n"),
        "{question}"
    );
    let mut shown = proxy.requests().into_iter().filter_map(|r| r.authorization);
    assert!(shown.all(|shown| shown.contains("Credential=OF-THE-CONTAINER/")));
}
