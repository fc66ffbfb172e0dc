//! The program as a plugin of kubectl: under the name `kubectl-ark` it is called
//! as `kubectl ark`, and its help speaks that way.

use std::ffi::OsString;
use std::path::Path;

use clap::Command;

const FILE: &str = "kubectl-ark";
const CALLED: &str = "kubectl ark";

/// The commands as they are called under the program's name.
pub(crate) fn named(command: Command, program: Option<&OsString>) -> Command {
    let stem = program.and_then(|path| Path::new(path).file_stem());
    if stem.is_some_and(|stem| stem == FILE) {
        speak(command.bin_name(CALLED))
    } else {
        command
    }
}

/// Lets the examples of a command, and of those in it, speak as it is called.
fn speak(command: Command) -> Command {
    let examples = command
        .get_after_help()
        .map(|text| text.to_string().replace("\n  ark ", "\n  kubectl ark "));
    let command = match examples {
        Some(examples) => command.after_help(examples),
        None => command,
    };
    command.mut_subcommands(speak)
}
