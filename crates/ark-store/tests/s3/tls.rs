//! HTTPS with a certificate that no system trusts: `caCert` and
//! `insecureSkipTLSVerify`, and what is said without them.
//!
//! `tls/` holds a test authority's certificate (its key is gone) and one that it
//! signed for 127.0.0.1, both good for a hundred years.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ark_engine::port::{PutMode, StoreErrorKind};
use ark_store::Location;
use bytes::Bytes;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::bucket::{create, location};

const AUTHORITY: &[u8] = include_bytes!("tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("tls/server.pem");
const KEY: &[u8] = include_bytes!("tls/server.key");

/// Takes TLS off before a server that speaks without; ends with the runtime.
async fn terminate(upstream: String) -> String {
    ark_store::install_tls();
    let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, upstream) = (acceptor.clone(), upstream.clone());
            tokio::spawn(async move {
                // A client that refuses the certificate is what one test is about.
                let Ok(mut client) = acceptor.accept(client).await else {
                    return;
                };
                let mut server = TcpStream::connect(upstream).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    format!("https://{address}")
}

async fn put(location: &Location) -> Option<ark_engine::port::StoreError> {
    let store = ark_store::open(location).await.unwrap();
    store
        .put("k", Bytes::from_static(b"x"), PutMode::Replace)
        .await
        .err()
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_given_and_only_then() {
    let (server, bucket) = create("tls");
    let upstream = server
        .access()
        .endpoint
        .trim_start_matches("http://")
        .to_owned();
    let endpoint = terminate(upstream).await;
    let mut location = location(&server.access().through(&endpoint), &bucket);

    let started = Instant::now();
    let error = put(&location).await.unwrap();
    assert_eq!(error.kind, StoreErrorKind::Config, "{error}");
    assert!(
        error.message.contains("certificate is not trusted"),
        "{error}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "asked again in vain"
    );

    location.ca_cert = Some(AUTHORITY.to_vec());
    assert_eq!(put(&location).await.map(|error| error.to_string()), None);

    location.ca_cert = None;
    let skip = "insecureSkipTLSVerify".to_owned();
    location.config.insert(skip, "true".to_owned());
    assert_eq!(put(&location).await.map(|error| error.to_string()), None);
}
