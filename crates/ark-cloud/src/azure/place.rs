//! The clouds of Azure and their addresses.

use super::File;

/// A cloud of Azure's. Addresses have no slash at their end.
#[derive(Debug)]
pub struct Place {
    /// As in `AZURE_CLOUD_NAME`.
    pub name: &'static str,
    /// Below it are the storage accounts.
    pub accounts: &'static str,
    /// Gives tokens.
    pub authority: &'static str,
    /// Manages everything.
    pub management: &'static str,
}

const PLACES: [Place; 3] = [
    Place {
        name: "AzurePublicCloud",
        accounts: "blob.core.windows.net",
        authority: "https://login.microsoftonline.com",
        management: "https://management.azure.com",
    },
    Place {
        name: "AzureUSGovernmentCloud",
        accounts: "blob.core.usgovcloudapi.net",
        authority: "https://login.microsoftonline.us",
        management: "https://management.usgovcloudapi.net",
    },
    Place {
        name: "AzureChinaCloud",
        accounts: "blob.core.chinacloudapi.cn",
        authority: "https://login.chinacloudapi.cn",
        management: "https://management.chinacloudapi.cn",
    },
];

/// The cloud that a credentials file names: the public one if it names none.
///
/// # Errors
/// A name of none.
pub fn place(file: &File) -> Result<&'static Place, String> {
    let name = file.get("AZURE_CLOUD_NAME").unwrap_or(PLACES[0].name);
    let known = PLACES
        .iter()
        .find(|place| place.name.eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        let names = PLACES.each_ref().map(|place| place.name).join(", ");
        format!("AZURE_CLOUD_NAME is `{name}`; known are {names}")
    })
}
