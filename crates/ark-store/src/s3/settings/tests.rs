//! Every key, its values, and what is said about wrong ones.

use super::*;

fn parse(config: &[(&str, &str)]) -> Result<Settings, String> {
    let mut location = Location::new("aws", "b");
    "main".clone_into(&mut location.name);
    for &(key, value) in config {
        location.config.insert(key.to_owned(), value.to_owned());
    }
    Settings::parse(&location).map_err(|error| error.to_string())
}

#[test]
fn nothing_is_needed() {
    let settings = parse(&[]).unwrap();
    assert!(settings.checksum && settings.verify_tls && !settings.path_style);
    assert_eq!(settings.encryption, Encryption::Default);
}

#[test]
fn what_a_private_server_needs() {
    let settings = parse(&[
        ("region", "minio"),
        ("s3ForcePathStyle", "true"),
        ("s3Url", "https://s3.example.com:9000/"),
        ("publicUrl", "https://public.example.com"),
        ("insecureSkipTLSVerify", "true"),
        ("checksumAlgorithm", ""),
        ("enableSharedConfig", "true"),
        ("signatureVersion", "4"),
        ("profile", "backups"),
        ("uploadPartSizeBytes", "16777216"),
    ])
    .unwrap();
    assert_eq!(
        settings.endpoint.as_deref(),
        Some("https://s3.example.com:9000")
    );
    assert!(settings.path_style && !settings.verify_tls && !settings.checksum);
    assert_eq!(settings.part_size, Some(16 << 20));
}

#[test]
fn encryption() {
    let managed = |algorithm: &str, key: Option<&str>| Encryption::Managed {
        algorithm: algorithm.to_owned(),
        kms_key: key.map(str::to_owned),
    };
    let of = |config: &[(&str, &str)]| parse(config).unwrap().encryption;
    assert_eq!(
        of(&[("serverSideEncryption", "AES256")]),
        managed("AES256", None)
    );
    assert_eq!(of(&[("kmsKeyId", "k")]), managed("aws:kms", Some("k")));
    assert_eq!(
        of(&[("customerKeyEncryptionFile", "/k")]),
        Encryption::CustomerFile(PathBuf::from("/k"))
    );
}

#[test]
fn refusals_name_location_key_and_what_is_allowed() {
    for (config, part) in [
        (
            &[("regoin", "x")][..],
            "no config key `regoin`; it takes checksumAlgorithm, ",
        ),
        (
            &[("s3ForcePathStyle", "yes")],
            "`s3ForcePathStyle` is `yes`, not `true` or `false`",
        ),
        (&[("s3Url", "s3.example.com")], "https://"),
        (&[("signatureVersion", "1")], "version 4 only"),
        (&[("tagging", "a=b&c")], "not KEY=VALUE&KEY=VALUE"),
        (
            &[("tagging", "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=")],
            "10 at most",
        ),
        (
            &[("serverSideEncryption", "rot13")],
            "`AES256` or `aws:kms`",
        ),
        (
            &[("kmsKeyId", "k"), ("customerKeyEncryptionFile", "/f")],
            "one of the three",
        ),
        (
            &[("customerKeyEncryptionSecret", "s/k")],
            "cannot be read from here",
        ),
        (&[("checksumAlgorithm", "SHA256")], "CRC32C"),
        (&[("uploadPartSizeBytes", "1")], "5 MiB"),
    ] {
        let text = parse(config).unwrap_err();
        assert!(
            text.starts_with("location `main`: ") && text.contains(part),
            "{text}"
        );
    }
}

#[test]
fn tags_are_escaped_once() {
    let tags = |text: &str| {
        let settings = parse(&[("tagging", text)]).unwrap();
        settings.tagging.unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(tags("team=shop&cost=1"), "team=shop&cost=1");
    assert_eq!(tags("team=a b&who=%C3%A4"), "team=a+b&who=%C3%A4");
}
