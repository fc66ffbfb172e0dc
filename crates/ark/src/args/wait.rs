//! Flags of verbs that can wait for what they started.

use std::time::Duration;

use ark_api::GoDuration;
use clap::Args;

use super::value::duration;

/// Whether and how long to wait.
#[derive(Debug, Clone, Default, Args)]
pub struct WaitArgs {
    /// Wait until it has ended, showing progress, and exit by its result
    #[arg(short, long)]
    pub wait: bool,

    /// Give up waiting after this time, such as 30m; what was started goes on
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "wait")]
    wait_timeout: Option<GoDuration>,
}

impl WaitArgs {
    /// How long to wait at most.
    pub fn timeout(&self) -> Option<Duration> {
        self.wait_timeout.map(GoDuration::to_std)
    }
}
