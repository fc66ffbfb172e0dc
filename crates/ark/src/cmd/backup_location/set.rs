//! `ark backup-location set`.

use std::path::PathBuf;

use ark_api::BackupStorageLocation;
use clap::Args;
use clap_complete::ArgValueCandidates;

use super::create::{certificate, secret};
use crate::args::value::{boolean, secret_key};
use crate::cluster;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::listing::name;
use crate::live;

const EXAMPLES: &str = "\
Examples:
  ark backup-location set other --default
  ark backup-location set default --credential new-account=cloud
  ark backup-location set default --cacert ca.pem";

/// Change a backup location
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct SetArgs {
    /// Name of the location
    #[arg(add = ArgValueCandidates::new(live::names))]
    name: String,

    /// Whether backups that name no location go here
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    default: Option<bool>,

    /// Secret with the credentials
    #[arg(long, value_name = "SECRET=KEY", value_parser = secret_key)]
    credential: Option<(String, String)>,

    /// File with certificates (PEM) to trust in connections to the storage; "" trusts the usual ones
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: SetArgs) -> Result<Exit, CommandError> {
    let before: BackupStorageLocation = cluster::get(ctx, &args.name).await?;
    let after = args.changed(&before)?;
    if before == after {
        ctx.talk.say(format_args!(
            "Backup location `{}` is like that already",
            args.name
        ));
        return Ok(Exit::Done);
    }
    if args.default == Some(true) {
        refuse_second_default(ctx, &args.name).await?;
    }
    cluster::patch(ctx, &before, &after).await?;
    ctx.talk
        .say(format_args!("Backup location `{}` is changed", args.name));
    Ok(Exit::Done)
}

impl SetArgs {
    /// The location with what these flags change.
    fn changed(
        &self,
        before: &BackupStorageLocation,
    ) -> Result<BackupStorageLocation, CommandError> {
        let mut after = before.clone();
        if let Some(default) = self.default {
            after.spec.default = default;
        }
        if let Some(credential) = &self.credential {
            after.spec.credential = Some(secret(credential.clone()));
        }
        if let Some(path) = &self.cacert {
            after.spec.object_storage.ca_cert = if path.as_os_str().is_empty() {
                None
            } else {
                Some(certificate(path)?)
            };
        }
        Ok(after)
    }
}

/// Only one location may be the default one.
pub(super) async fn refuse_second_default(ctx: &Context, own: &str) -> Result<(), CommandError> {
    let locations = cluster::list::<BackupStorageLocation>(ctx, None).await?;
    match locations
        .iter()
        .find(|other| other.spec.default && name(*other) != own)
    {
        None => Ok(()),
        Some(other) => {
            let other = name(other);
            Err(
                CommandError::refused(format!("`{other}` is the default backup location already"))
                    .hint(format!(
                        "`ark backup-location set {other} --default=false` makes room"
                    )),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let mut before = BackupStorageLocation::default();
        before.spec.object_storage.ca_cert = Some(ark_api::ByteString(b"pem".to_vec()));
        let args = SetArgs {
            default: Some(true),
            ..SetArgs::default()
        };
        let after = args.changed(&before).unwrap();
        assert!(after.spec.default);
        assert_eq!(
            after.spec.object_storage.ca_cert,
            before.spec.object_storage.ca_cert
        );
    }

    #[test]
    fn the_empty_path_takes_the_certificates_away() {
        let mut before = BackupStorageLocation::default();
        before.spec.object_storage.ca_cert = Some(ark_api::ByteString(b"pem".to_vec()));
        let args = SetArgs {
            cacert: Some(PathBuf::new()),
            ..SetArgs::default()
        };
        assert_eq!(
            args.changed(&before).unwrap().spec.object_storage.ca_cert,
            None
        );
    }
}
