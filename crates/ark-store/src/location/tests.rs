//! URLs, names of buckets, prefixes.

use super::*;

#[test]
fn s3_url_with_everything() {
    let url = "s3://backups/team%20a/x/?region=eu-west-1&endpoint=http://127.0.0.1:9&path_style=true&profile=p&credentials=/c";
    let location = Location::from_url(url).unwrap();
    assert_eq!(location.bucket, "backups");
    assert_eq!(location.prefix_path().unwrap(), "team a/x");
    assert_eq!(location.config["region"], "eu-west-1");
    assert_eq!(location.config["s3Url"], "http://127.0.0.1:9");
    assert_eq!(location.config["s3ForcePathStyle"], "true");
    assert_eq!(location.config["profile"], "p");
    assert!(matches!(location.credentials, Credentials::File(path) if path.as_os_str() == "/c"));
}

#[test]
fn gcs_urls() {
    let url = "gs://bucket/team/x?credentials=/c&endpoint=http://127.0.0.1:9";
    let location = Location::from_url(url).unwrap();
    assert_eq!(location.provider(), Ok(Provider::Gcs));
    assert_eq!(location.prefix_path().unwrap(), "team/x");
    assert_eq!(location.config["endpoint"], "http://127.0.0.1:9");
    assert!(matches!(location.credentials, Credentials::File(path) if path.as_os_str() == "/c"));
}

#[test]
fn directories() {
    for (url, path) in [
        ("/var/backups", "/var/backups"),
        ("file:///var/back%20ups", "/var/back ups"),
    ] {
        let location = Location::from_url(url).unwrap();
        assert_eq!(
            (location.provider(), &*location.bucket),
            (Ok(Provider::Directory), path)
        );
    }
    let old = Location::from_url("file:///old?layout=heptio-ark").unwrap();
    assert_eq!(old.config["layout"], "heptio-ark");
    let relative = Location::from_url("./here").unwrap();
    assert!(relative.bucket.starts_with('/') && relative.bucket.ends_with("/here"));
    assert_eq!(relative.name, "./here");
}

#[test]
fn refused_urls_say_what_is_allowed() {
    for (url, part) in [
        ("ftp://bucket", "s3://BUCKET/PREFIX"),
        ("s3:///x", "names no bucket"),
        ("", "is empty"),
        ("s3://b/%zz", "hexadecimal"),
    ] {
        let text = Location::from_url(url).unwrap_err().to_string();
        assert!(text.contains(part), "{url}: {text}");
    }
}

#[test]
fn bucket_names() {
    let name = |bucket: &str| {
        Location::new("aws", bucket)
            .bucket_name()
            .map(str::to_owned)
    };
    assert_eq!(name("/b/"), Ok("b".to_owned()));
    let arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/mine";
    assert_eq!(name(arn), Ok(arn.to_owned()));
    for (bucket, part) in [
        ("a/b", "belongs into the prefix"),
        ("//", "is empty"),
        ("a b", "character"),
    ] {
        assert!(
            name(bucket).unwrap_err().to_string().contains(part),
            "{bucket}"
        );
    }
}

#[test]
fn prefixes() {
    let prefix = |prefix: &str| {
        let mut location = Location::new("aws", "b");
        prefix.clone_into(&mut location.prefix);
        location.prefix_path().map(str::to_owned)
    };
    for (given, wanted) in [("", ""), ("/", ""), ("/a/b//", "a/b"), ("a", "a")] {
        assert_eq!(prefix(given), Ok(wanted.to_owned()));
    }
    for bad in ["a//b", "../x", "a/./b"] {
        assert!(prefix(bad).is_err(), "{bad}");
    }
}

#[test]
fn secrets_do_not_show() {
    let mut location = Location::new("aws", "b");
    for credentials in [
        Credentials::Contents(b"hidden".to_vec()),
        Credentials::Keys {
            access_key: "id".to_owned(),
            secret_key: "hidden".to_owned(),
            session_token: Some("hidden".to_owned()),
        },
    ] {
        location.credentials = credentials;
        assert!(!format!("{location:?}").contains("hidden"));
    }
}
