//! The config keys of the provider `azure`, as Velero's plugin has them, together with
//! what the credentials file says of the cloud.

use crate::heptio::LAYOUT_KEY;
use crate::location::Location;
use crate::open::OpenError;
use ark_cloud::azure::{File, Place, place};
use ark_cloud::{Config, ConfigError};

/// Those of Velero's plugin; `layout` and `resourceManagerURI` are ours.
const KEYS: [&str; 10] = [
    "activeDirectoryAuthorityURI",
    "blockSizeInBytes",
    LAYOUT_KEY,
    "resourceGroup",
    "resourceManagerURI",
    "storageAccount",
    "storageAccountKeyEnvVar",
    "storageAccountURI",
    "subscriptionId",
    "useAAD",
];

/// What a location says.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) account: String,
    /// `https://ACCOUNT.blob.core.windows.net`, or where the location says.
    pub(crate) endpoint: String,
    /// Who gives tokens.
    pub(crate) authority: String,
    /// Which name of the credentials file has the account's key.
    pub(crate) key_variable: Option<String>,
    pub(crate) use_aad: bool,
    pub(crate) block_size: Option<usize>,
    /// Where the account's key can be asked for, if the location says enough.
    pub(crate) management: Option<Management>,
}

/// The account's place in Azure's management.
#[derive(Debug)]
pub(crate) struct Management {
    pub(crate) address: String,
    pub(crate) subscription: String,
    pub(crate) group: String,
}

impl Settings {
    pub(crate) fn parse(location: &Location, file: &File) -> Result<Self, OpenError> {
        let config = location.config("azure", &KEYS)?;
        let Some(account) = config.text("storageAccount") else {
            return Err(config
                .refuse("storageAccount", "is missing; it names the account")
                .into());
        };
        let place = place(file).map_err(|reason| OpenError::credentials(location, reason))?;
        let endpoint = match config.text("storageAccountURI") {
            // A host alone will do, as in Velero.
            Some(uri) if !uri.contains("://") => format!("https://{}", uri.trim_end_matches('/')),
            Some(_) => config.url("storageAccountURI")?.unwrap_or_default(),
            None => format!("https://{account}.{}", place.accounts),
        };
        let authority = config
            .url("activeDirectoryAuthorityURI")?
            .unwrap_or_else(|| place.authority.to_owned());
        Ok(Self {
            account,
            endpoint,
            authority,
            key_variable: config.text("storageAccountKeyEnvVar"),
            use_aad: config.flag("useAAD")?,
            // Azure takes 4000 MiB; what is held in memory is several blocks.
            block_size: config.size("blockSizeInBytes", 1 << 20..=1 << 30)?,
            management: management(&config, file, place)?,
        })
    }
}

fn management(
    config: &Config<'_>,
    file: &File,
    place: &Place,
) -> Result<Option<Management>, ConfigError> {
    let of_file = |name: &str| file.get(name).map(str::to_owned);
    let address = config.url("resourceManagerURI")?;
    let subscription = config.text("subscriptionId");
    let group = config.text("resourceGroup");
    let both = subscription
        .or_else(|| of_file("AZURE_SUBSCRIPTION_ID"))
        .zip(group.or_else(|| of_file("AZURE_RESOURCE_GROUP")));
    Ok(both.map(|(subscription, group)| Management {
        address: address.unwrap_or_else(|| place.management.to_owned()),
        subscription,
        group,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(config: &[(&str, &str)], file: &[(&str, &str)]) -> Result<Settings, String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let mut location = Location::new("azure", "c");
        location.config = config.iter().map(own).collect();
        let file = file.iter().copied().collect();
        Settings::parse(&location, &file).map_err(|error| error.to_string())
    }

    #[test]
    fn the_cloud_decides_over_hosts() {
        let of = |cloud: &str| {
            let settings = parse(&[("storageAccount", "a")], &[("AZURE_CLOUD_NAME", cloud)]);
            settings.map(|settings| (settings.endpoint, settings.authority))
        };
        let china = (
            "https://a.blob.core.chinacloudapi.cn",
            "https://login.chinacloudapi.cn",
        );
        let (host, authority) = of("AZURECHINACLOUD").unwrap();
        assert_eq!((&*host, &*authority), china);
        assert_eq!(of("").unwrap().0, "https://a.blob.core.windows.net");
        assert!(of("Mars").unwrap_err().contains("AzureUSGovernmentCloud"));
    }

    #[test]
    fn keys_are_checked() {
        let uri = |uri: &str| {
            let config = [("storageAccount", "a"), ("storageAccountURI", uri)];
            parse(&config, &[]).map(|settings| settings.endpoint)
        };
        assert_eq!(
            uri("a.blob.example.net/"),
            Ok("https://a.blob.example.net".to_owned())
        );
        assert_eq!(
            uri("http://127.0.0.1:1/a/"),
            Ok("http://127.0.0.1:1/a".to_owned())
        );
        assert!(uri("ftp://x").unwrap_err().contains("storageAccountURI"));
        assert!(
            parse(&[], &[])
                .unwrap_err()
                .contains("`storageAccount` is missing")
        );
        let odd = parse(&[("storageAccount", "a"), ("blockSizeInBytes", "5")], &[]);
        assert!(odd.unwrap_err().contains("1 MiB"));
    }
}
