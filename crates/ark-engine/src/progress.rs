//! What a running job tells the world: one stream of events for every listener.
//!
//! Status updates, the job's log, metrics and the terminal's bar are all made
//! from these events; none of them reaches into the engine.

use crate::outcome::{Issue, Severity};

/// The parts of a job that come after its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What others do for the job is awaited, such as snapshots.
    Waiting,
    /// The last steps.
    Finalizing,
}

/// Something that happened in a job.
#[derive(Debug, Clone)]
pub enum Event {
    /// A part of the job begins; the text is for people.
    Stage(String),
    /// What is left after the items; `partial` if something failed before.
    Part {
        /// Which part.
        part: Part,
        /// Whether something failed before.
        partial: bool,
    },
    /// How many items there will be, as far as is known now.
    Total(u64),
    /// How many items are done.
    Done(u64),
    /// A problem.
    Issue(Issue),
    /// A line worth keeping in the job's log.
    Note(String),
}

/// A listener. Calls must return at once: they run inside the pipeline.
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn on(&self, event: &Event);
}

/// Passes every event to several listeners.
#[derive(Default)]
pub struct Fanout(pub Vec<std::sync::Arc<dyn Observer>>);

impl Observer for Fanout {
    fn on(&self, event: &Event) {
        for observer in &self.0 {
            observer.on(event);
        }
    }
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _event: &Event) {}
}

/// The line that stands for an event in a job's log, if it has one.
pub fn log_line(event: &Event) -> Option<(&'static str, String)> {
    match event {
        Event::Stage(text) | Event::Note(text) => Some(("info", text.clone())),
        Event::Issue(issue) => {
            let level = match issue.severity {
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            Some((level, issue.message.clone()))
        }
        Event::Total(_) | Event::Done(_) | Event::Part { .. } => None,
    }
}
