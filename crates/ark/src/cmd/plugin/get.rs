//! `ark plugin get`: asks the server by a status request.

use clap::Args;
use serde_json::json;

use crate::args::answer::AnswerArgs;
use crate::args::output::FormatArgs;
use crate::cmd::version;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::out::document::{self, Format, ObjectFormat};
use crate::out::table::{Cell, Table};

/// Show what is built into the server
#[derive(Debug, Clone, Default, Args)]
pub struct GetArgs {
    #[command(flatten)]
    answer: AnswerArgs,

    #[command(flatten)]
    output: FormatArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: GetArgs) -> Result<Exit, CommandError> {
    let status = version::ask(ctx, &args.answer).await?;
    let text = match args.output.format {
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
