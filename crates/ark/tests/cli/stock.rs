//! Every command and every flag of Velero's own command line exists here: what it
//! prints as its help is walked through.

use std::process::Command;

use ark::cmd::Cli;
use ark_testkit::binaries::velero;
use clap::CommandFactory as _;

/// A flag as the stock help has it.
#[derive(Debug)]
struct Flag {
    short: Option<char>,
    long: String,
    /// Whether it may stand without a value.
    bare: bool,
}

/// The help of one command.
#[derive(Debug, Default)]
struct Help {
    commands: Vec<String>,
    flags: Vec<Flag>,
}

fn help(path: &[String]) -> Help {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(velero::ensure().unwrap())
        .args(path)
        .arg("--help")
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut help = Help::default();
    let mut section = "";
    for line in text.lines() {
        if !line.starts_with(' ') {
            section = line;
            continue;
        }
        match section {
            "Available Commands:" => {
                let name = line.split_whitespace().next();
                help.commands.extend(name.map(str::to_owned));
            }
            "Flags:" | "Global Flags:" => help.flags.extend(flag(line)),
            _ => {}
        }
    }
    assert!(!help.flags.is_empty(), "velero {path:?} --help:\n{text}");
    help
}

/// `  -l, --selector labelSelector   Only …`; `None` for the second line of a text.
fn flag(line: &str) -> Option<Flag> {
    let line = line.trim_start();
    let (short, line) = match line.strip_prefix('-')?.split_once(", -") {
        Some((short, rest)) if short.len() == 1 => (short.chars().next(), rest),
        _ => (None, line.strip_prefix('-')?),
    };
    let line = line.strip_prefix('-')?;
    let (usage, text) = line.split_once("   ").unwrap_or((line, ""));
    let (long, value) = usage.split_once(' ').unwrap_or((usage, ""));
    let (long, default) = long.split_once('[').unwrap_or((long, ""));
    // A flag that takes one of a few words has no name for its value.
    let is_switch = value.is_empty() && !text.contains("alid values");
    let optional = is_switch || value.contains("[=") || !default.is_empty();
    Some(Flag {
        short,
        long: long.to_owned(),
        bare: optional,
    })
}

/// Notes what the command at `path` and those below it lack.
fn compare(path: &[String], ours: &clap::Command, lacking: &mut Vec<String>) -> (usize, usize) {
    let stock = help(path);
    let (mut commands, mut flags) = (1, stock.flags.len());
    for flag in &stock.flags {
        let found = ours.get_arguments().find(|argument| {
            let aliases = argument.get_all_aliases().unwrap_or_default();
            argument.get_long() == Some(&flag.long) || aliases.contains(&flag.long.as_str())
        });
        let Some(found) = found else {
            lacking.push(format!("{} --{}", path.join(" "), flag.long));
            continue;
        };
        let shorts = found.get_all_short_aliases().unwrap_or_default();
        let short = flag
            .short
            .is_none_or(|short| found.get_short() == Some(short) || shorts.contains(&short));
        let values = found.get_num_args().unwrap_or_default();
        if !short
            || (flag.bare && values.min_values() > 0)
            || (!flag.bare && values.max_values() == 0)
        {
            lacking.push(format!("{} {flag:?}, other than here", path.join(" ")));
        }
    }
    // `help` is rewritten before anything is parsed.
    for name in stock.commands.iter().filter(|name| *name != "help") {
        let below = [path, std::slice::from_ref(name)].concat();
        let Some(ours) = ours.find_subcommand(name) else {
            lacking.push(below.join(" "));
            continue;
        };
        let (more_commands, more_flags) = compare(&below, ours, lacking);
        commands += more_commands;
        flags += more_flags;
    }
    (commands, flags)
}

#[test]
fn every_command_and_flag_of_velero_is_there() {
    let mut ours = Cli::command();
    ours.build();
    let mut lacking = Vec::new();
    let (commands, flags) = compare(&[], &ours, &mut lacking);
    // The walk has gone through something.
    assert!(commands > 60 && flags > 500, "{commands} {flags}");
    assert!(lacking.is_empty(), "lacking:\n{}", lacking.join("\n"));
}
