//! The log of one job, compressed while it grows.
//!
//! Lines follow the `key=value` form of Velero's logs, which its users grep.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use flate2::{Compression, GzBuilder, write::GzEncoder};

use crate::port::Clock;
use crate::progress::{Event, log_line};

/// Collects the lines of a job; memory is the compressed size.
pub(crate) struct Journal {
    clock: Arc<dyn Clock>,
    gzip: Mutex<GzEncoder<Vec<u8>>>,
}

impl Journal {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let gzip = GzBuilder::new()
            .mtime(0)
            .write(Vec::new(), Compression::fast());
        Self {
            clock,
            gzip: Mutex::new(gzip),
        }
    }

    /// Adds the event's line, if it has one.
    pub(crate) fn record(&self, event: &Event) {
        let Some((level, text)) = log_line(event) else {
            return;
        };
        let time = self.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ");
        let message = serde_json::Value::from(text);
        if let Ok(mut gzip) = self.gzip.lock() {
            // Writing into memory cannot fail.
            let _ = writeln!(gzip, "time=\"{time}\" level={level} msg={message}");
        }
    }

    /// A complete gzip stream of the lines so far; more may follow.
    pub(crate) fn snapshot(&self) -> std::io::Result<Vec<u8>> {
        let Ok(mut gzip) = self.gzip.lock() else {
            return Err(std::io::Error::other("the log's writer panicked"));
        };
        gzip.try_finish()?;
        let done = std::mem::take(gzip.get_mut());
        *gzip = GzBuilder::new()
            .mtime(0)
            .write(done.clone(), Compression::fast());
        Ok(done)
    }
}
