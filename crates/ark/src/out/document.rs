//! Objects as JSON, YAML or names, one or a list.

use clap::ValueEnum;
use serde::Serialize;
use serde_json::{Value, json};

use super::printer::Printer;
use crate::error::CommandError;

/// Forms in which objects are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns.
    #[default]
    Table,
    /// More columns.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// `kind.group/name`.
    Name,
}

/// Forms in which one document is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// For people.
    #[default]
    #[value(alias = "plaintext")]
    Text,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// Forms of an object that is shown instead of sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ObjectFormat {
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// Prints one value as a document.
pub fn print(
    printer: &Printer,
    value: &impl Serialize,
    format: ObjectFormat,
) -> Result<(), CommandError> {
    printer.print(text(value, format)?)
}

/// One value as a document, its last line ended.
pub fn text(value: &impl Serialize, format: ObjectFormat) -> Result<String, CommandError> {
    let mut text = match format {
        ObjectFormat::Json => serde_json::to_string_pretty(value)
            .map_err(|error| CommandError::because("cannot write the object as JSON", &error))?,
        ObjectFormat::Yaml => ark_api::wire::to_yaml(value)?,
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Several objects as one List object of their kind.
pub fn list(api_version: &str, kind: &str, items: &[Value]) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": format!("{kind}List"),
        "metadata": {},
        "items": items,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_end_their_last_line() {
        let value = json!({"a": 1});
        assert_eq!(
            text(&value, ObjectFormat::Json).unwrap(),
            "{\n  \"a\": 1\n}\n"
        );
        assert_eq!(text(&value, ObjectFormat::Yaml).unwrap(), "a: 1\n");
    }
}
