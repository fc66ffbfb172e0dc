//! The keys of a storage account, as Azure's management tells them to whoever may ask.
//!
//! Source: "Storage Accounts - List Keys" of the Azure Storage resource provider.

use ark_cloud::azure::answer;
use serde::Deserialize;

use crate::azure::settings::Management;

const VERSION: &str = "2023-05-01";

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    value: String,
    permissions: Option<String>,
}

/// The first key that may write.
pub(crate) async fn first(
    http: &reqwest::Client,
    (management, account): (&Management, &str),
    token: &str,
) -> Result<String, String> {
    let Management {
        address,
        subscription,
        group,
    } = management;
    let url = format!(
        "{address}/subscriptions/{subscription}/resourceGroups/{group}/providers/\
         Microsoft.Storage/storageAccounts/{account}/listKeys?api-version={VERSION}"
    );
    let request = http
        .post(url)
        .header("Authorization", format!("Bearer {token}"))
        // Azure wants the length of nothing told.
        .body("");
    let keys: Keys = answer(request).await.map_err(|error| error.message)?;
    let may_write = |key: &Key| {
        let permissions = key.permissions.as_deref().unwrap_or("FULL");
        permissions.eq_ignore_ascii_case("full")
    };
    let mut keys = keys.keys.into_iter();
    match keys.find(may_write) {
        Some(key) => Ok(key.value),
        None => Err(format!("the account `{account}` has no key that may write")),
    }
}
