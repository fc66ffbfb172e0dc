//! Credentials files of AWS: sections with keys, or with a role to take on.

use std::collections::BTreeMap;

use super::role::{Role, Sts};
use super::{Chain, keys};

type Section = BTreeMap<String, String>;

/// A section with keys; with a role and a token's file; or with a role and another
/// section whose keys may take it on.
pub(super) fn chain(
    sections: &BTreeMap<String, Section>,
    name: &str,
    sts: &Sts,
) -> Result<Chain, String> {
    let section = section(sections, name)?;
    let own = |key: &str| section.get(key).filter(|value| !value.is_empty());
    let Some(arn) = own("role_arn") else {
        return section_keys(section, name);
    };
    let role = Role {
        arn,
        external_id: own("external_id").map(String::as_str),
        session: own("role_session_name").map(String::as_str),
    };
    if let Some(file) = own("web_identity_token_file") {
        return Ok(sts.by_token(&role, file));
    }
    let Some(source) = own("source_profile") else {
        return Err(format!(
            "profile `{name}` has a `role_arn`, and neither `web_identity_token_file` nor `source_profile` to take it on with"
        ));
    };
    let keys = section_keys(self::section(sections, source)?, source)?;
    Ok(sts.by_keys(&role, keys))
}

fn section<'a>(sections: &'a BTreeMap<String, Section>, name: &str) -> Result<&'a Section, String> {
    sections.get(name).ok_or_else(|| {
        let names: Vec<_> = sections.keys().map(String::as_str).collect();
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        format!("there is no profile `{name}`; the file has: {names}")
    })
}

fn section_keys(section: &Section, name: &str) -> Result<Chain, String> {
    let value = |key: &str| section.get(key).filter(|value| !value.is_empty());
    match (value("aws_access_key_id"), value("aws_secret_access_key")) {
        (Some(id), Some(secret)) => Ok(keys(
            id,
            secret,
            value("aws_session_token").map(String::as_str),
        )),
        _ => Err(format!(
            "profile `{name}` has no `aws_access_key_id` with `aws_secret_access_key`, and no `role_arn`"
        )),
    }
}

/// The INI dialect of AWS: `[name]` or `[profile name]`, `key = value`, and comments
/// on lines of their own. Messages name the line, never its content, which may be a
/// secret.
pub(super) fn sections(text: &str) -> Result<BTreeMap<String, Section>, String> {
    let mut sections = BTreeMap::new();
    let mut current: Option<&mut Section> = None;
    for (number, line) in text.lines().enumerate() {
        // Nested settings, which are indented, say nothing about credentials.
        if line.starts_with([' ', '\t']) && !line.trim_start().starts_with("aws_") {
            continue;
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
        {
            let name = name.trim();
            let name = name.strip_prefix("profile ").unwrap_or(name).trim();
            current = Some(sections.entry(name.to_owned()).or_default());
            continue;
        }
        let pair = line.split_once('=');
        match (pair, &mut current) {
            (Some((key, value)), Some(section)) => {
                section.insert(key.trim().to_lowercase(), value.trim().to_owned());
            }
            (None, _) => {
                return Err(format!(
                    "line {} is neither [profile] nor key = value",
                    number + 1
                ));
            }
            (_, None) => {
                return Err(format!(
                    "line {} stands before the first [profile]",
                    number + 1
                ));
            }
        }
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# comment\n[default]\naws_access_key_id=A\naws_secret_access_key = s=e/c+ret==\n\n\
        [profile two]\n  aws_access_key_id = B\ns3 =\n  nested = 1\naws_secret_access_key=T\naws_session_token=X\n\
        [web]\nrole_arn=r\nweb_identity_token_file=/t\n[role]\nrole_arn=r\nsource_profile=default\n[odd]\nrole_arn=r\n";

    fn profile(name: &str) -> Result<(), String> {
        let sts = Sts::new(reqsign_core::Context::new(), "us-east-1");
        chain(&sections(FILE)?, name, &sts).map(|_| ())
    }

    #[test]
    fn reads_sections() {
        let found = sections(FILE).unwrap();
        assert_eq!(found["default"]["aws_secret_access_key"], "s=e/c+ret==");
        assert_eq!(found["two"]["aws_access_key_id"], "B");
        assert_eq!(found["two"]["aws_session_token"], "X");
        for name in ["default", "two", "web", "role"] {
            assert_eq!(profile(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn says_what_misses_without_saying_secrets() {
        let error = profile("three").unwrap_err();
        assert!(error.contains("default, odd, role, two, web"), "{error}");
        assert!(profile("odd").unwrap_err().contains("source_profile"));
        let error = sections("[a]\nsecret").unwrap_err();
        assert!(
            error.contains("line 2") && !error.contains("secret"),
            "{error}"
        );
        assert!(sections("a=b").unwrap_err().contains("before the first"));
    }
}
