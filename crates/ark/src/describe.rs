//! Descriptions of backups, restores and schedules: what they have in common, and how they
//! are printed. Building one is pure; what must be fetched comes as a value.

pub mod backup;
mod operations;
mod pod_volumes;
pub mod restore;
pub mod schedule;
pub mod volumes;

use ark_api::{GoDuration, LabelSelector, ObjectMeta};
use ark_archive::side::{ResourceList, ResultGroup, Results};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::args::selector::to_text;
use crate::context::Context;
use crate::error::CommandError;
use crate::listing::pairs;
use crate::out::describe::{Description, NONE};
use crate::out::document::{self, ObjectFormat, TextFormat};
use crate::out::human;

/// What is known of the files of a backup or restore.
#[derive(Debug, Clone, Default)]
pub enum Fetched<T> {
    /// Nobody asked, or there is nothing to ask for.
    #[default]
    Skipped,
    /// It is there.
    Found(T),
    /// There is no such file.
    Absent,
    /// It could not be fetched, and why.
    Failed(String),
}

/// Prints descriptions: text one after the other, documents bare or as a list.
pub fn print(
    ctx: &Context,
    descriptions: &[Description],
    format: TextFormat,
) -> Result<(), CommandError> {
    let format = match format {
        TextFormat::Text => {
            let style = ctx.printer.style();
            let texts: Vec<String> = descriptions.iter().map(|one| one.to_text(style)).collect();
            return ctx.printer.print(texts.join("\n\n"));
        }
        TextFormat::Json => ObjectFormat::Json,
        TextFormat::Yaml => ObjectFormat::Yaml,
    };
    match descriptions {
        [one] => document::print(&ctx.printer, &one.to_value(), format),
        many => {
            let items: Vec<Value> = many.iter().map(Description::to_value).collect();
            document::print(&ctx.printer, &json!({"items": items}), format)
        }
    }
}

/// Name, namespace, labels, annotations.
fn metadata(metadata: &ObjectMeta) -> Description {
    let mut description = Description::new();
    description
        .field("Name", "name", metadata.name.clone().unwrap_or_default())
        .field(
            "Namespace",
            "namespace",
            metadata.namespace.clone().unwrap_or_default(),
        )
        .map(
            "Labels",
            "labels",
            pairs(metadata.labels.as_ref()),
            json!(metadata.labels),
        )
        .map(
            "Annotations",
            "annotations",
            pairs(metadata.annotations.as_ref()),
            json!(metadata.annotations),
        );
    description
}

/// Names as they are shown; `none` where there are none.
fn names(list: &[String], none: &str) -> String {
    if list.is_empty() {
        none.to_owned()
    } else {
        list.join(", ")
    }
}

/// Included and excluded names.
fn included(include: &[String], exclude: &[String], all: &str) -> Description {
    let mut description = Description::new();
    description
        .field("Included", "included", names(include, all))
        .field("Excluded", "excluded", names(exclude, NONE));
    description
}

/// A boolean that may be left to Ark.
fn tri_state(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "true",
        Some(false) => "false",
        None => "auto",
    }
}

/// Whether cluster-scoped objects belong to it.
fn cluster_scoped(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "included",
        Some(false) => "excluded",
        None => "auto",
    }
}

/// A span of time; an absent one is no time, as Go has it.
fn duration(value: Option<GoDuration>) -> String {
    value.map_or_else(|| "0s".to_owned(), |value| value.to_string())
}

/// A count of operations that are done.
fn operation_counts(completed: i64, attempted: i64, failed: i64) -> String {
    format!("{completed} of {attempted} completed successfully, {failed} failed")
}

/// Adds the two forms of label selectors.
fn selectors(into: &mut Description, one: Option<&LabelSelector>, any: &[LabelSelector]) {
    let text = |selector: &LabelSelector| match to_text(selector) {
        text if text.is_empty() => NONE.to_owned(),
        text => text,
    };
    let one = one.map_or(NONE.to_owned(), text);
    into.field("Label selector", "labelSelector", one);
    let any: Vec<String> = any.iter().map(text).collect();
    let any = if any.is_empty() {
        NONE.to_owned()
    } else {
        any.join(" or ")
    };
    into.gap()
        .field("Or label selector", "orLabelSelectors", any);
}

/// Adds a point in time.
fn time(into: &mut Description, label: &str, key: &str, at: Option<Timestamp>) {
    let text = at.map_or_else(|| "<n/a>".to_owned(), human::time);
    into.field(label, key, text);
}

/// Adds warnings and errors where there are any; where the results file is
/// missing, their counts.
fn problems(into: &mut Description, results: &Fetched<Results>, errors: i64, warnings: i64) {
    if errors == 0 && warnings == 0 {
        return;
    }
    into.gap();
    let groups = match results {
        Fetched::Found(results) => [Some(&results.warnings), Some(&results.errors)],
        _ => [None, None],
    };
    let sides = [
        ("Warnings", "warnings", "errorGettingWarnings", warnings),
        ("Errors", "errors", "errorGettingErrors", errors),
    ];
    for ((label, key, failed, count), group) in sides.into_iter().zip(groups) {
        match (group, results) {
            (Some(_), _) if count == 0 => {
                into.kept(key, json!({}));
            }
            (Some(group), _) => {
                into.section(label, key, result_group(group));
            }
            (None, Fetched::Failed(reason)) => {
                let text = format!("{count} (they could not be fetched: {reason})");
                into.told(label, text).kept(key, json!({failed: reason}));
            }
            (None, _) => {
                into.shown(label, key, json!({"count": count}), count.to_string());
            }
        }
    }
}

fn result_group(group: &ResultGroup) -> Description {
    let mut description = Description::new();
    description
        .lines("Velero", "velero", group.velero.clone())
        .lines("Cluster", "cluster", group.cluster.clone());
    if group.namespaces.is_empty() {
        // Velero keeps no namespaces as an empty list, not as an empty object.
        description.lines("Namespaces", "namespace", Vec::new());
        return description;
    }
    let mut namespaces = Description::new();
    for (name, messages) in &group.namespaces {
        namespaces.lines(name, name, messages.clone());
    }
    description.section("Namespaces", "namespace", namespaces);
    description
}

/// Adds the names of the objects.
fn resources(into: &mut Description, list: &Fetched<ResourceList>) {
    let (text, document) = match list {
        Fetched::Skipped => return,
        Fetched::Absent => (
            "<there is no such file>".to_owned(),
            "there is no such file".to_owned(),
        ),
        Fetched::Failed(reason) => (
            format!("<could not be fetched: {reason}>"),
            reason.to_owned(),
        ),
        Fetched::Found(list) => {
            let mut kinds = Description::new();
            for (kind, names) in list {
                let bulleted = names.iter().map(|name| format!("- {name}")).collect();
                kinds.bullets(kind, kind, bulleted, names.clone());
            }
            into.gap().section("Resource List", "resourceList", kinds);
            return;
        }
    };
    into.gap()
        .told("Resource List", text)
        .kept("errorGettingResourceList", document);
}
