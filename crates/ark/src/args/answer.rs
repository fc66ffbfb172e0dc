//! How long a verb waits for the server's answer.

use std::time::Duration;

use ark_api::GoDuration;
use clap::Args;

use super::value::duration;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// For verbs that ask the server.
#[derive(Debug, Clone, Default, Args)]
pub struct AnswerArgs {
    /// How long to wait for the server's answer [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<GoDuration>,
}

impl AnswerArgs {
    /// The time after which no answer is expected any more.
    pub fn timeout(&self) -> Duration {
        self.timeout.map_or(DEFAULT_TIMEOUT, GoDuration::to_std)
    }
}
