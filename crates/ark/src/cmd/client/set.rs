//! `ark client config set`.

use clap::Args;

use crate::config::{CACERT, COLORIZED, FEATURES, NAMESPACE};
use crate::context::Context;
use crate::error::{CommandError, Exit};

const EXAMPLES: &str = "\
Examples:
  ark client config set namespace=backups
  ark client config set features=EnableCSI colorized=false
  ark client config set namespace=";

/// Change settings
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = EXAMPLES)]
pub struct SetArgs {
    /// Settings, such as namespace=backups; an empty value removes the key
    #[arg(required = true, value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
}

/// Runs the verb.
pub(super) fn run(ctx: &Context, args: &SetArgs) -> Result<Exit, CommandError> {
    let path = super::path(ctx)?;
    let mut config = ctx.config.clone();
    for (key, value) in &args.settings {
        config.set(key, value);
    }
    config.save(&path)?;
    Ok(Exit::Done)
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    let known = [NAMESPACE, FEATURES, CACERT, COLORIZED];
    if !known.contains(&key) {
        return Err(format!(
            "there is no setting `{key}`; there are {}",
            known.join(", ")
        ));
    }
    Ok((key.to_owned(), value.to_owned()))
}
