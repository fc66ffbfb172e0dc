//! Config keys of a snapshot location of AWS, and where EC2 is.

use ark_cloud::ConfigError;
use ark_cloud::aws::endpoint;
use reqsign_core::{Env as _, OsEnv};

use crate::location::SnapshotLocation;

const REGION: &str = "region";
const PROFILE: &str = "profile";
const SHARED: &str = "enableSharedConfig";
const KEY: &str = "ebsKmsKeyId";
const ENDPOINT: &str = "endpoint";
/// Which cluster new disks belong to, as in Velero.
const CLUSTER: &str = "AWS_CLUSTER_NAME";

/// What a location says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) region: String,
    pub(super) profile: Option<String>,
    /// EC2's URL, without a slash at its end.
    pub(super) endpoint: String,
    pub(super) key: Option<String>,
    pub(super) cluster: Option<String>,
}

impl Settings {
    pub(super) fn of(location: &SnapshotLocation) -> Result<Self, ConfigError> {
        let config = location.config("aws", &[REGION, PROFILE, SHARED, KEY, ENDPOINT])?;
        let missing = || config.refuse(REGION, "misses: write the disks' region, as `eu-west-1`");
        let region = config.text(REGION).ok_or_else(missing)?;
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !region.chars().all(word) {
            let reason = format!("is `{region}`, which is no region like `eu-west-1`");
            return Err(config.refuse(REGION, reason));
        }
        // Shared files are read wherever there is no file of the location's own.
        config.flag(SHARED)?;
        let other = config
            .url(ENDPOINT)?
            .or_else(|| endpoint(|name| OsEnv.var(name), "EC2"));
        Ok(Self {
            endpoint: other.unwrap_or_else(|| own(&region)),
            profile: config.text(PROFILE),
            key: config.text(KEY),
            cluster: OsEnv.var(CLUSTER).filter(|name| !name.is_empty()),
            region,
        })
    }
}

/// Amazon's own address.
fn own(region: &str) -> String {
    let suffix = match region.split_once('-') {
        Some(("cn", _)) => "amazonaws.com.cn",
        _ => "amazonaws.com",
    };
    format!("https://ec2.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use ark_cloud::Credentials;

    use super::*;

    fn read(config: &[(&str, &str)]) -> Result<Settings, String> {
        let config = config.iter();
        let location = SnapshotLocation {
            name: "disks".to_owned(),
            provider: "aws".to_owned(),
            config: config
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            credentials: Credentials::Ambient,
        };
        Settings::of(&location).map_err(|error| error.to_string())
    }

    #[test]
    fn each_region_has_an_address_unless_another_is_given() {
        let of = |config: &[(&str, &str)]| read(config).unwrap().endpoint;
        assert_eq!(
            of(&[("region", "eu-west-1")]),
            "https://ec2.eu-west-1.amazonaws.com"
        );
        assert_eq!(
            of(&[("region", "cn-north-1")]),
            "https://ec2.cn-north-1.amazonaws.com.cn"
        );
        let given = [("region", "here"), ("endpoint", "http://10.0.0.1:5000/")];
        assert_eq!(of(&given), "http://10.0.0.1:5000");
    }

    #[test]
    fn refusals_name_location_key_and_what_is_allowed() {
        insta::assert_yaml_snapshot!(
            [
                read(&[]),
                read(&[("region", "eu west")]),
                read(&[("region", "here"), ("endpoint", "here")]),
                read(&[("region", "here"), ("zone", "a")]),
                read(&[("region", "here"), ("enableSharedConfig", "perhaps")]),
            ]
            .map(Result::unwrap_err)
        );
    }
}
