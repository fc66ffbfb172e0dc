//! The progress of one job: a bar on a terminal, a line every few seconds
//! elsewhere. Always on standard error.

use std::fmt::Write;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::human;
use super::talk::Talk;

/// Pause between two lines where there is no terminal.
const LINE_PAUSE: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(120);

/// Shows how far a job is. Cheap to update; may be shared between tasks.
#[derive(Debug)]
pub struct Progress {
    face: Face,
}

#[derive(Debug)]
enum Face {
    Bar(ProgressBar),
    Lines { talk: Talk, state: Mutex<Lines> },
}

#[derive(Debug)]
struct Lines {
    title: String,
    started: Instant,
    said: Option<Instant>,
    done: u64,
    total: u64,
    /// What was said last, so that nothing is said twice.
    last: Option<(String, u64, u64)>,
}

impl Progress {
    /// Starts showing, under a title such as `Backing up`.
    pub fn start(talk: Talk, title: &str) -> Self {
        if talk.is_terminal() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(spinner());
            bar.set_message(title.to_owned());
            bar.enable_steady_tick(TICK);
            return Self {
                face: Face::Bar(bar),
            };
        }
        let state = Lines {
            title: title.to_owned(),
            started: Instant::now(),
            said: None,
            done: 0,
            total: 0,
            last: None,
        };
        Self {
            face: Face::Lines {
                talk,
                state: Mutex::new(state),
            },
        }
    }

    /// Names what is being done now.
    pub fn stage(&self, title: &str) {
        match &self.face {
            Face::Bar(bar) => bar.set_message(title.to_owned()),
            Face::Lines { talk, state } => {
                if let Ok(mut lines) = state.lock() {
                    title.clone_into(&mut lines.title);
                    lines.say(*talk, false);
                }
            }
        }
    }

    /// Sets how many items there will be, 0 while that is not known.
    pub fn total(&self, total: u64) {
        match &self.face {
            Face::Bar(bar) if total == 0 => {
                bar.unset_length();
                bar.set_style(spinner());
            }
            Face::Bar(bar) => {
                if bar.length() != Some(total) {
                    bar.set_length(total);
                    bar.set_style(full());
                }
            }
            Face::Lines { state, .. } => {
                if let Ok(mut lines) = state.lock() {
                    lines.total = total;
                }
            }
        }
    }

    /// Sets how many items are done.
    pub fn done(&self, done: u64) {
        match &self.face {
            Face::Bar(bar) => bar.set_position(done),
            Face::Lines { talk, state } => {
                if let Ok(mut lines) = state.lock() {
                    lines.done = done;
                    lines.say(*talk, false);
                }
            }
        }
    }

    /// Says a line without disturbing the bar.
    pub fn say(&self, talk: Talk, line: &str) {
        match &self.face {
            Face::Bar(bar) => bar.suspend(|| talk.say(line)),
            Face::Lines { .. } => talk.say(line),
        }
    }

    /// Takes the bar away; the last count is said where there is none.
    pub fn finish(&self) {
        match &self.face {
            Face::Bar(bar) => bar.finish_and_clear(),
            Face::Lines { talk, state } => {
                if let Ok(mut lines) = state.lock() {
                    lines.say(*talk, true);
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Face::Bar(bar) = &self.face {
            bar.finish_and_clear();
        }
    }
}

impl Lines {
    fn say(&mut self, talk: Talk, last: bool) {
        let due = self.said.is_none_or(|said| said.elapsed() >= LINE_PAUSE);
        let state = (self.title.clone(), self.done, self.total);
        if !(due || last && self.done > 0) || self.last.as_ref() == Some(&state) {
            return;
        }
        talk.say(line(
            &self.title,
            self.done,
            self.total,
            self.started.elapsed(),
        ));
        self.said = Some(Instant::now());
        self.last = Some(state);
    }
}

/// `Backing up: 1,234 of 20,000 items, 512/s, 12s`.
fn line(title: &str, done: u64, total: u64, elapsed: Duration) -> String {
    if done == 0 && total == 0 {
        return title.to_owned();
    }
    let mut text = format!("{title}: {}", human::count(done));
    if total > 0 {
        let _ = write!(text, " of {}", human::count(total));
    }
    text.push_str(" items");
    let seconds = elapsed.as_secs_f64();
    if seconds >= 1.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people, never negative"
        )]
        let rate = (done as f64 / seconds) as u64;
        let _ = write!(text, ", {}/s, {}", human::count(rate), human::span(elapsed));
    }
    text
}

fn spinner() -> ProgressStyle {
    style("{spinner:.cyan} {msg} {elapsed:.dim}")
}

fn full() -> ProgressStyle {
    style("{spinner:.cyan} {msg} [{wide_bar:.cyan/dim}] {human_pos}/{human_len} items  {rate:.dim} {elapsed:.dim}")
        .with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
            let _ = write!(text, "{:.0}/s", state.per_sec());
        })
        .progress_chars("━╸─")
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants; an invalid one falls back to the plain bar.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_known() {
        assert_eq!(line("Backing up", 0, 0, Duration::ZERO), "Backing up");
        assert_eq!(
            line("Backing up", 5, 0, Duration::ZERO),
            "Backing up: 5 items"
        );
        assert_eq!(
            line("Backing up", 1200, 20_000, Duration::from_secs(12)),
            "Backing up: 1,200 of 20,000 items, 100/s, 12s"
        );
    }

    #[test]
    fn templates_are_valid() {
        for template in [
            "{spinner:.cyan} {msg} {elapsed:.dim}",
            "{wide_bar:.cyan/dim} {per_sec:.dim}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok());
        }
    }
}
