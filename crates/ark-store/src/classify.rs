//! A client error → what can be done about it, and the store's own words.
//!
//! The only place that looks at error codes of S3.

use std::error::Error as _;
use std::fmt::Write as _;

use ark_engine::port::{StoreError, StoreErrorKind};
use opendal::{Error, ErrorKind};

/// Codes that mean: not with these credentials.
const DENIED: [&str; 7] = [
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "XAdminUserNotFound",
];

/// Codes that mean: not with this region, endpoint, bucket or encryption.
const CONFIG: [&str; 8] = [
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "IllegalLocationConstraintException",
    "InvalidBucketName",
    "InvalidArgument",
    "InvalidRequest",
    "KMS.NotFoundException",
    "NotImplemented",
];

/// Codes that mean: later. `SlowDown` and its kind have a kind of their own.
const PASSING: [&str; 4] = [
    "InternalError",
    "RequestTimeout",
    "ServiceUnavailable",
    "OperationAborted",
];

/// How the client begins what it says when no answer came, or not all of it.
const UNANSWERED: [&str; 6] = [
    "send http request",
    "read data from http response",
    "http response got too little data",
    "operation timeout reached",
    "io operation timeout reached",
    "write part timeout",
];

/// The store's error for a failed call on `key` (or a listing's prefix).
pub(crate) fn classify(operation: &'static str, key: &str, error: &Error) -> StoreError {
    StoreError {
        kind: kind(error),
        operation,
        key: key.to_owned(),
        message: message(error),
    }
}

fn kind(error: &Error) -> StoreErrorKind {
    let code = code(error.message()).unwrap_or_default();
    match error.kind() {
        ErrorKind::NotFound => StoreErrorKind::NotFound,
        ErrorKind::PermissionDenied => StoreErrorKind::Denied,
        ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists => StoreErrorKind::AlreadyExists,
        ErrorKind::ConfigInvalid if code == "NoSuchBucket" => StoreErrorKind::BucketNotFound,
        ErrorKind::ConfigInvalid => StoreErrorKind::Config,
        ErrorKind::Unsupported => StoreErrorKind::Unsupported,
        ErrorKind::RangeNotSatisfied => StoreErrorKind::Truncated,
        ErrorKind::RateLimited | ErrorKind::Conflict => StoreErrorKind::Unavailable,
        _ if DENIED.contains(&code) => StoreErrorKind::Denied,
        _ if CONFIG.contains(&code) => StoreErrorKind::Config,
        _ if is_beyond_the_end(error) => StoreErrorKind::Truncated,
        _ if is_passing(error, code) => StoreErrorKind::Unavailable,
        _ => signing(error).unwrap_or(StoreErrorKind::Other),
    }
}

/// Whether a range was asked for that the object does not have. Azurite answers with
/// a range of its own that is empty, which the client refuses.
fn is_beyond_the_end(error: &Error) -> bool {
    status(error) == Some(416)
        || error
            .message()
            .starts_with("header content range is invalid")
}

/// Whether the failure was one that passes. The client's own status does not tell:
/// its retry layer calls every failure persistent, also those it never repeated.
fn is_passing(error: &Error, code: &str) -> bool {
    let starts = |start: &&str| error.message().starts_with(start);
    PASSING.contains(&code)
        || UNANSWERED.iter().any(starts)
        || status(error)
            .is_some_and(|status| status >= 500 || [408, 425, 429, 499].contains(&status))
}

/// The HTTP status, which the client keeps in its error's context alone.
fn status(error: &Error) -> Option<u16> {
    let text = error.to_string();
    let (_, rest) = text.split_once("response: Parts { status: ")?;
    rest.get(..3)?.parse().ok()
}

/// What signing failed with, before any server was asked to do something.
fn signing(error: &Error) -> Option<StoreErrorKind> {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<reqsign_core::Error>() {
            return Some(if error.is_retryable() {
                StoreErrorKind::Unavailable
            } else {
                StoreErrorKind::Denied
            });
        }
        cause = inner.source();
    }
    None
}

/// The code in the client's rendering of S3's error document.
pub(crate) fn code(message: &str) -> Option<&str> {
    field(message, "code: \"")
}

fn field<'a>(message: &'a str, start: &str) -> Option<&'a str> {
    let (_, rest) = message.split_once(start)?;
    let (value, _) = rest.split_once('"')?;
    Some(value).filter(|value| !value.is_empty())
}

/// One line: S3's code and message, or the client's words with their causes.
fn message(error: &Error) -> String {
    let own = error.message();
    let mut text = match (code(own), field(own, "message: \"")) {
        (Some(code), Some(words)) => format!("{code}: {words}"),
        (Some(code), None) => code.to_owned(),
        _ if own.is_empty() => error.kind().to_string(),
        _ => own.to_owned(),
    };
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            let _ = write!(text, ": {words}");
        }
        cause = inner.source();
    }
    text.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(code: &str) -> String {
        format!(
            "S3Error {{ code: \"{code}\", message: \"Words.\", resource: \"/b\", request_id: \"1\" }}"
        )
    }

    #[test]
    fn kinds() {
        use StoreErrorKind as K;
        for (given, wanted) in [
            (Error::new(ErrorKind::NotFound, ""), K::NotFound),
            (
                Error::new(ErrorKind::ConfigInvalid, rendered("NoSuchBucket")),
                K::BucketNotFound,
            ),
            (Error::new(ErrorKind::ConfigInvalid, "x"), K::Config),
            (
                Error::new(ErrorKind::ConditionNotMatch, ""),
                K::AlreadyExists,
            ),
            (
                Error::new(ErrorKind::RateLimited, rendered("SlowDown")).set_persistent(),
                K::Unavailable,
            ),
            (
                Error::new(ErrorKind::Unexpected, "send http request").set_persistent(),
                K::Unavailable,
            ),
            (
                Error::new(ErrorKind::Unexpected, "bad gateway")
                    .with_context("response", "Parts { status: 502, version: HTTP/1.1 }"),
                K::Unavailable,
            ),
            (
                Error::new(ErrorKind::Unexpected, "teapot")
                    .with_context("response", "Parts { status: 418, version: HTTP/1.1 }")
                    .set_persistent(),
                K::Other,
            ),
            (
                Error::new(ErrorKind::Unexpected, rendered("ExpiredToken")),
                K::Denied,
            ),
            (
                Error::new(ErrorKind::Unexpected, rendered("PermanentRedirect")),
                K::Config,
            ),
            (Error::new(ErrorKind::Unexpected, "?"), K::Other),
        ] {
            assert_eq!(kind(&given), wanted, "{given}");
        }
    }

    #[test]
    fn messages_are_the_stores_words() {
        let error = Error::new(ErrorKind::RateLimited, rendered("SlowDown"));
        assert_eq!(
            classify("put", "k", &error).to_string(),
            "cannot write `k`: SlowDown: Words."
        );
        let error =
            Error::new(ErrorKind::Unexpected, "send").set_source(std::io::Error::other("reset"));
        assert_eq!(message(&error), "send: reset");
    }
}
