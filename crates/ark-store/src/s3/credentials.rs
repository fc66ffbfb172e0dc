//! Who we are to S3: a location's credentials → the client's provider.
//!
//! A credentials file belongs to one location, so it is read here, and never found
//! through the environment. Ambient credentials are left to the client's own chain:
//! environment, shared files, web identity, container and instance metadata.

use std::collections::BTreeMap;

use opendal::services::S3;
use reqsign_aws_v4::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, StaticCredentialProvider,
};
use reqsign_core::ProvideCredentialChain;

use crate::location::{Credentials, Location};
use crate::open::OpenError;

type Section = BTreeMap<String, String>;

/// Sets the builder's credentials.
pub(crate) async fn apply(
    builder: S3,
    location: &Location,
    profile: Option<&str>,
) -> Result<S3, OpenError> {
    let refuse = |reason: String| OpenError::Credentials {
        location: location.name.clone(),
        reason,
    };
    let text = match &location.credentials {
        Credentials::Ambient => return Ok(builder.profile(profile.unwrap_or_default())),
        Credentials::Anonymous => return Ok(builder.skip_signature()),
        Credentials::Keys {
            access_key,
            secret_key,
            session_token,
        } => {
            let keys = keys(access_key, secret_key, session_token.as_deref());
            return Ok(builder.credential_provider_chain(keys));
        }
        Credentials::Contents(bytes) => bytes.clone(),
        Credentials::File(path) => tokio::fs::read(path)
            .await
            .map_err(|error| refuse(format!("{}: {error}", path.display())))?,
    };
    let text = String::from_utf8(text).map_err(|_| refuse("the file is not UTF-8".to_owned()))?;
    let sections = sections(&text).map_err(refuse)?;
    from_profile(builder, &sections, profile.unwrap_or("default")).map_err(refuse)
}

fn keys(
    access_key: &str,
    secret_key: &str,
    token: Option<&str>,
) -> ProvideCredentialChain<Credential> {
    let mut provider = StaticCredentialProvider::new(access_key, secret_key);
    if let Some(token) = token {
        provider = provider.with_session_token(token);
    }
    ProvideCredentialChain::new().push(provider)
}

/// A section with keys; with a role and a token's file; or with a role and another
/// section whose keys may take it on.
fn from_profile(
    builder: S3,
    sections: &BTreeMap<String, Section>,
    name: &str,
) -> Result<S3, String> {
    let section = section(sections, name)?;
    let Some(role) = section.get("role_arn") else {
        return Ok(builder.credential_provider_chain(section_keys(section, name)?));
    };
    if let Some(file) = section.get("web_identity_token_file") {
        let mut provider =
            AssumeRoleWithWebIdentityCredentialProvider::with_config(role.clone(), file.into());
        if let Some(session) = section.get("role_session_name") {
            provider = provider.with_role_session_name(session.clone());
        }
        return Ok(builder.credential_provider_chain(ProvideCredentialChain::new().push(provider)));
    }
    let Some(source) = section.get("source_profile") else {
        return Err(format!(
            "profile `{name}` has a `role_arn`, and neither `web_identity_token_file` nor `source_profile` to take it on with"
        ));
    };
    let source = self::section(sections, source)?;
    let value = |key: &str| source.get(key).map_or("", String::as_str);
    let own = |key: &str| section.get(key).map_or("", String::as_str);
    section_keys(source, &section["source_profile"])?;
    Ok(builder
        .disable_config_load()
        .access_key_id(value("aws_access_key_id"))
        .secret_access_key(value("aws_secret_access_key"))
        .session_token(value("aws_session_token"))
        .role_arn(role)
        .external_id(own("external_id"))
        .role_session_name(own("role_session_name")))
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

fn section_keys(
    section: &Section,
    name: &str,
) -> Result<ProvideCredentialChain<Credential>, String> {
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
fn sections(text: &str) -> Result<BTreeMap<String, Section>, String> {
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
        from_profile(S3::default(), &sections(FILE)?, name).map(|_| ())
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
