//! Managed disks of Azure.

use std::sync::Arc;

use ark_engine::port::Disks;

use crate::location::SnapshotLocation;
use crate::open::OpenError;

pub(crate) async fn open(location: &SnapshotLocation) -> Result<Arc<dyn Disks>, OpenError> {
    Err(OpenError::client(location, "TODO"))
}
