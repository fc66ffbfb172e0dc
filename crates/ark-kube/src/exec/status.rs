//! The `Status` that ends a command.

use ark_engine::port::ExecEnd;
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(default)]
struct Told {
    status: String,
    message: String,
    reason: String,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    causes: Option<Vec<Cause>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Cause {
    reason: String,
    message: String,
}

/// `Success`, or `NonZeroExitCode` with the code as a cause, or words about why
/// nothing could be run.
pub(super) fn end(json: &[u8]) -> ExecEnd {
    let status: Told = match serde_json::from_slice(json) {
        Ok(status) => status,
        Err(problem) => {
            return ExecEnd::Failed(format!("its end was told in no known form: {problem}"));
        }
    };
    if status.status == "Success" {
        return ExecEnd::Exited(0);
    }
    let causes = status.details.and_then(|details| details.causes);
    let code = causes
        .iter()
        .flatten()
        .filter(|cause| cause.reason == "ExitCode")
        .find_map(|cause| cause.message.parse().ok());
    match code {
        Some(code) => ExecEnd::Exited(code),
        None if status.message.is_empty() => ExecEnd::Failed(status.reason),
        None => ExecEnd::Failed(status.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_is_understood() {
        let success = br#"{"metadata":{},"status":"Success"}"#;
        assert_eq!(end(success), ExecEnd::Exited(0));
        let code = br#"{"status":"Failure","message":"command terminated with non-zero exit code",
            "reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}"#;
        assert_eq!(end(code), ExecEnd::Exited(3));
        let missing = br#"{"status":"Failure","message":"no such program","reason":"InternalError",
            "details":{"causes":[{"message":"no such program"}]},"code":500}"#;
        assert_eq!(end(missing), ExecEnd::Failed("no such program".into()));
        assert!(matches!(end(b"oops"), ExecEnd::Failed(_)));
    }
}
