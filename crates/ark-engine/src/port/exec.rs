//! Running a command in a container: what is asked, and how it ended.

use std::time::Duration;

/// Bytes of each output stream that are kept; the rest is counted only.
const KEPT: usize = 64 << 10;

/// A command for a container.
#[derive(Debug, Clone, Copy)]
pub struct ExecCommand<'a> {
    /// Namespace of the pod.
    pub namespace: &'a str,
    /// The pod.
    pub pod: &'a str,
    /// The container.
    pub container: &'a str,
    /// The program and its arguments; no shell is involved.
    pub command: &'a [String],
    /// How long the whole may take, from asking for it to its end.
    pub timeout: Duration,
}

/// A command that was started.
#[derive(Debug, Clone, Default)]
pub struct Execution {
    /// How it ended.
    pub end: ExecEnd,
    /// What it wrote to standard output.
    pub stdout: Captured,
    /// What it wrote to standard error.
    pub stderr: Captured,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecEnd {
    /// By itself, with this exit code.
    Exited(i32),
    /// It ran longer than it may. The connection to it is closed; whether the
    /// container's runtime also ends the process is the runtime's affair.
    TimedOut,
    /// The node could not run it, or the connection to it broke.
    Failed(String),
}

impl Default for ExecEnd {
    fn default() -> Self {
        Self::Exited(0)
    }
}

/// The beginning of an output stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Captured {
    bytes: Vec<u8>,
    dropped: u64,
}

impl Captured {
    /// Takes more output; beyond 64 KiB it is only counted.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = KEPT - self.bytes.len();
        let (kept, rest) = bytes.split_at(room.min(bytes.len()));
        self.bytes.extend_from_slice(kept);
        self.dropped += rest.len() as u64;
    }

    /// The text, without blanks at its end; says how much is missing.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.bytes);
        let text = text.trim_end();
        match self.dropped {
            0 => text.to_owned(),
            dropped => format!("{text} … ({dropped} more bytes)"),
        }
    }

    /// Whether nothing but blanks was written.
    pub fn is_blank(&self) -> bool {
        self.bytes.iter().all(u8::is_ascii_whitespace) && self.dropped == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_output_is_cut_and_says_so() {
        let mut captured = Captured::default();
        for _ in 0..9 {
            captured.push(&[b'x'; 8 << 10]);
        }
        let text = captured.text();
        assert!(text.ends_with("x … (8192 more bytes)"));
        assert!(text.len() < KEPT + 64);
        assert!(!captured.is_blank());
        assert!(Captured::default().is_blank());
    }
}
