//! As whom: keys and tokens, and what is said when there are none.

use std::path::Path;

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::{Credentials, Location};
use ark_testkit::azure::{self, BlobServer, KEY};
use ark_testkit::fault::FaultProxy;
use ark_testkit::tokens::TokenServer;
use ark_testkit::unique_name;
use bytes::Bytes;
use serde_json::json;

use crate::container::location;

async fn kind_of_a_put(location: &Location) -> Option<StoreErrorKind> {
    let store = ark_store::open(location).await.unwrap();
    let put = store.put("k", Bytes::new(), PutMode::Replace).await;
    put.err().map(|error| error.kind)
}

#[tokio::test]
async fn the_accounts_key_is_checked() {
    let server = BlobServer::shared();
    let container = server.create_unique_container("key").unwrap();
    let mut location = location(&server.endpoint(), &container);
    assert_eq!(kind_of_a_put(&location).await, None);
    location.credentials = Credentials::Contents(b"THE_KEY=bm90IHRoZSBrZXk=".to_vec());
    assert_eq!(kind_of_a_put(&location).await, Some(StoreErrorKind::Denied));
    location.credentials = Credentials::Contents(b"ANOTHER=x".to_vec());
    let refused = ark_store::open(&location).await.err().unwrap();
    assert!(refused.to_string().contains("`THE_KEY`"), "{refused}");
    location.config.remove("storageAccountKeyEnvVar");
    let refused = ark_store::open(&location).await.err().unwrap();
    let text = refused.to_string();
    assert!(
        text.contains("useAAD") && text.contains("subscriptionId"),
        "{text}"
    );
    location.credentials = Credentials::File("/nowhere/azure".into());
    let refused = ark_store::open(&location).await.err().unwrap();
    assert_eq!(refused.kind(), StoreErrorKind::Denied);
}

/// Has the location used with tokens, not with the account's key.
fn ask_for_tokens(location: &mut Location, tokens: &TokenServer) {
    location.config.remove("storageAccountKeyEnvVar");
    let authority = format!("http://{}", tokens.authority());
    for (key, value) in [
        ("useAAD", "true"),
        ("activeDirectoryAuthorityURI", &authority),
    ] {
        location.config.insert(key.to_owned(), value.to_owned());
    }
}

/// Tries to write with a token. The emulator takes none over plain HTTP, so what it was
/// shown counts, each once.
async fn shown(tokens: &TokenServer, file: String) -> Vec<String> {
    let proxy = FaultProxy::start(&format!("http://{}", BlobServer::shared().authority()));
    let proxy = proxy.unwrap();
    let mut location = location(&format!("{}/account", proxy.url()), "tokens");
    ask_for_tokens(&mut location, tokens);
    location.credentials = Credentials::Contents(file.into_bytes());
    assert!(kind_of_a_put(&location).await.is_some());
    let requests = proxy.requests().into_iter();
    let mut shown: Vec<_> = requests
        .filter_map(|request| request.authorization)
        .collect();
    shown.dedup();
    shown
}

#[tokio::test]
async fn azure_tells_the_accounts_key_to_who_may_ask() {
    let server = BlobServer::shared();
    let container = server.create_unique_container("listed").unwrap();
    let key = |value: &str, permissions: &str| json!({"value": value, "permissions": permissions});
    let keys = json!([key("bm90IHRoaXM=", "READ"), key(KEY, "FULL")]);
    let management = TokenServer::with("for-management", &[("keys", keys)]).unwrap();
    let address = format!("http://{}", management.authority());
    let mut location = location(&server.endpoint(), &container);
    location.config.remove("storageAccountKeyEnvVar");
    for name in ["activeDirectoryAuthorityURI", "resourceManagerURI"] {
        location.config.insert(name.to_owned(), address.clone());
    }
    let file = "AZURE_SUBSCRIPTION_ID=sub\nAZURE_TENANT_ID=tenant\nAZURE_CLIENT_ID=client\n\
                AZURE_CLIENT_SECRET=secret";
    location.credentials = Credentials::Contents(file.into());
    assert_eq!(kind_of_a_put(&location).await, None);
    let questions = management.questions();
    let scope = format!(
        "scope={}%2F.default",
        address.replace(':', "%3A").replace('/', "%2F")
    );
    assert!(questions[0].body.contains(&scope), "{}", questions[0].body);
    let asked = &questions[1].head;
    assert!(
        asked.starts_with(
            "POST /subscriptions/sub/resourceGroups/backups/providers/Microsoft.Storage/\
             storageAccounts/devstoreaccount1/listKeys?"
        ) && asked.contains("Bearer for-management"),
        "{asked}"
    );
    drop(management);

    location.config.insert(
        "resourceManagerURI".to_owned(),
        "http://127.0.0.1:1".to_owned(),
    );
    let refused = ark_store::open(&location).await.err().unwrap();
    assert!(
        refused.to_string().contains("the account's key"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_server_that_checks_tokens_takes_those_for_storage() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/s3/tls");
    let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
    let server = BlobServer::start_with_tokens(&certificate, &key).unwrap();
    let container = unique_name("tokens");
    ark_store::install_tls();
    let anybody = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let url = format!("{}/{container}?restype=container", server.endpoint());
    let made = anybody
        .put(url)
        .bearer_auth(azure::token("https://storage.azure.com"))
        .header("x-ms-version", "2021-12-02")
        .send();
    assert_eq!(made.await.unwrap().status(), 201);

    for (audience, expected) in [
        ("https://storage.azure.com", None),
        ("https://management.azure.com", Some(StoreErrorKind::Denied)),
    ] {
        let tokens = TokenServer::start(&azure::token(audience)).unwrap();
        let mut location = location(&server.endpoint(), &container);
        location.ca_cert = Some(std::fs::read(folder.join("ca.pem")).unwrap());
        ask_for_tokens(&mut location, &tokens);
        let file = "AZURE_TENANT_ID=tenant\nAZURE_CLIENT_ID=client\nAZURE_CLIENT_SECRET=s";
        location.credentials = Credentials::Contents(file.into());
        assert_eq!(kind_of_a_put(&location).await, expected, "{audience}");
    }
}

#[tokio::test]
async fn a_client_shows_its_secret_for_a_token() {
    let tokens = TokenServer::start("for-the-client").unwrap();
    let file = "AZURE_TENANT_ID=tenant\nAZURE_CLIENT_ID=client\nAZURE_CLIENT_SECRET=s+cret";
    let shown = shown(&tokens, file.to_owned()).await;
    assert_eq!(shown, ["Bearer for-the-client"]);
    let question = &tokens.questions()[0];
    assert!(
        question.head.starts_with("POST /tenant/oauth2/v2.0/token"),
        "{}",
        question.head
    );
    assert!(
        question.body.contains("client_secret=s%2Bcret"),
        "{}",
        question.body
    );
}

#[tokio::test]
async fn a_client_shows_what_its_certificate_signs() {
    let tokens = TokenServer::start("for-the-client").unwrap();
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../ark-cloud/tests/azure/client.pem"
    );
    let file = format!(
        "AZURE_TENANT_ID=tenant\nAZURE_CLIENT_ID=client\nAZURE_CLIENT_CERTIFICATE_PATH={path}"
    );
    assert_eq!(shown(&tokens, file).await, ["Bearer for-the-client"]);
    let body = &tokens.questions()[0].body;
    assert!(
        body.contains("scope=https%3A%2F%2Fstorage.azure.com%2F.default"),
        "{body}"
    );
    let assertion = body
        .split('&')
        .find(|part| part.starts_with("client_assertion="));
    assert_eq!(assertion.unwrap().split('.').count(), 3, "{body}");
}

#[tokio::test]
async fn a_federated_identity_trades_its_token() {
    let tokens = TokenServer::start("for-the-pod").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let subject = dir.path().join("token");
    std::fs::write(&subject, "the-pod").unwrap();
    let file = format!(
        "AZURE_TENANT_ID=tenant\nAZURE_CLIENT_ID=client\nAZURE_FEDERATED_TOKEN_FILE={}",
        subject.display()
    );
    assert_eq!(shown(&tokens, file).await, ["Bearer for-the-pod"]);
    let body = &tokens.questions()[0].body;
    assert!(body.contains("client_assertion=the-pod"), "{body}");
}

#[tokio::test]
async fn a_container_that_is_not_there_is_told() {
    let location = location(&BlobServer::shared().endpoint(), "no-such-container");
    let store = ark_store::open(&location).await.unwrap();
    let put = store.put("k", Bytes::new(), PutMode::Create).await;
    assert_eq!(put.unwrap_err().kind, StoreErrorKind::BucketNotFound);
    let listed = store.list_dirs("backups").await;
    assert_eq!(listed.unwrap_err().kind, StoreErrorKind::BucketNotFound);
    let looked = store.stat("k").await;
    assert_eq!(looked.unwrap_err().kind, StoreErrorKind::BucketNotFound);
}
