//! Files of backups and restores, by way of the server: a download request,
//! its answer, and the file behind it.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ark_api::download_request::DownloadRequestSpec;
use ark_api::{DownloadRequest, DownloadTarget, DownloadTargetKind, GoDuration, ObjectMeta};
use ark_archive::gunzip::gunzip;
use ark_kube::CustomError;
use ark_store::{FetchError, FetchOptions};
use clap::Args;

use crate::args::value::duration;
use crate::cluster;
use crate::config;
use crate::context::Context;
use crate::error::{CommandError, ErrorKind};
use crate::name;

/// Files that are larger packed are not fetched.
const MAX_PACKED: u64 = 128 << 20;
/// Files that are larger unpacked are not shown.
const MAX_UNPACKED: u64 = 1 << 30;
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);

/// How to fetch.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Download")]
pub struct DownloadArgs {
    /// How long to wait for the server to make the file readable [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<GoDuration>,

    /// File with certificates (PEM) to trust in connections to the storage
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Take any certificate of the storage
    #[arg(long)]
    insecure_skip_tls_verify: bool,
}

/// The unpacked file of a backup or restore; `None` where the storage has no
/// such file.
pub async fn file(
    ctx: &Context,
    kind: DownloadTargetKind,
    target: &str,
    args: &DownloadArgs,
) -> Result<Option<Vec<u8>>, CommandError> {
    let url = signed(ctx, kind.clone(), target, args).await?;
    let packed = match url.strip_prefix("file:") {
        Some(_) => local(&url)?,
        None => remote(ctx, &url, args).await?,
    };
    let Some(packed) = packed else {
        return Ok(None);
    };
    let unpacked = gunzip(&packed, MAX_UNPACKED).map_err(|error| {
        CommandError::because(
            format_args!("cannot unpack the {kind} of `{target}`"),
            &error,
        )
    })?;
    Ok(Some(unpacked))
}

/// Asks the server for an address and takes the request away again.
async fn signed(
    ctx: &Context,
    kind: DownloadTargetKind,
    target: &str,
    args: &DownloadArgs,
) -> Result<String, CommandError> {
    let request = DownloadRequest {
        metadata: ObjectMeta {
            name: Some(format!("{target}-{}", name::uid())),
            namespace: Some(ctx.namespace().to_owned()),
            ..ObjectMeta::default()
        },
        spec: DownloadRequestSpec {
            target: DownloadTarget {
                kind,
                name: target.to_owned(),
            },
        },
        status: None,
    };
    let own = request.metadata.name.clone().unwrap_or_default();
    cluster::create(ctx, &request).await?;
    let timeout = args.timeout.map_or(DEFAULT_TIMEOUT, GoDuration::to_std);
    let custom = cluster::custom::<DownloadRequest>(ctx).await?;
    let answered = custom
        .watch_until(&own, |request| !url_of(request).is_empty(), timeout)
        .await;
    // The server deletes it when it expires; tidier is to do it now.
    let _ = custom.delete(&own).await;
    match answered {
        Ok(request) => Ok(url_of(&request).to_owned()),
        Err(CustomError::Timeout { .. }) => Err(CommandError::new(
            ErrorKind::TimedOut,
            format!("the server did not say where the files of `{target}` are"),
        )
        .hint(format!(
            "is a server running in namespace `{}`? `ark version` asks it",
            ctx.namespace()
        ))),
        Err(error) => Err(error.into()),
    }
}

fn url_of(request: &DownloadRequest) -> &str {
    request
        .status
        .as_ref()
        .map(|status| status.download_url.as_str())
        .unwrap_or_default()
}

/// A file of a location that is a directory. It is reachable only where that
/// directory is, which need not be this machine.
fn local(url: &str) -> Result<Option<Vec<u8>>, CommandError> {
    let path = url::Url::parse(url)
        .ok()
        .and_then(|url| url.to_file_path().ok());
    let path = path.ok_or_else(|| CommandError::failed(format!("`{url}` names no file")))?;
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if path.parent().is_some_and(Path::exists) {
                return Ok(None);
            }
            Err(CommandError::failed(format!(
                "`{}` is not on this machine: the backup location is a directory of the server's",
                path.display()
            ))
            .hint("run this command where the server runs, or use object storage"))
        }
        Err(error) => Err(CommandError::because(
            format_args!("cannot read `{}`", path.display()),
            &error,
        )),
    }
}

async fn remote(
    ctx: &Context,
    url: &str,
    args: &DownloadArgs,
) -> Result<Option<Vec<u8>>, CommandError> {
    let configured = ctx.config.get(config::CACERT).map(PathBuf::from);
    let ca_cert = match args.cacert.clone().or(configured) {
        Some(path) => Some(std::fs::read(&path).map_err(|error| {
            let what = format!("cannot read the certificates `{}`", path.display());
            CommandError::because(what, &error)
        })?),
        None => None,
    };
    let insecure = args.insecure_skip_tls_verify;
    match ark_store::fetch(
        url,
        &FetchOptions {
            ca_cert,
            insecure,
            max: MAX_PACKED,
        },
    )
    .await
    {
        Ok(bytes) => Ok(Some(bytes.to_vec())),
        Err(FetchError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_from_a_missing_directory() {
        let directory = tempfile::tempdir().unwrap();
        let url = |path: &Path| url::Url::from_file_path(path).unwrap().to_string();
        let file = directory.path().join("a file");
        assert_eq!(local(&url(&file)).unwrap(), None);
        std::fs::write(&file, "x").unwrap();
        assert_eq!(local(&url(&file)).unwrap(), Some(b"x".to_vec()));
        let elsewhere = directory.path().join("not/here");
        assert!(
            local(&url(&elsewhere))
                .unwrap_err()
                .message
                .contains("not on this machine")
        );
    }
}
