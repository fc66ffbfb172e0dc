//! `ark backup cat`.

use clap::Args;
use serde_json::Value;

use super::ls::id;
use crate::context::Context;
use crate::error::{CommandError, Exit, chain};
use crate::inside::{InsideArgs, Wanted, wanted};
use crate::out::document::{self, ObjectFormat};

/// So many of the objects that could be meant are named.
const NAMED: usize = 5;

const EXAMPLES: &str = "\
Examples:
  ark backup cat nightly deploy/web --in shop
  ark backup cat nightly cm/settings -o json --from s3://my-backups";

/// Print an object as it is in a backup
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct CatArgs {
    #[command(flatten)]
    inside: InsideArgs,

    /// The object: KIND/NAME or KIND.GROUP/NAME
    #[arg(value_name = "KIND/NAME", value_parser = wanted)]
    what: Wanted,

    /// Form of the output: yaml or json
    #[arg(
        short,
        long,
        value_enum,
        default_value = "yaml",
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    output: ObjectFormat,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: CatArgs) -> Result<Exit, CommandError> {
    let archive = args.inside.open(ctx).await?;
    let entries = args.inside.select(&archive, Some(&args.what));
    let name = args.inside.name();
    let entry = match entries.as_slice() {
        [] => {
            let message = format!("that object is not in backup `{name}`");
            let hint = format!("`ark backup ls {name}` lists what is");
            return Err(CommandError::failed(message).hint(hint));
        }
        [entry] => entry,
        several => {
            let mut named: Vec<String> = several
                .iter()
                .take(NAMED)
                .map(|entry| match &entry.group.namespace {
                    Some(namespace) => format!("{} in {namespace}", id(entry)),
                    None => id(entry),
                })
                .collect();
            if several.len() > NAMED {
                named.push("...".to_owned());
            }
            let message = format!(
                "{} objects could be meant: {}",
                several.len(),
                named.join(", ")
            );
            let hint = "say which one with KIND.GROUP/NAME and `--in NAMESPACE`";
            return Err(CommandError::usage(message).hint(hint));
        }
    };
    let read = archive.read(&entry.key()).await;
    let bytes = read.map_err(|error| CommandError::failed(chain(&error)))?;
    let object: Value = serde_json::from_slice(&bytes)
        .map_err(|error| CommandError::because("the object in the backup is damaged", &error))?;
    document::print(&ctx.printer, &object, args.output)?;
    Ok(Exit::Done)
}
