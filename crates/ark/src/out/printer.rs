//! Standard output. Data only; nothing else in this crate may write there.

use std::io::{self, Write as _};
use std::sync::Mutex;

use super::style::Style;
use crate::args::ColorWhen;
use crate::error::{CommandError, ErrorKind};

/// Writes data to standard output.
#[derive(Debug)]
pub struct Printer {
    style: Style,
    // Serialises writers, so that documents of concurrent tasks do not mix.
    lock: Mutex<()>,
}

impl Printer {
    /// For this process's standard output.
    pub fn new(color: ColorWhen) -> Self {
        Self {
            style: Style::of(&io::stdout(), color),
            lock: Mutex::new(()),
        }
    }

    /// How to colour what is printed.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Writes `data` as it is and flushes.
    ///
    /// # Errors
    /// A reader that went away is [`ErrorKind::BrokenPipe`], which ends the
    /// command as a success.
    pub fn print(&self, data: impl AsRef<[u8]>) -> Result<(), CommandError> {
        let _guard = self.lock.lock();
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(data.as_ref())
            .and_then(|()| stdout.flush())
            .map_err(|error| {
                if error.kind() == io::ErrorKind::BrokenPipe {
                    CommandError::new(ErrorKind::BrokenPipe, "the reader of the output went away")
                } else {
                    CommandError::because("cannot write to standard output", &error)
                }
            })
    }
}
