//! The credentials file of Azure: lines `NAME=VALUE`, as environment files have them.
//!
//! A location's own file is its only source; without one it is the file that
//! `AZURE_CREDENTIALS_FILE` names, if it does.

use std::collections::BTreeMap;

use ark_cloud::Credentials;
use reqsign_core::{Env as _, OsEnv};

use crate::location::Location;
use crate::open::OpenError;

/// Names the file of those who have none of their own, as in Velero.
const VARIABLE: &str = "AZURE_CREDENTIALS_FILE";

/// What the file says.
pub(crate) type File = BTreeMap<String, String>;

pub(crate) async fn read(location: &Location) -> Result<File, OpenError> {
    let refuse = |reason: String| OpenError::credentials(location, reason);
    let named = match (&location.credentials, OsEnv.var(VARIABLE)) {
        (Credentials::Keys { .. }, _) => {
            return Err(refuse("provider `azure` takes a file, no keys".to_owned()));
        }
        (Credentials::Ambient, Some(path)) => Credentials::File(path.into()),
        (own, _) => own.clone(),
    };
    match named.file().await.map_err(refuse)? {
        Some(text) => parse(&text).map_err(refuse),
        None => Ok(File::new()),
    }
}

/// Messages name the line, never its content, which may be a secret.
fn parse(text: &str) -> Result<File, String> {
    let mut file = File::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line).trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line
            .split_once('=')
            .ok_or_else(|| format!("line {} is not NAME=VALUE", number + 1))?;
        file.insert(name.trim().to_owned(), unquoted(value.trim()).to_owned());
    }
    Ok(file)
}

fn unquoted(value: &str) -> &str {
    let quoted = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    quoted('"').or_else(|| quoted('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_names_and_values() {
        let text =
            "# cloud\nAZURE_CLIENT_ID=a\n export AZURE_CLIENT_SECRET='s=e c'\n\nKEY = \"k==\"\n";
        let file = parse(text).unwrap();
        assert_eq!(file["AZURE_CLIENT_ID"], "a");
        assert_eq!(file["AZURE_CLIENT_SECRET"], "s=e c");
        assert_eq!(file["KEY"], "k==");
        let error = parse("A=1\nhidden").unwrap_err();
        assert!(
            error.contains("line 2") && !error.contains("hidden"),
            "{error}"
        );
    }
}
