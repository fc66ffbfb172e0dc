//! Descriptions of backups and restores: what both have in common, and how they
//! are printed. Building one is pure; what must be fetched comes as a value.

pub mod backup;
pub mod restore;

use ark_api::{LabelSelector, ObjectMeta};
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

/// Included and excluded names.
fn included(include: &[String], exclude: &[String], all: &str) -> Description {
    let mut description = Description::new();
    let shown = |names: &[String], none: &str| {
        if names.is_empty() {
            none.to_owned()
        } else {
            names.join(", ")
        }
    };
    description
        .shown(
            "Included",
            "included",
            include.to_vec(),
            shown(include, all),
        )
        .shown(
            "Excluded",
            "excluded",
            exclude.to_vec(),
            shown(exclude, NONE),
        );
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

/// Adds the two forms of label selectors.
fn selectors(into: &mut Description, one: Option<&LabelSelector>, any: &[LabelSelector]) {
    let text = |selector: &LabelSelector| match to_text(selector) {
        text if text.is_empty() => NONE.to_owned(),
        text => text,
    };
    into.shown(
        "Label selector",
        "labelSelector",
        json!(one),
        one.map_or(NONE.to_owned(), text),
    );
    let alternatives: Vec<String> = any.iter().map(text).collect();
    let alternatives = if any.is_empty() {
        NONE.to_owned()
    } else {
        alternatives.join(" or ")
    };
    into.shown(
        "Or label selector",
        "orLabelSelectors",
        json!(any),
        alternatives,
    );
}

/// Adds a point in time.
fn time(into: &mut Description, label: &str, key: &str, at: Option<Timestamp>) {
    into.shown(
        label,
        key,
        json!(at.map(|at| at.to_string())),
        human::time_or_none(at),
    );
}

/// Adds warnings and errors; where the results file is missing, their counts.
fn problems(into: &mut Description, results: &Fetched<Results>, errors: i64, warnings: i64) {
    let groups = match results {
        Fetched::Found(results) => [Some(&results.errors), Some(&results.warnings)],
        _ => [None, None],
    };
    let sides = [
        ("Errors", "errors", errors),
        ("Warnings", "warnings", warnings),
    ];
    for ((label, key, count), group) in sides.into_iter().zip(groups) {
        match group {
            Some(group) if count > 0 => {
                into.section(label, key, result_group(group));
            }
            _ => {
                into.field(label, key, count);
            }
        }
    }
    if let Fetched::Failed(reason) = results {
        into.field(
            "Details",
            "detailsError",
            format!("could not be fetched: {reason}"),
        );
    }
}

fn result_group(group: &ResultGroup) -> Description {
    let mut description = Description::new();
    if !group.velero.is_empty() {
        description.lines("Job", "velero", group.velero.clone());
    }
    if !group.cluster.is_empty() {
        description.lines("Cluster", "cluster", group.cluster.clone());
    }
    if !group.namespaces.is_empty() {
        let mut namespaces = Description::new();
        for (name, messages) in &group.namespaces {
            namespaces.lines(name, name, messages.clone());
        }
        description.section("Namespaces", "namespaces", namespaces);
    }
    description
}

/// Adds the names of the objects.
fn resources(into: &mut Description, list: &Fetched<ResourceList>) {
    match list {
        Fetched::Skipped => {}
        Fetched::Absent => {
            into.gap()
                .field("Resource List", "resourceList", Value::Null);
        }
        Fetched::Failed(reason) => {
            into.gap().field(
                "Resource List",
                "resourceListError",
                format!("could not be fetched: {reason}"),
            );
        }
        Fetched::Found(list) => {
            let mut kinds = Description::new();
            for (kind, names) in list {
                let bulleted = names.iter().map(|name| format!("- {name}")).collect();
                kinds.bullets(kind, kind, bulleted, names.clone());
            }
            into.gap().section("Resource List", "resourceList", kinds);
        }
    }
}
