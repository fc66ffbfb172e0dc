//! The command line of Ark. The binary is [`run`]; everything else is here so
//! that tests and `xtask` can use it.
//!
//! Start with [`cmd`]: the tree of commands, one file a verb. What verbs share:
//! [`context`] (flags, streams, connection), [`cluster`] (our resources),
//! [`follow`] (waiting), [`download`] (files by way of the server), [`direct`]
//! (work without a server). [`out`] writes to the terminal and [`error`] says
//! how a command ends; both are the only ones of their kind. [`install`] has the
//! objects of an installation.
//!
//! Nothing is decided here that the engine should decide.

pub mod args;
pub mod cancelling;
pub mod cluster;
pub mod cmd;
pub mod config;
pub mod context;
pub mod deletion;
pub mod describe;
pub mod direct;
pub mod download;
pub mod env;
pub mod error;
pub mod follow;
pub mod install;
pub mod listing;
pub mod name;
pub mod out;
pub mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind as ClapKind;

use crate::args::ColorWhen;
use crate::cmd::Cli;
use crate::context::Context;
use crate::env::Environment;
use crate::error::Exit;
use crate::out::printer::Printer;
use crate::out::talk::Talk;

/// Runs a command line, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let environment = Environment::read();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(refusal) => return not_parsed(&refusal, &environment).into(),
    };
    let Cli { global, command } = cli;
    let color = global.color(&config::ClientConfig::default(), &environment);
    let result = Context::new(&global, environment).and_then(|ctx| command.run(&ctx));
    match result {
        Ok(exit) => exit,
        Err(error) => {
            Talk::new(color).error(&error);
            error.exit()
        }
    }
    .into()
}

/// Help is data and goes to standard output, errors of usage to standard error.
fn not_parsed(refusal: &clap::Error, environment: &Environment) -> Exit {
    let color = if environment.no_color {
        ColorWhen::Never
    } else {
        ColorWhen::Auto
    };
    let help = matches!(
        refusal.kind(),
        ClapKind::DisplayHelp
            | ClapKind::DisplayVersion
            | ClapKind::DisplayHelpOnMissingArgumentOrSubcommand
    );
    let text = refusal.render();
    if !help {
        let talk = Talk::new(color);
        let text = if talk.style().is_colored() {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        talk.say(text.trim_end());
        return Exit::Usage;
    }
    let printer = Printer::new(color);
    let text = if printer.style().is_colored() {
        text.ansi().to_string()
    } else {
        text.to_string()
    };
    match printer.print(text) {
        Ok(()) => Exit::Done,
        Err(error) => error.exit(),
    }
}
