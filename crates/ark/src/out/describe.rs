//! A description of one thing: a tree of labelled values that is rendered as
//! aligned text for people, or as JSON and YAML for programs.
//!
//! Whoever describes builds the tree once; both forms follow from it. An entry
//! with the empty key is for people only.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::style::{Style, Tone};

/// What stands for no value.
pub const NONE: &str = "<none>";
const INDENT: usize = 2;
const GAP: usize = 2;

/// A labelled value, or a group of them.
#[derive(Debug, Clone)]
enum Entry {
    /// `Label:  value`.
    Field {
        label: String,
        key: String,
        value: Value,
        text: String,
        tone: Tone,
    },
    /// `Label:  first`, the others below it.
    Lines {
        label: String,
        key: String,
        lines: Vec<String>,
        value: Value,
    },
    /// `Label:` with one indented line for each item.
    Bullets {
        label: String,
        key: String,
        lines: Vec<String>,
        value: Value,
    },
    /// `Label:` with indented entries below it.
    Section {
        label: String,
        key: String,
        inside: Description,
    },
    /// Entries that lie deeper in documents but not in the text.
    Group { key: String, inside: Description },
    /// A value that only documents have.
    Kept { key: String, value: Value },
    /// An empty line in the text.
    Gap,
}

/// Labelled values in order.
#[derive(Debug, Clone, Default)]
pub struct Description {
    entries: Vec<Entry>,
}

impl Description {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A value whose text is its JSON without quotes; `<none>` for null and "".
    pub fn field(&mut self, label: &str, key: &str, value: impl Into<Value>) -> &mut Self {
        let value = value.into();
        let text = plain(&value);
        self.shown(label, key, value, text)
    }

    /// A value that people see in another form.
    pub fn shown(
        &mut self,
        label: &str,
        key: &str,
        value: impl Into<Value>,
        text: impl Into<String>,
    ) -> &mut Self {
        let (label, key) = (label.to_owned(), key.to_owned());
        let (value, text) = (value.into(), text.into());
        self.entries.push(Entry::Field {
            label,
            key,
            value,
            text,
            tone: Tone::Plain,
        });
        self
    }

    /// A phase, in its tone, with advice that only people see.
    pub fn phase(&mut self, label: &str, key: &str, phase: &str, advice: &str) -> &mut Self {
        self.entries.push(Entry::Field {
            label: label.to_owned(),
            key: key.to_owned(),
            value: Value::from(phase),
            text: format!("{phase}{advice}"),
            tone: super::style::phase(phase),
        });
        self
    }

    /// A value that only people see.
    pub fn told(&mut self, label: &str, text: impl Into<String>) -> &mut Self {
        self.shown(label, "", Value::Null, text)
    }

    /// A value that only documents have.
    pub fn kept(&mut self, key: &str, value: impl Into<Value>) -> &mut Self {
        self.entries.push(Entry::Kept {
            key: key.to_owned(),
            value: value.into(),
        });
        self
    }

    /// A list, one item a line.
    pub fn lines(&mut self, label: &str, key: &str, lines: Vec<String>) -> &mut Self {
        let value = Value::from(lines.clone());
        self.map(label, key, lines, value)
    }

    /// Lines that documents keep in another form.
    pub fn map(&mut self, label: &str, key: &str, lines: Vec<String>, value: Value) -> &mut Self {
        let (label, key) = (label.to_owned(), key.to_owned());
        self.entries.push(Entry::Lines {
            label,
            key,
            lines,
            value,
        });
        self
    }

    /// Indented lines that documents keep as a list.
    pub fn bullets(
        &mut self,
        label: &str,
        key: &str,
        lines: Vec<String>,
        items: Vec<String>,
    ) -> &mut Self {
        let (label, key, value) = (label.to_owned(), key.to_owned(), Value::from(items));
        self.entries.push(Entry::Bullets {
            label,
            key,
            lines,
            value,
        });
        self
    }

    /// A heading with entries below it.
    pub fn section(&mut self, label: &str, key: &str, inside: Description) -> &mut Self {
        self.entries.push(Entry::Section {
            label: label.to_owned(),
            key: key.to_owned(),
            inside,
        });
        self
    }

    /// Entries that documents keep under `key` and the text shows in line.
    pub fn group(&mut self, key: &str, inside: Description) -> &mut Self {
        self.entries.push(Entry::Group {
            key: key.to_owned(),
            inside,
        });
        self
    }

    /// An empty line in the text.
    pub fn gap(&mut self) -> &mut Self {
        self.entries.push(Entry::Gap);
        self
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text for people.
    pub fn to_text(&self, style: Style) -> String {
        let mut text = String::new();
        render(&self.flat(), 0, style, &mut text);
        text
    }

    /// The document for programs.
    pub fn to_value(&self) -> Value {
        let mut object = Map::new();
        self.fill(&mut object);
        Value::Object(object)
    }

    fn fill(&self, object: &mut Map<String, Value>) {
        for entry in &self.entries {
            let (key, value) = match entry {
                Entry::Field { key, value, .. }
                | Entry::Kept { key, value }
                | Entry::Lines { key, value, .. }
                | Entry::Bullets { key, value, .. } => (key, value.clone()),
                Entry::Section { key, inside, .. } | Entry::Group { key, inside } => {
                    (key, inside.to_value())
                }
                Entry::Gap => continue,
            };
            if key.is_empty() {
                continue;
            }
            match (object.get_mut(key), value) {
                // Two groups of one key are one object.
                (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
                (_, value) => {
                    object.insert(key.clone(), value);
                }
            }
        }
    }

    /// The entries as the text shows them, groups dissolved.
    fn flat(&self) -> Vec<&Entry> {
        let mut flat = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            match entry {
                Entry::Group { inside, .. } => flat.extend(inside.flat()),
                Entry::Kept { .. } => {}
                other => flat.push(other),
            }
        }
        flat
    }
}

/// Writes entries; values line up within each run of fields.
fn render(entries: &[&Entry], indent: usize, style: Style, text: &mut String) {
    let runs = entries.chunk_by(|a, b| !breaks(a) && !breaks(b));
    for run in runs {
        let width = run
            .iter()
            .map(|entry| label(entry).chars().count() + 1)
            .max()
            .unwrap_or(0)
            + GAP;
        for entry in run {
            one(entry, indent, width, style, text);
        }
    }
}

/// Whether an entry ends the run of fields that line up.
fn breaks(entry: &Entry) -> bool {
    matches!(
        entry,
        Entry::Section { .. } | Entry::Bullets { .. } | Entry::Gap
    )
}

fn label(entry: &Entry) -> &str {
    match entry {
        Entry::Field { label, .. }
        | Entry::Lines { label, .. }
        | Entry::Bullets { label, .. }
        | Entry::Section { label, .. } => label,
        Entry::Group { .. } | Entry::Kept { .. } | Entry::Gap => "",
    }
}

fn one(entry: &Entry, indent: usize, width: usize, style: Style, text: &mut String) {
    let margin = " ".repeat(indent);
    match entry {
        Entry::Gap => text.push('\n'),
        Entry::Kept { .. } => {}
        Entry::Group { inside, .. } => render(&inside.flat(), indent, style, text),
        Entry::Section { label, inside, .. } => {
            let _ = writeln!(
                text,
                "{margin}{}",
                style.paint(Tone::Strong, &format!("{label}:"))
            );
            render(&inside.flat(), indent + INDENT, style, text);
        }
        Entry::Field {
            label,
            text: value,
            tone,
            ..
        } => {
            let head = format!("{label}:");
            for (at, line) in value.lines().enumerate() {
                let head = if at == 0 { head.as_str() } else { "" };
                let _ = writeln!(text, "{margin}{head:<width$}{}", style.paint(*tone, line));
            }
        }
        Entry::Bullets { label, lines, .. } => {
            let _ = writeln!(text, "{margin}{label}:");
            for line in lines {
                let _ = writeln!(text, "{margin}{:INDENT$}{line}", "");
            }
        }
        Entry::Lines { label, lines, .. } => {
            let none = [NONE.to_owned()];
            let lines = if lines.is_empty() { &none[..] } else { lines };
            let head = format!("{label}:");
            for (at, line) in lines.iter().flat_map(|line| line.lines()).enumerate() {
                let head = if at == 0 { head.as_str() } else { "" };
                let _ = writeln!(text, "{margin}{head:<width$}{line}");
            }
        }
    }
}

/// A JSON value as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => NONE.to_owned(),
        Value::String(text) if text.is_empty() => NONE.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => NONE.to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Description {
        let mut metadata = Description::new();
        metadata.field("Name", "name", "nightly");
        metadata.lines("Labels", "labels", vec!["a=1".into(), "b=2".into()]);
        let mut namespaces = Description::new();
        namespaces.field("Included", "included", vec!["a", "b"]);
        namespaces.field("Excluded", "excluded", Vec::<String>::new());
        let mut spec = Description::new();
        spec.section("Namespaces", "namespaces", namespaces);
        let mut description = Description::new();
        description
            .group("metadata", metadata)
            .gap()
            .group("spec", spec);
        description
            .gap()
            .phase("Phase", "phase", "Failed", " (see the log)");
        description.told("Hint", "for people").kept("odd:", 1);
        description
    }

    #[test]
    fn text_lines_up_within_blocks() {
        assert_eq!(
            sample().to_text(Style::plain()),
            "Name:    nightly\n\
             Labels:  a=1\n\
             \x20        b=2\n\
             \n\
             Namespaces:\n\
             \x20 Included:  a, b\n\
             \x20 Excluded:  <none>\n\
             \n\
             Phase:  Failed (see the log)\n\
             Hint:   for people\n"
        );
    }

    #[test]
    fn documents_keep_the_groups() {
        assert_eq!(
            sample().to_value(),
            json!({
                "metadata": {"name": "nightly", "labels": ["a=1", "b=2"]},
                "spec": {"namespaces": {"included": ["a", "b"], "excluded": []}},
                "phase": "Failed",
                "odd:": 1,
            })
        );
    }
}
