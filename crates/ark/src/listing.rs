//! What `get` verbs have in common: from objects to tables and documents.
//!
//! A kind says what its columns are by implementing [`Shown`] in the file of
//! its `get` verb; everything else is here.

use std::collections::BTreeMap;

use ark_api::ObjectMeta;
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::args::output::ListOutputArgs;
use crate::args::which::LookArgs;
use crate::cluster::{self, Resource};
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::out::document::{self, Format, ObjectFormat};
use crate::out::style::Style;
use crate::out::table::{Cell, Table};

/// A kind that can be listed.
pub trait Shown: Resource {
    /// Headers of the table.
    const COLUMNS: &[&str];
    /// Further headers of the wide table.
    const WIDE: &[&str];

    /// One cell for each of [`COLUMNS`](Self::COLUMNS).
    fn cells(&self, now: Timestamp) -> Vec<Cell>;

    /// One cell for each of [`WIDE`](Self::WIDE).
    fn wide_cells(&self, now: Timestamp) -> Vec<Cell>;

    /// Puts objects into the order of the table.
    fn arrange(objects: &mut [Self]) {
        objects.sort_by(|a, b| name(a).cmp(name(b)));
    }
}

const EXAMPLES: &str = "\
Examples:
  ark get backups
  ark get restores -l team=red -o yaml
  ark get backup-locations -L team";

/// Flags of every `get` verb.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct GetArgs {
    #[command(flatten)]
    which: LookArgs,

    #[command(flatten)]
    output: ListOutputArgs,
}

impl GetArgs {
    /// The names asked for.
    pub fn names(&self) -> &[String] {
        &self.which.names
    }

    /// Whether a selector is given.
    pub fn has_selector(&self) -> bool {
        self.which.selector().is_some()
    }
}

/// Fetches and prints objects of one kind.
pub async fn run<K: Shown>(ctx: &Context, args: GetArgs) -> Result<Exit, CommandError> {
    let mut objects = cluster::select::<K>(ctx, &args.which.names, args.which.selector()).await?;
    K::arrange(&mut objects);
    show(ctx, &args, &objects)
}

/// Prints objects that are there already.
pub fn show<K: Shown>(ctx: &Context, args: &GetArgs, objects: &[K]) -> Result<Exit, CommandError> {
    if objects.is_empty()
        && matches!(
            args.output.output,
            Format::Table | Format::Wide | Format::Name
        )
    {
        ctx.talk.say(format_args!(
            "No {}s in namespace `{}`",
            K::NOUN,
            ctx.namespace()
        ));
        return Ok(Exit::Done);
    }
    let text = match args.output.output {
        Format::Table | Format::Wide => {
            table(objects, &args.output, ctx.now(), ctx.printer.style())
        }
        Format::Name => {
            let mut names: Vec<String> = objects.iter().map(full_name).collect();
            names.push(String::new());
            names.join("\n")
        }
        Format::Json => document(objects, args.which.names.len() == 1, ObjectFormat::Json)?,
        Format::Yaml => document(objects, args.which.names.len() == 1, ObjectFormat::Yaml)?,
    };
    ctx.printer.print(text)?;
    Ok(Exit::Done)
}

/// `backup.velero.io/NAME`.
pub fn full_name<K: Resource>(object: &K) -> String {
    format!(
        "{}.{}/{}",
        K::KIND.to_lowercase(),
        ark_api::GROUP,
        name(object)
    )
}

/// An object's name.
pub fn name<K: Resource>(object: &K) -> &str {
    object.metadata().name.as_deref().unwrap_or_default()
}

/// One object bare when it was asked for by its name, else a List.
fn document<K: Shown>(
    objects: &[K],
    single: bool,
    format: ObjectFormat,
) -> Result<String, CommandError> {
    if let ([object], true) = (objects, single) {
        return document::text(object, format);
    }
    let items = objects.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    document::text(&document::list(ark_api::V1, K::KIND, &items), format)
}

fn value(object: &impl Serialize) -> Result<Value, CommandError> {
    serde_json::to_value(object)
        .map_err(|error| CommandError::because("cannot write the object as JSON", &error))
}

fn table<K: Shown>(objects: &[K], output: &ListOutputArgs, now: Timestamp, style: Style) -> String {
    let wide = output.output == Format::Wide;
    let mut headers: Vec<String> = K::COLUMNS.iter().map(ToString::to_string).collect();
    if wide {
        headers.extend(K::WIDE.iter().map(ToString::to_string));
    }
    // As kubectl does it: the label's key without its prefix.
    headers.extend(
        output
            .label_columns
            .iter()
            .map(|key| key.rsplit('/').next().unwrap_or(key).to_uppercase()),
    );
    if output.show_labels {
        headers.push("LABELS".to_owned());
    }
    let mut table = Table::new(headers);
    for object in objects {
        let mut row = object.cells(now);
        if wide {
            row.extend(object.wide_cells(now));
        }
        row.extend(label_cells(object.metadata(), output));
        table.push(row);
    }
    table.render(style)
}

fn label_cells(metadata: &ObjectMeta, output: &ListOutputArgs) -> Vec<Cell> {
    let none = BTreeMap::new();
    let labels = metadata.labels.as_ref().unwrap_or(&none);
    let column = |key: &String| Cell::from(labels.get(key).map(String::as_str).unwrap_or_default());
    let mut cells: Vec<Cell> = output.label_columns.iter().map(column).collect();
    if output.show_labels {
        cells.push(Cell::from(pairs(Some(labels)).join(",")));
    }
    cells
}

/// `key=value` of each entry, or `<none>` alone.
pub fn pairs(map: Option<&BTreeMap<String, String>>) -> Vec<String> {
    let pairs: Vec<String> = map
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    if pairs.is_empty() {
        vec![crate::out::describe::NONE.to_owned()]
    } else {
        pairs
    }
}

/// The phase to show: an object that is being deleted says so.
pub fn status<'a>(metadata: &ObjectMeta, phase: &'a str) -> &'a str {
    if metadata.deletion_timestamp.is_some() {
        "Deleting"
    } else {
        phase
    }
}

#[cfg(test)]
mod tests {
    use ark_api::Backup;

    use super::*;

    fn backup(name: &str) -> Backup {
        let mut backup = Backup::default();
        backup.metadata.name = Some(name.to_owned());
        backup.metadata.labels = Some(BTreeMap::from([("x.io/team".into(), "red".into())]));
        backup
    }

    #[test]
    fn labels_become_columns() {
        let output = ListOutputArgs {
            show_labels: true,
            label_columns: vec!["x.io/team".to_owned()],
            ..ListOutputArgs::default()
        };
        let text = table(
            &[backup("a")],
            &output,
            Timestamp::UNIX_EPOCH,
            Style::plain(),
        );
        let mut lines = text.lines();
        assert!(lines.next().unwrap().ends_with("TEAM   LABELS"), "{text}");
        assert!(
            lines.next().unwrap().ends_with("red    x.io/team=red"),
            "{text}"
        );
    }

    #[test]
    fn only_a_named_object_is_printed_bare() {
        let one = [backup("a")];
        let bare: Value =
            serde_json::from_str(&document(&one, true, ObjectFormat::Json).unwrap()).unwrap();
        assert_eq!(bare["kind"], "Backup");
        let list: Value =
            serde_json::from_str(&document(&one, false, ObjectFormat::Json).unwrap()).unwrap();
        assert_eq!(list["kind"], "BackupList");
        assert_eq!(list["items"][0]["metadata"]["name"], "a");
    }
}
