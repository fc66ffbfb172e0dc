//! The command line of Ark. The binary is [`run`]; everything else is here so
//! that tests and `xtask` can use it.
//!
//! Start with [`cmd`]: the tree of commands, one file a verb. What verbs share:
//! [`context`] (flags, streams, connection), [`cluster`] (our resources),
//! [`follow`] (waiting), [`download`] (files by way of the server), [`direct`]
//! (work without a server), [`inside`] (the objects in a backup). [`out`] writes to the terminal and [`error`] says
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
pub mod inside;
pub mod install;
pub mod listing;
mod live;
pub mod name;
pub mod out;
mod plugin;
pub mod reference;
pub mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind as ClapKind;
use clap::{CommandFactory as _, FromArgMatches as _};

use crate::args::ColorWhen;
use crate::cmd::Cli;
use crate::context::Context;
use crate::env::Environment;
use crate::error::Exit;
use crate::out::printer::Printer;
use crate::out::talk::Talk;

/// Runs a command line, the program's name first.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if let Some(exit) = cmd::completion::answer(&arguments) {
        return exit.into();
    }
    let environment = Environment::read();
    let mut command = plugin::named(Cli::command(), arguments.first());
    let arguments = asks_for_help(args::switch::plain(&command, arguments));
    let matches = command.try_get_matches_from_mut(&arguments);
    let parsed = matches.and_then(|matches| {
        Cli::from_arg_matches(&matches).map_err(|refusal| refusal.format(&mut command))
    });
    let cli = match parsed {
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

/// `ark help backup get` is `ark backup get --help`, without a line for `help` in the
/// help of every command.
fn asks_for_help(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if arguments.get(1).is_some_and(|first| first == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
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
