//! The one request that tests make without a client: a container is made.
//!
//! Source: "Authorize with Shared Key" in the REST reference of Azure Storage.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{ACCOUNT, KEY};

const VERSION: &str = "2021-12-02";

/// The headers of `PUT /ACCOUNT/CONTAINER?restype=container`, `Host` among them.
pub(super) fn headers(authority: &str, container: &str) -> Result<Vec<(String, String)>> {
    let date = now();
    // Eleven standard headers, all absent, then ours, then what is asked for: the
    // account stands in the path, too.
    let text = format!(
        "PUT{}x-ms-date:{date}\nx-ms-version:{VERSION}\n/{ACCOUNT}/{ACCOUNT}/{container}\n\
         restype:container",
        "\n".repeat(12)
    );
    let key = STANDARD.decode(KEY).context("the key is not base64")?;
    let mac = Hmac::<Sha256>::new_from_slice(&key).context("the key makes no HMAC")?;
    let signature = STANDARD.encode(mac.chain_update(text).finalize().into_bytes());
    Ok([
        ("Host", authority),
        ("x-ms-date", &date),
        ("x-ms-version", VERSION),
        ("Authorization", &format!("SharedKey {ACCOUNT}:{signature}")),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into())
}

#[expect(
    clippy::disallowed_methods,
    reason = "servers refuse signatures of another time than the true one"
)]
fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}
