//! How a command ends: its exit code, and the sentence and hints for people.
//!
//! The kind of an error alone fixes the exit code. Failures of the libraries
//! become sentences in `error/from.rs`, nowhere else.

mod from;

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Exit codes. They are part of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, nothing missing.
    Done = 0,
    /// An error; nothing usable came of it.
    Failed = 1,
    /// The command line itself is wrong.
    Usage = 2,
    /// Finished, but some items failed.
    ItemFailures = 3,
    /// Refused: a conflict, a failed validation, a missing approval.
    Refused = 4,
    /// A verification found damage.
    Unverified = 5,
    /// A wait ran out of time; the operation may still be running.
    TimedOut = 6,
    /// Interrupted by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Classes of errors, by exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// [`Exit::Failed`].
    Failed,
    /// [`Exit::Usage`].
    Usage,
    /// [`Exit::Refused`].
    Refused,
    /// [`Exit::TimedOut`].
    TimedOut,
    /// [`Exit::Interrupted`].
    Interrupted,
    /// The reader of our output is gone: that is success, and nothing is said.
    BrokenPipe,
}

/// Why a command ended without what it was asked for.
#[derive(Debug)]
pub struct CommandError {
    /// Fixes the exit code.
    pub kind: ErrorKind,
    /// What went wrong, without a period at its end.
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
}

impl CommandError {
    /// An error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// Something did not work.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, message)
    }

    /// The command line is wrong in a way that only became clear later.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    /// Ark will not do this.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, message)
    }

    /// A library's error with all its causes in one sentence.
    pub fn because(doing: impl fmt::Display, error: &dyn Error) -> Self {
        Self::failed(format!("{doing}: {}", chain(error)))
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The code to exit with.
    pub fn exit(&self) -> Exit {
        match self.kind {
            ErrorKind::Failed => Exit::Failed,
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Refused => Exit::Refused,
            ErrorKind::TimedOut => Exit::TimedOut,
            ErrorKind::Interrupted => Exit::Interrupted,
            ErrorKind::BrokenPipe => Exit::Done,
        }
    }
}

/// The messages of an error and its causes, joined by colons. A cause whose
/// text the message before it already holds is left out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Layer(&'static str, #[source] Option<Box<Layer>>);

    #[test]
    fn causes_are_joined_and_repetitions_dropped() {
        let inner = Layer("no such file", None);
        let middle = Layer("cannot open: no such file", Some(Box::new(inner)));
        let outer = Layer("cannot start", Some(Box::new(middle)));
        assert_eq!(chain(&outer), "cannot start: cannot open: no such file");
    }

    #[test]
    fn the_kind_fixes_the_code() {
        assert_eq!(CommandError::refused("x").exit() as u8, 4);
        assert_eq!(CommandError::new(ErrorKind::BrokenPipe, "").exit() as u8, 0);
        assert_eq!(
            CommandError::new(ErrorKind::Interrupted, "x").exit() as u8,
            130
        );
    }
}
