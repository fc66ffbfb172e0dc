//! Loading kubeconfigs: what is wrong is named.

use std::error::Error as _;
use std::io::Write as _;

use super::*;

const KUBECONFIG: &str = "
apiVersion: v1
kind: Config
current-context: a
clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1/'}}]
users: [{name: u, user: {token: t}}]
contexts:
- {name: a, context: {cluster: c, user: u, namespace: shop}}
- {name: b, context: {cluster: c, user: u}}
- {name: broken, context: {cluster: nowhere, user: u}}
";

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn options(file: &tempfile::NamedTempFile) -> ConnectOptions {
    ConnectOptions {
        kubeconfig: Some(file.path().to_path_buf()),
        ..ConnectOptions::default()
    }
}

#[tokio::test]
async fn the_context_gives_server_and_namespace() {
    let file = file(KUBECONFIG);
    let connection = Connection::from_options(&options(&file)).await.unwrap();
    assert_eq!(connection.server(), "http://127.0.0.1:1");
    assert_eq!(connection.default_namespace(), "shop");

    let other = ConnectOptions {
        context: Some("b".to_owned()),
        ..options(&file)
    };
    let connection = Connection::from_options(&other).await.unwrap();
    assert_eq!(connection.default_namespace(), "default");
}

#[tokio::test]
async fn an_unknown_context_names_the_known_ones() {
    let file = file(KUBECONFIG);
    let wanted = ConnectOptions {
        context: Some("z".to_owned()),
        ..options(&file)
    };
    let error = Connection::from_options(&wanted).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no context `z` in the kubeconfig; it has: a, b, broken"
    );
}

#[tokio::test]
async fn a_context_without_its_cluster_is_refused() {
    let file = file(KUBECONFIG);
    let wanted = ConnectOptions {
        context: Some("broken".to_owned()),
        ..options(&file)
    };
    let error = Connection::from_options(&wanted).await.unwrap_err();
    assert!(matches!(error, ConnectError::Context(_)), "{error:?}");
}

#[tokio::test]
async fn a_missing_file_is_named() {
    let missing = ConnectOptions {
        kubeconfig: Some(PathBuf::from("/nonexistent/kubeconfig")),
        ..ConnectOptions::default()
    };
    let error = Connection::from_options(&missing).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/kubeconfig"));
    assert!(error.source().is_some());
}

#[tokio::test]
async fn a_file_without_current_context_asks_for_one() {
    let text = KUBECONFIG.replace("current-context: a", "");
    let file = file(&text);
    let error = Connection::from_options(&options(&file)).await.unwrap_err();
    assert!(matches!(error, ConnectError::NoContext { .. }), "{error:?}");
}
