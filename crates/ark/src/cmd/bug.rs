//! `ark bug`: what a report needs. Opens no browser and sends nothing.

use clap::Args;

use crate::context::Context;
use crate::error::{CommandError, Exit};

/// Show where and how to report a problem
///
/// Prints a form to fill in. Nothing is sent.
#[derive(Debug, Clone, Default, Args)]
pub struct BugArgs {}

/// Runs the verb.
pub fn run(ctx: &Context, _: &BugArgs) -> Result<Exit, CommandError> {
    let form = format!(
        "\
**What happened**


**What should have happened**


**How to make it happen again**


**Surroundings**
- Ark: v{version} ({os}/{arch})
- Kubernetes: (`kubectl version`)
- Where the cluster runs:
- Kind of storage: (`ark backup-location get`)

**Bundle**
`ark debug --backup NAME` or `ark debug --restore NAME` collects logs and resources
without secrets. Look at what it holds before you attach it.
",
        version = env!("CARGO_PKG_VERSION"),
        os = std::env::consts::OS,
        arch = std::env::consts::ARCH,
    );
    ctx.printer.print(form)?;
    ctx.talk
        .hint("fill this in and give it to those who maintain your copy of Ark");
    Ok(Exit::Done)
}
