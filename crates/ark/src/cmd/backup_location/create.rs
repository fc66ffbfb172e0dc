//! `ark backup-location create`.

use std::path::{Path, PathBuf};

use ark_api::storage_location::{BackupStorageLocationSpec, ObjectStorageLocation};
use ark_api::{AccessMode, BackupStorageLocation, ByteString, GoDuration, SecretKeySelector};
use clap::Args;

use crate::args::output::{CreateOutputArgs, MetadataArgs};
use crate::args::value::{Map, boolean, duration, map, merged, secret_key};
use crate::cluster;
use crate::context::Context;
use crate::error::{CommandError, Exit};

const EXAMPLES: &str = "\
Examples:
  ark backup-location create default --provider aws --bucket my-backups --config region=eu-central-1 --default
  ark backup-location create minio --provider aws --bucket ark --config region=minio,s3ForcePathStyle=true,s3Url=http://minio:9000
  ark backup-location create other --provider aws --bucket other --credential other-account=cloud --access-mode ReadOnly";

/// Add a place to keep backups in
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct CreateArgs {
    /// Name of the location
    name: String,

    /// Kind of storage: aws (and everything that speaks S3), gcp, azure or fs (a directory)
    #[arg(long, value_name = "NAME")]
    provider: String,

    /// Bucket, or the directory for the provider fs
    #[arg(long, value_name = "NAME")]
    bucket: String,

    /// Folder in the bucket under which everything lies
    #[arg(
        long,
        value_name = "PATH",
        default_value = "",
        hide_default_value = true
    )]
    prefix: String,

    /// Settings of the provider, such as `region=eu-1,s3Url=https://s3.example.com`
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map)]
    config: Vec<Map>,

    /// Secret with the credentials [default: those of the server]
    #[arg(long, value_name = "SECRET=KEY", value_parser = secret_key)]
    credential: Option<(String, String)>,

    /// File with certificates (PEM) to trust in connections to the storage
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// What may be done there: `ReadWrite` or `ReadOnly`
    #[arg(long, value_name = "MODE", default_value = "ReadWrite",
          value_parser = ["ReadWrite", "ReadOnly"], hide_possible_values = true)]
    access_mode: String,

    /// Backups that name no location go here
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_parser = boolean)]
    default: Option<bool>,

    /// How often to look for backups made elsewhere, 0s for never [default: the server's]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    backup_sync_period: Option<GoDuration>,

    /// How often to check that the location works, 0s for never [default: the server's]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    validation_frequency: Option<GoDuration>,

    #[command(flatten)]
    metadata: MetadataArgs,

    #[command(flatten)]
    output: CreateOutputArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: CreateArgs) -> Result<Exit, CommandError> {
    let location = args.location(ctx.namespace())?;
    if args.output.print(ctx, &location)? {
        return Ok(Exit::Done);
    }
    if args.default == Some(true) {
        super::set::refuse_second_default(ctx, &args.name).await?;
    }
    cluster::create(ctx, &location).await?;
    ctx.talk.say(format_args!(
        "Backup location `{}` is configured",
        args.name
    ));
    ctx.talk
        .hint("`ark backup-location get` shows whether the server can use it");
    Ok(Exit::Done)
}

impl CreateArgs {
    /// The object that these flags ask for. Reads the certificate's file.
    fn location(&self, namespace: &str) -> Result<BackupStorageLocation, CommandError> {
        let spec = BackupStorageLocationSpec {
            provider: self.provider.clone(),
            config: merged(&self.config),
            credential: self.credential.clone().map(secret),
            object_storage: ObjectStorageLocation {
                bucket: self.bucket.clone(),
                prefix: self.prefix.clone(),
                ca_cert: self.cacert.as_deref().map(certificate).transpose()?,
                ca_cert_ref: None,
            },
            default: self.default == Some(true),
            access_mode: Some(AccessMode::from(self.access_mode.as_str())),
            backup_sync_period: self.backup_sync_period,
            validation_frequency: self.validation_frequency,
        };
        let metadata = self.metadata.metadata(&self.name, namespace);
        Ok(BackupStorageLocation {
            metadata,
            spec,
            status: None,
        })
    }
}

/// A key of a secret as locations refer to it.
pub(crate) fn secret((name, key): (String, String)) -> SecretKeySelector {
    SecretKeySelector {
        name,
        key,
        optional: None,
    }
}

/// The content of a file with certificates.
pub(crate) fn certificate(path: &Path) -> Result<ByteString, CommandError> {
    std::fs::read(path).map(ByteString).map_err(|error| {
        CommandError::because(
            format_args!("cannot read the certificates `{}`", path.display()),
            &error,
        )
    })
}
