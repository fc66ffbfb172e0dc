//! As whom: credentials files of every kind, and what is said of those that are none.

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::{Credentials, Location};
use ark_testkit::fault::FaultProxy;
use ark_testkit::gcs::GcsServer;
use ark_testkit::tokens::TokenServer;
use bytes::Bytes;
use serde_json::json;

use crate::bucket::location;

/// A key of nobody, made for these tests.
pub(crate) const KEY: &str = include_str!("account.pem");

/// A service account's file.
pub(crate) fn account(tokens: &TokenServer) -> Credentials {
    let file = json!({
        "type": "service_account",
        "client_email": "ark@project.iam.gserviceaccount.com",
        "private_key": KEY,
        "token_uri": format!("http://{}/token", tokens.authority()),
    });
    Credentials::Contents(file.to_string().into_bytes())
}

/// Writes with these credentials; every header `Authorization` that the store got. What
/// goes on with a write that was begun needs none.
async fn authorizations(credentials: Credentials) -> Vec<String> {
    let server = GcsServer::shared();
    let proxy = FaultProxy::start(&server.endpoint()).unwrap();
    let bucket = server.create_unique_bucket("credentials").unwrap();
    let mut location = location(&proxy.url(), &bucket);
    location.credentials = credentials;
    let store = ark_store::open(&location).await.unwrap();
    for key in ["k", "l"] {
        store.put(key, Bytes::new(), PutMode::Create).await.unwrap();
    }
    let requests = proxy.requests().into_iter();
    requests
        .filter_map(|request| request.authorization)
        .collect()
}

#[tokio::test]
async fn a_service_account_signs_for_a_token() {
    let tokens = TokenServer::start("for-the-account").unwrap();
    let seen = authorizations(account(&tokens)).await;
    assert_eq!(seen, ["Bearer for-the-account"; 2]);
    let questions = tokens.questions();
    assert_eq!(questions.len(), 1);
    let body = &questions[0].body;
    assert!(body.contains("jwt-bearer"), "{body}");
}

#[tokio::test]
async fn a_federated_identity_trades_its_token() {
    let tokens = TokenServer::start("for-the-pod").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let subject = dir.path().join("token");
    std::fs::write(&subject, "the-pod").unwrap();
    let file = json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("http://{}/v1/token", tokens.authority()),
        "credential_source": {"file": subject, "format": {"type": "text"}},
    });
    let path = dir.path().join("credentials.json");
    std::fs::write(&path, file.to_string()).unwrap();
    let seen = authorizations(Credentials::File(path)).await;
    assert_eq!(seen, ["Bearer for-the-pod"; 2]);
    let body = tokens.questions()[0].body.clone();
    assert!(body.contains("the-pod"), "{body}");
}

#[tokio::test]
async fn what_is_no_identity_is_refused_by_name() {
    let opened = async |location: &Location| {
        let refused = ark_store::open(location).await.err().unwrap();
        assert_eq!(refused.kind(), StoreErrorKind::Denied);
        refused.to_string()
    };
    let mut location = location("http://127.0.0.1:1", "bucket");
    location.credentials = Credentials::Contents(b"[default]\nkey=secret".to_vec());
    let error = opened(&location).await;
    assert!(
        error.contains("JSON") && !error.contains("secret"),
        "{error}"
    );
    location.credentials = Credentials::File("/nowhere/account.json".into());
    let error = opened(&location).await;
    assert!(error.contains("/nowhere/account.json"), "{error}");
}
