//! The credentials file of Azure: lines `NAME=VALUE`, as environment files have them.
//!
//! A location's own file is its only source; without one it is the file that
//! `AZURE_CREDENTIALS_FILE` names, if it does.

use std::collections::BTreeMap;

use reqsign_core::{Env as _, OsEnv};

use crate::Credentials;

/// Names the file of those who have none of their own, as in Velero.
const VARIABLE: &str = "AZURE_CREDENTIALS_FILE";

/// What the file says. Holds secrets, so it cannot be printed.
#[derive(Clone, Default)]
pub struct File(BTreeMap<String, String>);

impl File {
    /// That of a location.
    ///
    /// # Errors
    /// Credentials that are none of Azure's; the message has nothing of their content.
    pub async fn of(credentials: &Credentials) -> Result<Self, String> {
        let named = match (credentials, OsEnv.var(VARIABLE)) {
            (Credentials::Keys { .. }, _) => {
                return Err("provider `azure` takes a file, no keys".to_owned());
            }
            (Credentials::Ambient, Some(path)) => Credentials::File(path.into()),
            (own, _) => own.clone(),
        };
        match named.file().await? {
            Some(text) => parse(&text),
            None => Ok(Self::default()),
        }
    }

    /// What stands behind a name; nothing is as good as no line.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// The same, or what the environment has: workload identity on AKS comes that way.
    pub fn get_or_env(&self, name: &str) -> Option<String> {
        let value = self.0.get(name).cloned().or_else(|| OsEnv.var(name));
        value.filter(|value| !value.is_empty())
    }
}

impl<'t> FromIterator<(&'t str, &'t str)> for File {
    fn from_iter<T: IntoIterator<Item = (&'t str, &'t str)>>(lines: T) -> Self {
        let lines = lines.into_iter();
        Self(
            lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        )
    }
}

/// Messages name the line, never its content, which may be a secret.
fn parse(text: &str) -> Result<File, String> {
    let mut file = BTreeMap::new();
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
    Ok(File(file))
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
        let text = "# cloud\nAZURE_CLIENT_ID=a\n export AZURE_CLIENT_SECRET='s=e c'\n\nKEY = \"k==\"\nNO=\n";
        let file = parse(text).unwrap();
        assert_eq!(file.get("AZURE_CLIENT_ID"), Some("a"));
        assert_eq!(file.get("AZURE_CLIENT_SECRET"), Some("s=e c"));
        assert_eq!(file.get("KEY"), Some("k=="));
        assert_eq!(file.get("NO"), None);
        let error = parse("A=1\nhidden").err().unwrap();
        assert!(
            error.contains("line 2") && !error.contains("hidden"),
            "{error}"
        );
    }
}
