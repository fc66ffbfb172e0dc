//! Flags that say in which form objects are shown or sent.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::value::{Map, map, merged};
use crate::context::Context;
use crate::error::CommandError;
use crate::out::document::{self, Format, ObjectFormat, TextFormat};

/// For verbs that list objects.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct ListOutputArgs {
    /// Form of the output: table, wide, json, yaml or name
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub output: Format,

    /// Add a column with all labels
    #[arg(long)]
    pub show_labels: bool,

    /// Add a column for each of these labels
    #[arg(short = 'L', long, value_delimiter = ',', value_name = "LABELS")]
    pub label_columns: Vec<String>,
}

/// For verbs that list what are no objects.
#[derive(Debug, Clone, Default, Args)]
pub struct FormatArgs {
    /// Form of the output: table, json, yaml or name
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub format: Format,
}

/// For verbs that show one document.
#[derive(Debug, Clone, Default, Args)]
pub struct TextOutputArgs {
    /// Form of the output: text, json or yaml
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    pub format: TextFormat,
}

/// For verbs that create objects.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct CreateOutputArgs {
    /// Print the object as json or yaml instead of creating it
    #[arg(
        short,
        long,
        value_enum,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    output: Option<CreateFormat>,

    #[command(flatten)]
    columns: NoColumnsArgs,
}

/// Velero's flags for the columns of a table, where no table is printed. They do
/// nothing there either.
#[derive(Debug, Clone, Default, Args)]
pub struct NoColumnsArgs {
    /// A column with all labels
    #[arg(long, hide = true)]
    show_labels: bool,

    /// Columns with single labels
    #[arg(short = 'L', long, hide = true, value_name = "LABELS")]
    label_columns: Vec<String>,
}

/// Values of `--output` of verbs that create objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CreateFormat {
    /// Nothing is printed: the object is created.
    #[value(hide = true)]
    Table,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

impl CreateOutputArgs {
    /// Whether the object is only printed, not created.
    pub fn prints(&self) -> bool {
        self.form().is_some()
    }

    /// Prints the object if that is asked for; says whether it was.
    ///
    /// # Errors
    /// As [`document::print`].
    pub fn print(&self, ctx: &Context, object: &impl Serialize) -> Result<bool, CommandError> {
        if let Some(form) = self.form() {
            document::print(&ctx.printer, object, form)?;
        }
        Ok(self.prints())
    }

    fn form(&self) -> Option<ObjectFormat> {
        match self.output? {
            CreateFormat::Table => None,
            CreateFormat::Json => Some(ObjectFormat::Json),
            CreateFormat::Yaml => Some(ObjectFormat::Yaml),
        }
    }
}

/// Metadata of objects that are created.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Metadata")]
pub struct MetadataArgs {
    /// Labels of the new object
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map)]
    labels: Vec<Map>,

    /// Annotations of the new object
    #[arg(long, value_name = "KEY=VALUE,..", value_parser = map)]
    annotations: Vec<Map>,
}

impl MetadataArgs {
    /// All labels.
    pub fn labels(&self) -> BTreeMap<String, String> {
        merged(&self.labels)
    }

    /// Metadata of an object in `namespace`.
    pub fn metadata(&self, name: &str, namespace: &str) -> ark_api::ObjectMeta {
        let some = |map: BTreeMap<String, String>| (!map.is_empty()).then_some(map);
        ark_api::ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: some(self.labels()),
            annotations: some(merged(&self.annotations)),
            ..ark_api::ObjectMeta::default()
        }
    }
}
