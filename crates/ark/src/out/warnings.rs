//! Warnings of the libraries below, for a command that works without a server:
//! whoever waits shall see for what. A server has its log instead.

use std::fmt::{Debug, Write as _};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// What this program's own crates are called.
const OURS: &str = "ark_";

/// From now on `say` is given each warning as a line. The first one who asks gets
/// them: a process has one place for them.
pub fn show(say: impl Fn(&str) + Send + Sync + 'static) {
    let layer = Warnings(Arc::new(say));
    // Refused when there is one already.
    let _ = tracing::subscriber::set_global_default(Registry::default().with(layer));
}

struct Warnings(Arc<dyn Fn(&str) + Send + Sync>);

impl<S: Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || !metadata.target().starts_with(OURS) {
            return;
        }
        let mut line = Line::default();
        event.record(&mut line);
        (self.0)(&line.text());
    }
}

/// An event as a sentence and its circumstances.
#[derive(Default)]
struct Line {
    message: String,
    fields: String,
}

impl Line {
    fn text(self) -> String {
        let Self { message, fields } = self;
        if fields.is_empty() {
            message
        } else {
            format!("{message}:{fields}")
        }
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn warnings_of_our_crates_become_lines() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let layer = Warnings({
            let lines = Arc::clone(&lines);
            Arc::new(move |line: &str| lines.lock().unwrap().push(line.to_owned()))
        });
        tracing::subscriber::with_default(Registry::default().with(layer), || {
            tracing::warn!(target: "ark_store::s3", attempt = 2, error = %"slow down", "trying again");
            tracing::info!(target: "ark_store::s3", "not worth a line");
            tracing::warn!(target: "hyper", "nobody knows what this means");
        });
        assert_eq!(
            *lines.lock().unwrap(),
            ["trying again: attempt=2 error=slow down"]
        );
    }
}
