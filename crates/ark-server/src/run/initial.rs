//! The location that an installation by `kubectl` alone starts with.
//!
//! `kubectl apply` looks up every kind before it makes the first object, so one
//! call cannot bring both the definitions and a resource of theirs. The server
//! brings the resource instead.

use ark_api::BackupStorageLocation;
use ark_engine::port::ClusterErrorKind;
use ark_kube::{Connection, Custom, CustomError};

/// Creates the location unless the namespace has any: what people changed or
/// deleted beside others stays as they left it.
pub(super) async fn create(
    connection: &Connection,
    namespace: &str,
    location: &BackupStorageLocation,
) -> Result<(), CustomError> {
    let locations = Custom::<BackupStorageLocation>::new(connection, namespace);
    if !locations.list(None).await?.items.is_empty() {
        return Ok(());
    }
    let mut location = location.clone();
    location.metadata.namespace = Some(namespace.to_owned());
    match locations.create(&location).await {
        Ok(created) => {
            let name = created.metadata.name.unwrap_or_default();
            tracing::info!(location = name, "created the first backup location");
            Ok(())
        }
        Err(error) if error.kind() == Some(ClusterErrorKind::AlreadyExists) => Ok(()),
        Err(error) => Err(error),
    }
}
