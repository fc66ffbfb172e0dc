//! `ark plugin get`: asks the server by a status request.

use std::time::Duration;

use ark_api::GoDuration;
use clap::Args;
use serde_json::json;

use crate::args::value::duration;
use crate::cmd::version;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::out::document::{self, Format, ObjectFormat};
use crate::out::table::{Cell, Table};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// Show what is built into the server
#[derive(Debug, Clone, Default, Args)]
pub struct GetArgs {
    /// How long to wait for the server's answer [default: 5s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    timeout: Option<GoDuration>,

    /// Form of the output: table, json, yaml or name
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    output: Format,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: GetArgs) -> Result<Exit, CommandError> {
    let timeout = args.timeout.map_or(DEFAULT_TIMEOUT, GoDuration::to_std);
    let status = version::ask(ctx, timeout).await?;
    let text = match args.output {
        Format::Json => document::text(&json!({"plugins": status.plugins}), ObjectFormat::Json)?,
        Format::Yaml => document::text(&json!({"plugins": status.plugins}), ObjectFormat::Yaml)?,
        Format::Name => {
            let names = status.plugins.iter().map(|plugin| plugin.name.as_str());
            let mut names: Vec<&str> = names.collect();
            names.push("");
            names.join("\n")
        }
        Format::Table | Format::Wide => {
            let mut table = Table::new(["NAME", "KIND"]);
            for plugin in &status.plugins {
                table.push(vec![
                    Cell::from(plugin.name.as_str()),
                    Cell::from(plugin.kind.as_str()),
                ]);
            }
            table.render(ctx.printer.style())
        }
    };
    ctx.printer.print(text)?;
    Ok(Exit::Done)
}
