//! The config keys of the provider `azure`, as Velero's plugin has them, together with
//! what the credentials file says of the cloud.

use crate::azure::file::File;
use crate::config::Config;
use crate::heptio::LAYOUT_KEY;
use crate::location::Location;
use crate::open::OpenError;

const KEYS: [&str; 9] = [
    "activeDirectoryAuthorityURI",
    "blockSizeInBytes",
    LAYOUT_KEY,
    "resourceGroup",
    "storageAccount",
    "storageAccountKeyEnvVar",
    "storageAccountURI",
    "subscriptionId",
    "useAAD",
];

/// Names as in `AZURE_CLOUD_NAME`, hosts of accounts, hosts that give tokens.
const CLOUDS: [(&str, &str, &str); 3] = [
    (
        "AzurePublicCloud",
        "blob.core.windows.net",
        "https://login.microsoftonline.com",
    ),
    (
        "AzureUSGovernmentCloud",
        "blob.core.usgovcloudapi.net",
        "https://login.microsoftonline.us",
    ),
    (
        "AzureChinaCloud",
        "blob.core.chinacloudapi.cn",
        "https://login.chinacloudapi.cn",
    ),
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
}

impl Settings {
    pub(crate) fn parse(location: &Location, file: &File) -> Result<Self, OpenError> {
        let config = Config::new(location, "azure", &KEYS)?;
        let Some(account) = config.text("storageAccount") else {
            return Err(config.refuse("storageAccount", "is missing; it names the account"));
        };
        let (host, authority) = cloud(&config, file)?;
        let endpoint = match config.text("storageAccountURI") {
            // A host alone will do, as in Velero.
            Some(uri) if !uri.contains("://") => format!("https://{}", uri.trim_end_matches('/')),
            Some(_) => config.url("storageAccountURI")?.unwrap_or_default(),
            None => format!("https://{account}.{host}"),
        };
        let authority = config
            .url("activeDirectoryAuthorityURI")?
            .unwrap_or_else(|| authority.to_owned());
        Ok(Self {
            account,
            endpoint,
            authority,
            key_variable: config.text("storageAccountKeyEnvVar"),
            use_aad: config.flag("useAAD")?,
            // Azure takes 4000 MiB; what is held in memory is several blocks.
            block_size: config.size("blockSizeInBytes", 1 << 20..=1 << 30)?,
        })
    }
}

fn cloud(config: &Config<'_>, file: &File) -> Result<(&'static str, &'static str), OpenError> {
    let name = file.get("AZURE_CLOUD_NAME").map_or("", String::as_str);
    let known = |name: &str| {
        let mut clouds = CLOUDS.iter();
        clouds.find(|(known, ..)| known.eq_ignore_ascii_case(name))
    };
    let name = if name.is_empty() { CLOUDS[0].0 } else { name };
    match known(name) {
        Some((_, host, authority)) => Ok((host, authority)),
        None => Err(OpenError::Credentials {
            location: config.location.name.clone(),
            reason: format!(
                "AZURE_CLOUD_NAME is `{name}`; known are {}",
                CLOUDS.map(|(name, ..)| name).join(", ")
            ),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(config: &[(&str, &str)], file: &[(&str, &str)]) -> Result<Settings, String> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let mut location = Location::new("azure", "c");
        location.config = config.iter().map(own).collect();
        let file = file.iter().map(own).collect();
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
