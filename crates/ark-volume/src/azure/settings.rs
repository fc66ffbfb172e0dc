//! Config keys of a snapshot location of Azure's, with what the credentials file says.

use std::time::Duration;

use ark_api::GoDuration;
use ark_cloud::azure::{File, place};
use ark_engine::port::Tags;

use super::id::Group;
use crate::location::SnapshotLocation;
use crate::open::OpenError;

const TIMEOUT: &str = "apiTimeout";
const GROUP: &str = "resourceGroup";
const SUBSCRIPTION: &str = "subscriptionId";
const INCREMENTAL: &str = "incremental";
const TAGS: &str = "tags";
const AUTHORITY: &str = "activeDirectoryAuthorityURI";
const ENDPOINT: &str = "endpoint";
/// Velero's time for what takes long.
const USUAL: Duration = Duration::from_mins(2);

/// What a location says. Addresses have no slash at their end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// How long something may take to be made or deleted.
    pub(super) timeout: Duration,
    /// The subscription of the disks.
    pub(super) subscription: String,
    /// Where new disks are, if not where their snapshots' disks were.
    pub(super) disks: Option<Group>,
    /// Where new snapshots are, if not beside their disks.
    pub(super) snapshots: Option<Group>,
    /// That of `snapshots`, which may be named without a group.
    pub(super) snapshot_subscription: String,
    /// Whether snapshots keep but the difference to the one before.
    pub(super) incremental: bool,
    /// What snapshots are tagged with besides.
    pub(super) tags: Tags,
    /// Gives tokens.
    pub(super) authority: String,
    /// What tokens are for.
    pub(super) management: &'static str,
    /// Azure Resource Manager.
    pub(super) endpoint: String,
}

impl Settings {
    pub(super) fn of(location: &SnapshotLocation, file: &File) -> Result<Self, OpenError> {
        let keys = [
            TIMEOUT,
            GROUP,
            SUBSCRIPTION,
            INCREMENTAL,
            TAGS,
            AUTHORITY,
            ENDPOINT,
        ];
        let config = location.config("azure", &keys)?;
        let refuse = |key: &str, why: String| OpenError::from(config.refuse(key, why));
        let place = place(file).map_err(|reason| OpenError::credentials(location, reason))?;
        let own = file.get_or_env("AZURE_SUBSCRIPTION_ID");
        let named = config.text(SUBSCRIPTION);
        let Some(subscription) = own.or_else(|| named.clone()) else {
            let missing = "name no subscription: write AZURE_SUBSCRIPTION_ID into the file, or \
                           set the config key `subscriptionId`";
            return Err(OpenError::credentials(location, missing));
        };
        let group = config.text(GROUP);
        if named.is_some() && group.is_none() {
            let why = "needs `resourceGroup` beside it, which is in that subscription".to_owned();
            return Err(refuse(SUBSCRIPTION, why));
        }
        let timeout = match config.text(TIMEOUT) {
            None => USUAL,
            Some(text) => {
                let parsed = text.parse::<GoDuration>().ok();
                let positive = parsed
                    .map(GoDuration::to_std)
                    .filter(|time| !time.is_zero());
                positive.ok_or_else(|| {
                    refuse(
                        TIMEOUT,
                        format!("is `{text}`, not a time like `2m` or `90s`"),
                    )
                })?
            }
        };
        let snapshot_subscription = named.unwrap_or_else(|| subscription.clone());
        let disks = file.get_or_env("AZURE_RESOURCE_GROUP");
        Ok(Self {
            timeout,
            disks: disks.map(|group| Group::new(&subscription, &group)),
            snapshots: group.map(|group| Group::new(&snapshot_subscription, &group)),
            subscription: subscription.to_lowercase(),
            snapshot_subscription: snapshot_subscription.to_lowercase(),
            incremental: config.text(INCREMENTAL).is_none() || config.flag(INCREMENTAL)?,
            tags: tags(&config.text(TAGS).unwrap_or_default()).map_err(|why| refuse(TAGS, why))?,
            authority: config
                .url(AUTHORITY)?
                .unwrap_or_else(|| place.authority.to_owned()),
            management: place.management,
            endpoint: config
                .url(ENDPOINT)?
                .unwrap_or_else(|| place.management.to_owned()),
        })
    }
}

/// `k=v,k=v`.
fn tags(text: &str) -> Result<Tags, String> {
    let parts = text.split(',').map(str::trim);
    let pairs = parts.filter(|part| !part.is_empty()).map(|part| {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("has `{part}`, which is no NAME=VALUE"))?;
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use ark_cloud::Credentials;

    use super::*;

    fn of(config: &[(&str, &str)], file: &[(&str, &str)]) -> Result<Settings, String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let location = SnapshotLocation {
            name: "disks".to_owned(),
            provider: "azure".to_owned(),
            config: config.iter().map(own).collect(),
            credentials: Credentials::Ambient,
        };
        let file = file.iter().copied().collect();
        Settings::of(&location, &file).map_err(|error| error.to_string())
    }

    const FILE: [(&str, &str); 2] = [
        ("AZURE_SUBSCRIPTION_ID", "Sub"),
        ("AZURE_RESOURCE_GROUP", "Mc_Shop"),
    ];

    #[test]
    fn file_and_config_say_where_disks_and_snapshots_are() {
        let usual = of(&[], &FILE).unwrap();
        assert_eq!(usual.disks, Some(Group::new("sub", "mc_shop")));
        assert_eq!((usual.snapshots, usual.incremental), (None, true));
        assert_eq!(usual.endpoint, "https://management.azure.com");
        assert_eq!(usual.timeout, Duration::from_mins(2));
        let other = [
            ("subscriptionId", "Vault"),
            ("resourceGroup", "Safe"),
            ("incremental", "false"),
            ("tags", "team=shop, cost = a=b"),
            ("apiTimeout", "5m30s"),
        ];
        let other = of(&other, &FILE).unwrap();
        assert_eq!(other.snapshots, Some(Group::new("vault", "safe")));
        assert_eq!(other.subscription, "sub");
        assert_eq!(other.snapshot_subscription, "vault");
        assert!(!other.incremental);
        assert_eq!(other.tags["cost"], "a=b");
        assert_eq!(other.timeout, Duration::from_secs(330));
        let china = [FILE[0], ("AZURE_CLOUD_NAME", "AzureChinaCloud")];
        let china = of(&[], &china).unwrap();
        assert_eq!(china.endpoint, "https://management.chinacloudapi.cn");
        assert_eq!(china.authority, "https://login.chinacloudapi.cn");
    }

    #[test]
    fn refusals_name_location_and_key() {
        for (config, file, words) in [
            (&[][..], &[][..], "AZURE_SUBSCRIPTION_ID"),
            (&[("subscriptionId", "s")], &[], "`resourceGroup`"),
            (&[("apiTimeout", "soon")], &FILE, "`soon`"),
            (&[("apiTimeout", "0s")], &FILE, "`0s`"),
            (&[("tags", "team")], &FILE, "`team`"),
            (&[("incremental", "perhaps")], &FILE, "`perhaps`"),
            (&[("region", "eastus")], &FILE, "`region`"),
            (&[], &[FILE[0], ("AZURE_CLOUD_NAME", "Mars")], "`Mars`"),
        ] {
            let error = of(config, file).unwrap_err();
            assert!(error.contains("disks") && error.contains(words), "{error}");
        }
    }
}
