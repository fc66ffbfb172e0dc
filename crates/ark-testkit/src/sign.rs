//! AWS Signature Version 4 in headers, for the few requests that tests make
//! without a client.
//!
//! Source: "Authenticating Requests: Using the Authorization Header" in the Amazon
//! S3 API reference.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

/// Who signs, for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signature<'a> {
    /// `HOST:PORT`, as the `Host` header has it.
    pub(crate) authority: &'a str,
    /// The service, such as `s3`.
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) access_key: &'a str,
    pub(crate) secret_key: &'a str,
}

/// The headers of a signed request, `Host` among them.
pub(crate) fn headers(
    access: Signature<'_>,
    method: &str,
    target: &str,
    body: &[u8],
) -> Vec<(String, String)> {
    sign(
        access,
        method,
        target,
        &hex::encode(Sha256::digest(body)),
        &now(),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "servers refuse signatures of another time than the true one"
)]
fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

fn sign(
    access: Signature<'_>,
    method: &str,
    target: &str,
    digest: &str,
    time: &str,
) -> Vec<(String, String)> {
    const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";
    let host = access.authority;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let canonical = format!(
        "{method}\n{path}\n{query}\nhost:{host}\nx-amz-content-sha256:{digest}\n\
         x-amz-date:{time}\n\n{SIGNED}\n{digest}"
    );
    let day = &time[..8];
    let scope = format!("{day}/{}/{}/aws4_request", access.region, access.service);
    let hashed = hex::encode(Sha256::digest(&canonical));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{hashed}");
    let mut key = format!("AWS4{}", access.secret_key).into_bytes();
    for part in [day, access.region, access.service, "aws4_request"] {
        key = hmac(&key, part);
    }
    let signature = hex::encode(hmac(&key, &text));
    let key = access.access_key;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={SIGNED}, Signature={signature}"
    );
    [
        ("Host", host),
        ("x-amz-content-sha256", digest),
        ("x-amz-date", time),
        ("Authorization", &authorization),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(text).finalize().into_bytes().to_vec(),
        Err(_) => unreachable!("HMAC takes keys of any length"),
    }
}
