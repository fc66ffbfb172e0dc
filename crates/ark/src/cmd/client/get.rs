//! `ark client config get`.

use std::fmt::Write as _;

use clap::Args;

use crate::context::Context;
use crate::error::{CommandError, Exit};

const EXAMPLES: &str = "\
Examples:
  ark client config get
  ark client config get namespace";

/// Show settings
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct GetArgs {
    /// Keys [default: all that are set]
    keys: Vec<String>,
}

/// Runs the verb.
pub(super) fn run(ctx: &Context, args: &GetArgs) -> Result<Exit, CommandError> {
    let mut text = String::new();
    if args.keys.is_empty() {
        for (key, value) in ctx.config.iter() {
            let _ = writeln!(text, "{key}: {value}");
        }
    }
    for key in &args.keys {
        let value = ctx
            .config
            .get(key)
            .unwrap_or_else(|| "<NOT SET>".to_owned());
        let _ = writeln!(text, "{key}: {value}");
    }
    ctx.printer.print(text)?;
    Ok(Exit::Done)
}
