//! What the demo shows: numbered steps, short sentences, tables. A spinner lives
//! on a terminal only; elsewhere there are plain lines. Nothing is decided here.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Pause between two lines about the same task where there is no terminal.
const LINE_PAUSE: Duration = Duration::from_secs(15);
const TICK: Duration = Duration::from_millis(100);
const INDENT: &str = "    ";

/// Standard output, as people see it.
#[derive(Debug)]
pub(crate) struct Screen {
    out: io::Stdout,
    colored: bool,
    live: bool,
    started: Instant,
    steps: usize,
    step: Cell<usize>,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tone {
    /// It went well.
    Good,
    /// A heading.
    Strong,
    /// Of lesser importance.
    Quiet,
}

impl Screen {
    /// For a demo of so many steps.
    pub(crate) fn new(steps: usize) -> Self {
        let dumb = variable("TERM").is_some_and(|term| term == "dumb");
        let out = io::stdout();
        let terminal = out.is_terminal() && !dumb;
        Self {
            out,
            colored: terminal && variable("NO_COLOR").is_none(),
            live: terminal && io::stderr().is_terminal(),
            started: Instant::now(),
            steps,
            step: Cell::new(0),
        }
    }

    /// The heading of everything.
    pub(crate) fn title(&self, title: &str, about: &str) {
        self.line(self.paint(Tone::Strong, title));
        self.line(self.paint(Tone::Quiet, about));
    }

    /// Begins the next step.
    pub(crate) fn step(&self, title: &str) {
        self.step.set(self.step.get() + 1);
        let number = format!("{}/{}", self.step.get(), self.steps);
        let (number, title) = (
            self.paint(Tone::Quiet, &number),
            self.paint(Tone::Strong, title),
        );
        self.line(format_args!("\n{number} {title}"));
    }

    /// Begins something that takes a while; `doing` is shown meanwhile.
    pub(crate) fn task(&self, doing: &str) -> Task<'_> {
        let bar = self.live.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(spinner(self.colored));
            bar.set_message(doing.to_owned());
            bar.enable_steady_tick(TICK);
            bar
        });
        Task {
            screen: self,
            bar,
            doing: doing.to_owned(),
            started: Instant::now(),
            said: Cell::new(Instant::now()),
        }
    }

    /// A command as it is typed.
    pub(crate) fn command(&self, command: &str) {
        let prompt = self.paint(Tone::Quiet, "$");
        self.line(format_args!("{INDENT}{prompt} {command}"));
    }

    /// Text of several lines, such as the output of a command.
    pub(crate) fn block(&self, text: &str) {
        for one in text.trim_end().lines() {
            let one = format!("{INDENT}{}", self.paint(Tone::Quiet, one));
            self.line(one.trim_end());
        }
    }

    /// A sentence.
    pub(crate) fn say(&self, text: &str) {
        let text = format!("{INDENT}{text}");
        self.line(text.trim_end());
    }

    /// A sentence about something that is done.
    pub(crate) fn done(&self, text: &str) {
        let mark = self.paint(Tone::Good, "✓");
        self.line(format_args!("{INDENT}{mark} {text}"));
    }

    fn line(&self, text: impl Display) {
        // Nothing sensible is left to do when nobody reads any more.
        let _ = writeln!(self.out.lock(), "{text}");
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// `text` in a tone.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
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

/// Something that takes a while.
#[derive(Debug)]
pub(crate) struct Task<'a> {
    screen: &'a Screen,
    bar: Option<ProgressBar>,
    doing: String,
    started: Instant,
    said: Cell<Instant>,
}

impl Task<'_> {
    /// Tells how far it is. Cheap; without a terminal most of it is not shown.
    pub(crate) fn update(&self, how_far: &str) {
        if let Some(bar) = &self.bar {
            let text: String = how_far.chars().take(70).collect();
            bar.set_message(format!("{}: {text}", self.doing));
        } else if self.said.get().elapsed() >= LINE_PAUSE {
            self.said.set(Instant::now());
            self.screen.say(&format!(
                "{}: {how_far} ({})",
                self.doing,
                seconds(self.started.elapsed())
            ));
        }
    }

    /// It is done, and this is what came of it.
    pub(crate) fn done(self, what: &str) {
        let time = format!("({})", seconds(self.started.elapsed()));
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let time = self.screen.paint(Tone::Quiet, &time);
        self.screen.done(&format!("{what} {time}"));
    }
}

impl Drop for Task<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// `4.2s`, `1m12s`.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_mins(1) {
        return format!("{:.1}s", time.as_secs_f64());
    }
    format!("{}m{:02}s", time.as_secs() / 60, time.as_secs() % 60)
}

/// `1,234 objects`, `1 object`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text} {noun}{}", if count == 1 { "" } else { "s" })
}

fn spinner(colored: bool) -> ProgressStyle {
    let template = if colored {
        "    {spinner:.cyan} {msg} {elapsed:.dim}"
    } else {
        "    {spinner} {msg} {elapsed}"
    };
    // The templates are constants; a broken one falls back to the usual spinner.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of this program that reads the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_readable() {
        assert_eq!(counted(1, "object"), "1 object");
        assert_eq!(counted(1_234_567, "object"), "1,234,567 objects");
        assert_eq!(counted(123, "object"), "123 objects");
        assert_eq!(seconds(Duration::from_millis(4_240)), "4.2s");
        assert_eq!(seconds(Duration::from_secs(72)), "1m12s");
    }
}
