//! Hosts and styles, opening without a server.

use super::*;
use ark_cloud::Credentials;

fn location(bucket: &str, config: &[(&str, &str)]) -> Location {
    let mut location = Location::new("velero.io/aws", bucket);
    for &(key, value) in config {
        location.config.insert(key.to_owned(), value.to_owned());
    }
    location.credentials = Credentials::Keys {
        access_key: "id".to_owned(),
        secret_key: "secret".to_owned(),
        session_token: None,
    };
    location
}

async fn signed(bucket: &str, config: &[(&str, &str)]) -> String {
    let store = crate::open(&location(bucket, config)).await.unwrap();
    store
        .sign("a b/ü", std::time::Duration::from_mins(1))
        .await
        .unwrap()
}

#[tokio::test]
async fn the_url_has_the_configured_style_and_host() {
    let region = ("region", "eu-west-1");
    for (bucket, config, start) in [
        (
            "b",
            &[region][..],
            "https://b.s3.eu-west-1.amazonaws.com/a%20b/%C3%BC?",
        ),
        (
            "b",
            &[region, ("s3ForcePathStyle", "true")],
            "https://s3.eu-west-1.amazonaws.com/b/a%20b/",
        ),
        ("b.c", &[region], "https://s3.eu-west-1.amazonaws.com/b.c/"),
        (
            "b",
            &[region, ("s3Url", "https://minio.example.com/")],
            "https://b.minio.example.com/a%20b",
        ),
        (
            "b",
            &[region, ("s3Url", "http://127.0.0.1:9")],
            "http://127.0.0.1:9/b/",
        ),
        (
            "b",
            &[
                region,
                ("s3Url", "http://127.0.0.1:9"),
                ("publicUrl", "https://public.example.com"),
            ],
            "https://public.example.com/b/a%20b/%C3%BC?",
        ),
        (
            "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine",
            &[],
            "https://mine-123456789012.s3-accesspoint.eu-west-1.amazonaws.com/a%20b/",
        ),
    ] {
        let url = signed(bucket, config).await;
        assert!(url.starts_with(start), "{url}");
        assert!(
            url.contains("X-Amz-Expires=60") && url.contains("eu-west-1"),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_bad_access_point_a_bad_key_and_a_missing_file_are_refused() {
    let error = |location: Location| async move {
        crate::open(&location)
            .await
            .err()
            .map(|error| error.to_string())
            .unwrap()
    };
    let text = error(location("arn:aws:s3:eu-west-1:1:object/x", &[])).await;
    assert!(text.contains("accesspoint/NAME"), "{text}");

    let mut short = location(
        "b",
        &[("region", "x"), ("customerKeyEncryptionSecret", "s/k")],
    );
    short.customer_key = Some(b"short".to_vec());
    assert!(error(short).await.contains("5 bytes instead of 32"));

    let mut missing = location("b", &[("region", "x")]);
    missing.credentials = Credentials::File("/does/not/exist".into());
    assert!(error(missing).await.contains("/does/not/exist"));

    let mut certificate = location("b", &[("region", "x")]);
    certificate.ca_cert = Some(b"no PEM".to_vec());
    assert!(error(certificate).await.contains("no certificate"));
}
