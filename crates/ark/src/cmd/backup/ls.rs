//! `ark backup ls`.

use ark_archive::Entry;
use clap::Args;
use serde_json::{Value, json};

use crate::args::output::FormatArgs;
use crate::context::Context;
use crate::error::{CommandError, Exit};
use crate::inside::{InsideArgs, Wanted, wanted};
use crate::out::document::{self, Format, ObjectFormat};
use crate::out::human;
use crate::out::table::{Cell, Table};

const EXAMPLES: &str = "\
Examples:
  ark backup ls nightly
  ark backup ls nightly deploy --in shop
  ark backup ls nightly 'cm/settings-*' -o name
  ark backup ls nightly --from s3://my-backups";

/// List the objects in a backup
///
/// Backups of Velero and of Heptio Ark can be looked into as well.
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct LsArgs {
    #[command(flatten)]
    inside: InsideArgs,

    /// Only these: KIND, KIND.GROUP or KIND/NAME; names may have `*` and `?`
    #[arg(value_name = "KIND[/NAME]", value_parser = wanted)]
    what: Option<Wanted>,

    #[command(flatten)]
    output: FormatArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: LsArgs) -> Result<Exit, CommandError> {
    let archive = args.inside.open(ctx).await?;
    let entries = args.inside.select(&archive, args.what.as_ref());
    if entries.is_empty() {
        ctx.talk.say(format_args!(
            "Nothing of that is in backup `{}`",
            args.inside.name()
        ));
    }
    let items = || json!({"items": entries.iter().map(value).collect::<Vec<_>>()});
    let text = match args.output.format {
        Format::Json => document::text(&items(), ObjectFormat::Json)?,
        Format::Yaml => document::text(&items(), ObjectFormat::Yaml)?,
        Format::Name => {
            let mut names: Vec<String> = entries.iter().map(id).collect();
            names.push(String::new());
            names.join("\n")
        }
        Format::Table | Format::Wide if entries.is_empty() => String::new(),
        Format::Table | Format::Wide => {
            let mut table = Table::new(["NAMESPACE", "KIND", "NAME", "SIZE"]);
            for entry in &entries {
                table.push(vec![
                    Cell::from(entry.group.namespace.as_deref().unwrap_or_default()),
                    Cell::from(entry.group.group_resource.to_string()),
                    Cell::from(entry.name),
                    Cell::from(human::bytes(u64::from(entry.len))),
                ]);
            }
            table.render(ctx.printer.style())
        }
    };
    ctx.printer.print(text)?;
    Ok(Exit::Done)
}

/// `deployments.apps/web`.
pub(super) fn id(entry: &Entry<'_>) -> String {
    format!("{}/{}", entry.group.group_resource, entry.name)
}

fn value(entry: &Entry<'_>) -> Value {
    let kind = &entry.group.group_resource;
    json!({
        "namespace": entry.group.namespace,
        "group": kind.group,
        "resource": kind.resource,
        "version": entry.version(),
        "name": entry.name,
        "bytes": entry.len,
    })
}
