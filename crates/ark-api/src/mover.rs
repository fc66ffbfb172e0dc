//! What the four kinds that move volume data have in common: phases, progress
//! and the name of the program that moves. Types only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::wire::{null, zero};

phases! {
    /// Where the movement of one volume's data stands.
    pub enum MoverPhase {
        /// Nobody took it yet.
        New => [Accepted, Canceled, Failed],
        /// A node agent took it and gets the volume ready.
        Accepted => [Prepared, Canceling, Canceled, Failed],
        /// The volume is within reach; waits for a free slot on the node.
        Prepared => [InProgress, Canceling, Canceled, Failed],
        /// Data is being moved.
        InProgress => [Completed, Failed, Canceling, Canceled],
        /// It was asked to stop.
        Canceling => [Canceled, Completed, Failed],
        /// It was stopped before it was done.
        Canceled => [],
        /// All data is moved.
        Completed => [],
        /// It ended with an error.
        Failed => [],
    }
    terminal [Canceled, Completed, Failed]
}

named! {
    /// The program that moves the data of a file backup.
    pub enum UploaderType {
        /// Kopia repository format.
        Kopia = "kopia",
        /// Restic repository format.
        Restic = "restic",
    }
    also [""]
}

/// How far a movement has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct MoveProgress {
    /// Bytes to move in all, as far as known.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub total_bytes: i64,
    /// Bytes moved so far.
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub bytes_done: i64,
}
