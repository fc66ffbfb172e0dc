//! The clouds' APIs for disks and snapshots on loopback over plain HTTP: Compute
//! Engine's and Azure Resource Manager's, by one server in the test's own process.
//!
//! There is no emulator to run instead. That this one speaks as the clouds do is
//! judged by their own Python clients (see [`judge`]), which know nothing of ours.
//! It keeps descriptions, not bytes. Known differences to the clouds': any bearer
//! token is good, every project, zone, subscription and resource group exists, what
//! is deleted is gone at once, and nothing depends on time: what takes long in a
//! cloud takes a number of looks here.

mod arm;
mod gce;
mod http;
pub mod judge;
mod record;
mod serve;
mod state;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::record::{Cloud, DiskRecord, Fault, Request, SnapshotRecord};
use self::state::State;

/// A running server with both clouds' APIs; its threads end with the process.
#[derive(Debug, Clone)]
pub struct DiskCloud {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl DiskCloud {
    /// Starts an empty one at a free port.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let state = Arc::new(Mutex::new(State::new()));
        serve::start(listener, Arc::clone(&state))?;
        Ok(Self { address, state })
    }

    /// `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:PORT`, before which clients put nothing: Google's paths begin
    /// with `/compute/v1/projects/`, Azure's with `/subscriptions/`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was asked so far, oldest first, whatever it answered.
    pub fn requests(&self) -> Vec<Request> {
        self.state().log.clone()
    }

    /// Answers requests with an error instead of doing what they ask for.
    pub fn fail(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Does what the next `times` requests of `method` whose target contains `path` ask
    /// for, and then closes the connection without an answer.
    pub fn lose_answer(&self, method: &str, path: &str, times: u32) {
        self.fail(Fault::lost(method, path).times(times));
    }

    /// From now on, how often a new snapshot is looked at (by a get or a list) before it
    /// is ready; 1 if never called.
    pub fn set_snapshot_steps(&self, steps: u32) {
        self.state().snapshot_steps = steps;
    }

    /// From now on, how often a new operation is looked at before it is done; 1 if never
    /// called. Google's `wait` answers after one step, finished or not.
    pub fn set_operation_steps(&self, steps: u32) {
        self.state().operation_steps = steps;
    }

    /// From now on, how many items a page of a list has at most; 500 if never called.
    ///
    /// # Panics
    /// When it is zero: such lists have no end.
    pub fn set_page_size(&self, items: usize) {
        assert!(items > 0, "a page has at least one item");
        self.state().page_size = items;
    }

    /// Lets the next snapshot that is made fail in the end, for `reason`; called twice,
    /// the next two.
    pub fn fail_next_snapshot(&self, reason: &str) {
        self.state().failures.push_back(reason.to_owned());
    }

    /// The disks that there are, sorted by their paths in the cloud.
    pub fn disks(&self) -> Vec<DiskRecord> {
        self.state().disks()
    }

    /// The snapshots that there are, sorted by their paths in the cloud.
    pub fn snapshots(&self) -> Vec<SnapshotRecord> {
        self.state().snapshots()
    }

    /// Puts a disk there, in place of the one at the same path if there is one.
    pub fn add_disk(&self, disk: &DiskRecord) {
        self.state().add_disk(disk);
    }

    /// Forgets all: disks, snapshots, operations, requests, faults and settings.
    pub fn clear(&self) {
        *self.state() = State::new();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
