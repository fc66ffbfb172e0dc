//! Colour, where it is wanted. Meaning is never carried by colour alone.

use std::io::IsTerminal;

use crate::args::ColorWhen;

/// What a piece of text is, in terms of attention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// It went well.
    Good,
    /// It wants a look.
    Warning,
    /// It went wrong.
    Bad,
    /// It is being worked on.
    Active,
    /// A heading.
    Strong,
    /// Of lesser importance.
    Quiet,
}

/// Whether and how one output stream is coloured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    colored: bool,
}

impl Style {
    /// For a stream.
    pub fn of(stream: &impl IsTerminal, when: ColorWhen) -> Self {
        let colored = match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => stream.is_terminal(),
        };
        Self { colored }
    }

    /// Without colour.
    pub const fn plain() -> Self {
        Self { colored: false }
    }

    /// Whether there is colour at all.
    pub fn is_colored(self) -> bool {
        self.colored
    }

    /// `text` in a tone.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
            Tone::Active => "36",
            Tone::Strong => "1",
            Tone::Quiet => "2",
        };
        if self.colored && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// The tone of a phase of any kind of resource.
pub fn phase(name: &str) -> Tone {
    match name {
        "Completed" | "Available" | "Processed" | "Enabled" | "Ready" => Tone::Good,
        "PartiallyFailed"
        | "WaitingForPluginOperationsPartiallyFailed"
        | "FinalizingPartiallyFailed"
        | "Deleting" => Tone::Warning,
        "Failed" | "FailedValidation" | "Unavailable" | "NotReady" => Tone::Bad,
        "InProgress" | "Finalizing" | "WaitingForPluginOperations" => Tone::Active,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_added_only_where_wanted() {
        assert_eq!(Style::plain().paint(Tone::Bad, "x"), "x");
        let always = Style { colored: true };
        assert_eq!(always.paint(Tone::Bad, "x"), "\x1b[31mx\x1b[0m");
        assert_eq!(always.paint(phase("New"), "New"), "New");
    }
}
