//! From failures of the libraries to sentences with advice. The only place.

use ark_api::patch::PatchError;
use ark_api::wire::YamlError;
use ark_engine::backup::BackupError;
use ark_engine::catalog::CatalogError;
use ark_engine::port::{ClusterError, ClusterErrorKind, StoreError, StoreErrorKind};
use ark_engine::restore::RestoreError;
use ark_kube::apply::ApplyError;
use ark_kube::wait::WaitError;
use ark_kube::{ConnectError, CustomError};
use ark_server::ServerError;
use ark_store::{FetchError, LayoutError, OpenError};

use super::{CommandError, ErrorKind, chain};
use crate::config::ConfigError;
use crate::install::ManifestError;

/// An error that needs no advice.
macro_rules! plain {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for CommandError {
            fn from(error: $error) -> Self {
                Self::failed(chain(&error))
            }
        })*
    };
}

plain!(ConfigError, PatchError, YamlError);

impl From<ConnectError> for CommandError {
    fn from(error: ConnectError) -> Self {
        let hint = match &error {
            ConnectError::Kubeconfig { .. } => "is the path right, and may you read the file?",
            ConnectError::DefaultKubeconfig(_) | ConnectError::NoCluster(_) => {
                "name a kubeconfig with `--kubeconfig FILE` or in the variable KUBECONFIG"
            }
            ConnectError::UnknownContext { .. } | ConnectError::NoContext { .. } => {
                "`kubectl config get-contexts` lists the contexts"
            }
            _ => "does `kubectl get namespaces` work with the same kubeconfig?",
        };
        let message = match &error {
            // The cause is that a variable of pods is not set, which helps nobody.
            ConnectError::NoCluster(_) => error.to_string(),
            _ => chain(&error),
        };
        Self::failed(message).hint(hint)
    }
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> Self {
        let kind = match error.kind {
            ClusterErrorKind::AlreadyExists | ClusterErrorKind::Conflict => ErrorKind::Refused,
            _ => ErrorKind::Failed,
        };
        let hint = match error.kind {
            ClusterErrorKind::NotFound => Some(
                "is Ark installed in this cluster and namespace? `ark install` does it, \
                 `--namespace` names another one",
            ),
            ClusterErrorKind::Unauthorized => {
                Some("the API server does not know you: are the kubeconfig's credentials expired?")
            }
            ClusterErrorKind::Forbidden => {
                Some("your account may not do this: `kubectl auth can-i --list` shows what it may")
            }
            ClusterErrorKind::Unavailable => Some(
                "is the cluster up, and the context the right one? `kubectl cluster-info` tells",
            ),
            ClusterErrorKind::Conflict => Some("somebody else changed it just now: try again"),
            _ => None,
        };
        let error = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<CustomError> for CommandError {
    fn from(error: CustomError) -> Self {
        match error {
            CustomError::Call(error) => error.into(),
            CustomError::Connect(error) => error.into(),
            CustomError::Timeout { .. } => Self::new(ErrorKind::TimedOut, error.to_string()),
            other => Self::failed(chain(&other)),
        }
    }
}

impl From<WaitError> for CommandError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Call(error) => error.into(),
            WaitError::Timeout { .. } => Self::new(ErrorKind::TimedOut, error.to_string()),
            other => Self::failed(chain(&other)),
        }
    }
}

impl From<ApplyError> for CommandError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Call(error) => error.into(),
            ApplyError::Wait(error) => error.into(),
            other => Self::failed(chain(&other)),
        }
    }
}

impl From<ManifestError> for CommandError {
    fn from(error: ManifestError) -> Self {
        let kind = match error {
            ManifestError::NoBucket { .. }
            | ManifestError::RelativePath { .. }
            | ManifestError::SecretUnwanted => ErrorKind::Usage,
            _ => ErrorKind::Failed,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        let hint = match error.kind {
            StoreErrorKind::NotFound => {
                Some("is the name right, and the location the one it is in?")
            }
            StoreErrorKind::BucketNotFound => Some("create the bucket, or name one that exists"),
            StoreErrorKind::Denied => {
                Some("check the credentials of the storage and what they may do")
            }
            StoreErrorKind::Unavailable => Some("can this machine reach the storage?"),
            StoreErrorKind::AlreadyExists => Some("choose another name"),
            _ => None,
        };
        let kind = match error.kind {
            StoreErrorKind::AlreadyExists => ErrorKind::Refused,
            _ => ErrorKind::Failed,
        };
        let error = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<OpenError> for CommandError {
    fn from(error: OpenError) -> Self {
        let kind = match error {
            OpenError::Url { .. } => ErrorKind::Usage,
            _ => ErrorKind::Failed,
        };
        Self::new(kind, chain(&error))
    }
}

impl From<LayoutError> for CommandError {
    fn from(error: LayoutError) -> Self {
        match error {
            LayoutError::List(error) => error.into(),
            LayoutError::Foreign { .. } | LayoutError::HeptioArk { .. } => {
                Self::refused(error.to_string())
            }
        }
    }
}

impl From<FetchError> for CommandError {
    fn from(error: FetchError) -> Self {
        let hint = match &error {
            FetchError::Transport { .. } => Some(
                "the address is the one that the server uses: can this machine reach it? \
                 `publicUrl` in the location's config gives clients another one",
            ),
            FetchError::Status { status: 403, .. } => {
                Some("the address may have expired: try again")
            }
            _ => None,
        };
        let error = Self::failed(chain(&error));
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

impl From<CatalogError> for CommandError {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Store(error) => error.into(),
            CatalogError::Damaged { .. } => Self::failed(chain(&error)),
        }
    }
}

impl From<BackupError> for CommandError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Cluster(error) => error.into(),
            BackupError::Store(error) => error.into(),
            BackupError::Catalog(error) => error.into(),
            BackupError::Exists { .. } => Self::refused(chain(&error))
                .hint("choose another name, or delete that backup first"),
            BackupError::Cancelled | BackupError::Interrupted => Self::new(
                ErrorKind::Interrupted,
                "stopped; no backup was made, and what was uploaded is not listed as one",
            ),
            other => Self::failed(chain(&other)),
        }
    }
}

impl From<RestoreError> for CommandError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Cluster(error) => error.into(),
            RestoreError::Store(error) => error.into(),
            RestoreError::Cancelled | RestoreError::Interrupted => Self::new(
                ErrorKind::Interrupted,
                "stopped; what is restored so far stays in the cluster",
            ),
            other => Self::failed(chain(&other)),
        }
    }
}

impl From<ServerError> for CommandError {
    fn from(error: ServerError) -> Self {
        match error {
            ServerError::Connect(error) => error.into(),
            ServerError::Cluster(error) => error.into(),
            other => Self::failed(chain(&other)),
        }
    }
}
