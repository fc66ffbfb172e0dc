//! The right to act: held by one server of a namespace at a time.

use std::sync::Arc;

use ark_engine::port::Clock;
use ark_kube::lease::{self, Leadership, LeaseOptions};
use ark_kube::{ConnectError, Connection};
use tokio_util::sync::CancellationToken;

use crate::options::ServerOptions;

/// Name of the lease in the server's namespace.
const LEASE: &str = "ark-server";

/// The right to act: the lease, or nothing where no lease is wanted.
pub(super) struct Seat(Option<Leadership>);

impl Seat {
    /// Returns when the right is lost.
    pub(super) async fn lost(&self) {
        match &self.0 {
            Some(leadership) => leadership.lost().cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// Gives it back.
    pub(super) async fn leave(self) {
        if let Some(leadership) = self.0 {
            leadership.release().await;
        }
    }
}

/// What is needed to ask for a seat.
pub(super) struct Election {
    connection: Connection,
    clock: Arc<dyn Clock>,
    lease: Option<LeaseOptions>,
}

/// Prepares to ask. Sends nothing.
///
/// Whoever asks does so on a connection of its own: behind the calls of a restore
/// that keeps a slow API server busy, a renewal would come too late.
pub(super) fn take_seat(
    connection: &Connection,
    namespace: &str,
    options: &ServerOptions,
    clock: &Arc<dyn Clock>,
) -> Result<Election, ConnectError> {
    let deadline = options.lease_duration * 2 / 3;
    let lease = options.leader_election.then(|| {
        let identity = options.identity.clone().unwrap_or_else(|| {
            format!("ark-{}-{}", std::process::id(), clock.now().as_nanosecond())
        });
        LeaseOptions {
            duration: options.lease_duration,
            deadline,
            retry: options.lease_duration / 7,
            ..LeaseOptions::new(namespace, LEASE, &identity)
        }
    });
    Ok(Election {
        // A renewal that hangs leaves the time for another one.
        connection: connection.apart(deadline / 2)?,
        clock: Arc::clone(clock),
        lease,
    })
}

impl Election {
    /// Waits for the seat; `None` when `shutdown` was cancelled before.
    pub(super) async fn await_or(self, shutdown: &CancellationToken) -> Option<Seat> {
        let Some(lease) = self.lease else {
            return Some(Seat(None));
        };
        let leadership =
            lease::elect(Arc::new(self.connection), self.clock, lease, shutdown).await?;
        Some(Seat(Some(leadership)))
    }
}
