//! Where a file is read: from the storage, as the server's answer says, or where
//! that cannot be reached from here, from the server itself through the API
//! server's proxy to its pod.

use std::io;
use std::path::{Path, PathBuf};

use ark_kube::Answer;
use ark_store::{FetchError, FetchOptions, Fetching};
use bytes::Bytes;

use super::{DownloadArgs, Ticket};
use crate::config;
use crate::context::Context;
use crate::error::{CommandError, chain};

/// Label selector of the server's pods.
pub(crate) const PODS: &str = "app.kubernetes.io/managed-by=ark,app.kubernetes.io/component=server";
/// Header by which the server tells its own answers from those of others.
const MARK: &str = "ark-download";

/// A file that is being read.
pub(super) enum Source {
    /// At once: it lies on this machine.
    Local(Option<Bytes>),
    /// From the storage.
    Storage(Box<Fetching>),
    /// From the server.
    Server(Box<Answer>),
}

impl Source {
    /// Opens the file; `None` where there is none.
    pub(super) async fn open(
        ctx: &Context,
        ticket: &Ticket,
        args: &DownloadArgs,
    ) -> Result<Option<Self>, CommandError> {
        let out_of_reach = if args.through_api_server {
            CommandError::failed("no pod of the server answers")
        } else {
            match straight(ctx, ticket, args).await {
                Straight::Open(source) => return Ok(source),
                Straight::Failed(error) => return Err(error),
                Straight::OutOfReach(error) => error,
            }
        };
        by_server(ctx, ticket, out_of_reach).await
    }

    /// The next piece; `None` at the end.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, CommandError> {
        match self {
            Self::Local(bytes) => Ok(bytes.take()),
            Self::Storage(fetching) => Ok(fetching.chunk().await?),
            Self::Server(answer) => Ok(answer.chunk().await?),
        }
    }
}

/// What came of reading where the server said.
enum Straight {
    Open(Option<Source>),
    OutOfReach(CommandError),
    Failed(CommandError),
}

async fn straight(ctx: &Context, ticket: &Ticket, args: &DownloadArgs) -> Straight {
    if ticket.url.starts_with("file:") {
        return local(&ticket.url);
    }
    let configured = ctx.config.get(config::CACERT).map(PathBuf::from);
    let ca_cert = match args.cacert.clone().or(configured) {
        Some(path) => match std::fs::read(&path) {
            Ok(certificates) => Some(certificates),
            Err(error) => {
                let what = format!("cannot read the certificates `{}`", path.display());
                return Straight::Failed(CommandError::because(what, &error));
            }
        },
        None => None,
    };
    let options = FetchOptions {
        ca_cert,
        insecure: args.insecure_skip_tls_verify,
        max: u64::MAX,
    };
    match ark_store::begin(&ticket.url, &options).await {
        Ok(fetching) => Straight::Open(Some(Source::Storage(Box::new(fetching)))),
        Err(FetchError::NotFound { .. }) => Straight::Open(None),
        Err(error @ FetchError::Transport { .. }) => Straight::OutOfReach(error.into()),
        Err(error) => Straight::Failed(error.into()),
    }
}

/// A file of a location that is a directory. It is reachable only where that
/// directory is, which need not be this machine.
fn local(url: &str) -> Straight {
    let path = url::Url::parse(url)
        .ok()
        .and_then(|url| url.to_file_path().ok());
    let Some(path) = path else {
        return Straight::Failed(CommandError::failed(format!("`{url}` names no file")));
    };
    match std::fs::read(&path) {
        Ok(bytes) => Straight::Open(Some(Source::Local(Some(bytes.into())))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if path.parent().is_some_and(Path::exists) {
                return Straight::Open(None);
            }
            Straight::OutOfReach(CommandError::failed(format!(
                "`{}` is not on this machine: the backup location is a directory of the server's",
                path.display()
            )))
        }
        Err(error) => {
            let what = format!("cannot read `{}`", path.display());
            Straight::OutOfReach(CommandError::because(what, &error))
        }
    }
}

/// Asks the pods of the server, until one has the file.
async fn by_server(
    ctx: &Context,
    ticket: &Ticket,
    out_of_reach: CommandError,
) -> Result<Option<Source>, CommandError> {
    let connection = ctx.connect().await?;
    let path = format!("/download/{}?uid={}", ticket.name, ticket.uid);
    let mut why = format!("no pod in namespace `{}` has its labels", ctx.namespace());
    let pods = connection.source_pods(ctx.namespace(), PODS).await;
    let pods = pods.unwrap_or_else(|error| {
        why = chain(&error);
        Vec::new()
    });
    for pod in &pods {
        let answer = match connection.ask_pod(pod, &path).await {
            Ok(answer) => answer,
            Err(error) => {
                why = chain(&error);
                continue;
            }
        };
        match (answer.status(), answer.header(MARK)) {
            (200, Some("file")) => return Ok(Some(Source::Server(Box::new(answer)))),
            (404, Some("absent")) => return Ok(None),
            (status, _) => why = format!("pod `{}` answered {status}", pod.name),
        }
    }
    Err(out_of_reach
        .hint(format!(
            "reading through the API server did not work either: {why}"
        ))
        .hint(
            "set `publicUrl` in the location's config to an address that can be reached from here",
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_from_a_missing_directory() {
        let directory = tempfile::tempdir().unwrap();
        let url = |path: &Path| url::Url::from_file_path(path).unwrap().to_string();
        let file = directory.path().join("a file");
        assert!(matches!(local(&url(&file)), Straight::Open(None)));
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(
            local(&url(&file)),
            Straight::Open(Some(Source::Local(Some(bytes)))) if bytes == "x"
        ));
        let elsewhere = directory.path().join("not/here");
        assert!(matches!(local(&url(&elsewhere)), Straight::OutOfReach(_)));
    }
}
