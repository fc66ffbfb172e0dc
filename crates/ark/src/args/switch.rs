//! `--wait=true`: a switch of Velero takes a value, one of clap does not.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{ArgAction, Command};

use super::value::boolean;

/// The arguments with `--name=true` written as `--name`, and without
/// `--name=false`, for every name that is a switch in all commands that have it.
pub fn plain(command: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let (mut switches, mut others) = (BTreeSet::new(), BTreeSet::new());
    sort(command, &mut switches, &mut others);
    let mut ended = false;
    let rewrite = |argument: OsString| {
        ended |= argument == "--";
        let text = argument.to_str().filter(|_| !ended);
        let parts = text.and_then(|text| text.strip_prefix("--")?.split_once('='));
        match parts {
            Some((name, value)) if switches.contains(name) && !others.contains(name) => {
                match boolean(value) {
                    Ok(true) => Some(OsString::from(format!("--{name}"))),
                    Ok(false) => None,
                    Err(_) => Some(argument),
                }
            }
            _ => Some(argument),
        }
    };
    arguments.into_iter().filter_map(rewrite).collect()
}

/// The long names of a command and all below it.
fn sort(command: &Command, switches: &mut BTreeSet<String>, others: &mut BTreeSet<String>) {
    for argument in command.get_arguments() {
        let names = argument.get_long().into_iter();
        let names = names.chain(argument.get_all_aliases().into_iter().flatten());
        let kind = if matches!(argument.get_action(), ArgAction::SetTrue) {
            &mut *switches
        } else {
            &mut *others
        };
        kind.extend(names.map(str::to_owned));
    }
    for below in command.get_subcommands() {
        sort(below, switches, others);
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cmd::Cli;

    #[test]
    fn switches_lose_their_values_and_nothing_else_does() {
        let plain = |arguments: &[&str]| {
            let arguments = arguments.iter().map(OsString::from).collect();
            plain(&Cli::command(), arguments)
        };
        assert_eq!(
            plain(&[
                "backup",
                "create",
                "b",
                "--wait=true",
                "--snapshot-volumes=false"
            ]),
            [
                "backup",
                "create",
                "b",
                "--wait",
                "--snapshot-volumes=false"
            ]
        );
        assert_eq!(
            plain(&["backup", "delete", "b", "--confirm=False"]),
            ["backup", "delete", "b"]
        );
        for kept in [
            ["--wait=maybe", "x"],
            ["--", "--wait=true"],
            ["--labels=true", "x"],
        ] {
            assert_eq!(plain(&kept), kept);
        }
    }
}
