//! Standard error: what the command has to say besides its data, and its one
//! question.
//!
//! Failing to talk is not a failure: errors of writing are dropped.

use std::fmt::Display;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::style::{Style, Tone};
use crate::args::ColorWhen;
use crate::error::{CommandError, ErrorKind};

/// Writes sentences to standard error.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    style: Style,
    terminal: bool,
}

impl Talk {
    /// For this process's standard error.
    pub fn new(color: ColorWhen) -> Self {
        let stderr = io::stderr();
        Self {
            style: Style::of(&stderr, color),
            terminal: stderr.is_terminal(),
        }
    }

    /// Whether somebody is likely to watch.
    pub fn is_terminal(self) -> bool {
        self.terminal
    }

    /// How to colour what is said.
    pub fn style(self) -> Style {
        self.style
    }

    /// A line.
    pub fn say(self, line: impl Display) {
        write(&format!("{line}\n"));
    }

    /// Advice.
    pub fn hint(self, line: impl Display) {
        self.labelled(Tone::Active, "hint", line);
    }

    /// Something that wants a look.
    pub fn warn(self, line: impl Display) {
        self.labelled(Tone::Warning, "warning", line);
    }

    /// The end of a command that failed.
    pub fn error(self, error: &CommandError) {
        if error.kind == ErrorKind::BrokenPipe {
            return;
        }
        self.labelled(Tone::Bad, "error", &error.message);
        for hint in &error.hints {
            self.hint(hint);
        }
    }

    fn labelled(self, tone: Tone, label: &str, line: impl Display) {
        self.say(format_args!(
            "{} {line}",
            self.style.paint(tone, &format!("{label}:"))
        ));
    }

    /// Asks for consent on a terminal; no is the answer unless told otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] where nobody can be asked, or the answer is no.
    pub fn confirm(self, question: &str, flag: &str) -> Result<(), CommandError> {
        if !(self.terminal && io::stdin().is_terminal()) {
            return Err(
                CommandError::refused(format!("this needs consent: {question}"))
                    .hint(format!("add `{flag}` to consent where nobody can be asked")),
            );
        }
        write(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        if read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(CommandError::refused("nothing was changed"))
    }
}

fn write(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
