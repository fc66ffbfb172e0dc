//! The reference of the command line as pages of Markdown, one a command, made
//! from the same definitions as the help texts. Pure: files are written by
//! `cargo xtask docs`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory as _};

use crate::cmd::Cli;

/// A page of the reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Name of the file, such as `ark_backup_create.md`.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// All pages, the index first.
pub fn pages() -> Vec<Page> {
    let mut root = Cli::command();
    root.build();
    let mut pages = Vec::new();
    let mut index = String::from(
        "# The command line\n\n\
         Made by `cargo xtask docs` from the definitions of the commands. \
         [Exit codes](exit-codes.md) are part of the interface.\n\n\
         | command | what it does |\n|---|---|\n",
    );
    add(&root, &mut pages, &mut index);
    pages.insert(
        0,
        Page {
            file: "README.md".to_owned(),
            text: index,
        },
    );
    pages
}

fn add(command: &Command, pages: &mut Vec<Page>, index: &mut String) {
    let name = full_name(command);
    let file = file_of(&name);
    let about = plain(command.get_about());
    let _ = writeln!(index, "| [`{name}`]({file}) | {} |", cell(&about));
    pages.push(Page {
        text: page(command, &name),
        file,
    });
    for inside in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        add(inside, pages, index);
    }
}

fn full_name(command: &Command) -> String {
    let name = command.get_bin_name().unwrap_or(command.get_name());
    name.to_owned()
}

fn file_of(name: &str) -> String {
    format!("{}.md", name.replace(' ', "_"))
}

fn page(command: &Command, name: &str) -> String {
    let about = command.get_long_about().or(command.get_about());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let mut text = format!("# {name}\n\n{}\n\n```\n{usage}\n```\n", plain(about));
    let inside: Vec<&Command> = command
        .get_subcommands()
        .filter(|one| !one.is_hide_set())
        .collect();
    if !inside.is_empty() {
        text.push_str("\n## Commands\n\n| command | what it does |\n|---|---|\n");
        for one in inside {
            let full = full_name(one);
            let about = cell(&plain(one.get_about()));
            let _ = writeln!(text, "| [`{full}`]({}) | {about} |", file_of(&full));
        }
    }
    for (heading, arguments) in arguments(command) {
        let _ = write!(text, "\n## {heading}\n\n| | |\n|---|---|\n");
        for argument in arguments {
            let help = plain(argument.get_long_help().or(argument.get_help()));
            let _ = writeln!(text, "| `{}` | {} |", spelling(argument), cell(&help));
        }
    }
    if let Some(after) = command.get_after_help() {
        let after = after.to_string();
        let lines = after.trim_start_matches("Examples:\n").lines();
        text.push_str("\n## Examples\n\n```sh\n");
        for line in lines {
            let _ = writeln!(text, "{}", line.trim_start());
        }
        text.push_str("```\n");
    }
    text
}

/// What is shown of a command's arguments, by heading: its own before those of
/// every command.
fn arguments(command: &Command) -> Vec<(String, Vec<&Arg>)> {
    let mut by_heading: BTreeMap<(bool, usize), (String, Vec<&Arg>)> = BTreeMap::new();
    let mut known: Vec<String> = Vec::new();
    for argument in command.get_arguments().filter(|one| !one.is_hide_set()) {
        let heading = match argument.get_help_heading() {
            Some(heading) => heading.to_owned(),
            None if argument.is_positional() => "Arguments".to_owned(),
            None => "Options".to_owned(),
        };
        let place = known.iter().position(|one| *one == heading);
        let place = place.unwrap_or_else(|| {
            known.push(heading.clone());
            known.len() - 1
        });
        let key = (argument.is_global_set(), place);
        let entry = by_heading
            .entry(key)
            .or_insert_with(|| (heading, Vec::new()));
        entry.1.push(argument);
    }
    by_heading.into_values().collect()
}

/// `-o, --output FORMAT`.
fn spelling(argument: &Arg) -> String {
    let values: Vec<&str> = argument
        .get_value_names()
        .unwrap_or_default()
        .iter()
        .map(clap::builder::Str::as_str)
        .collect();
    let values = values.join(" ");
    if argument.is_positional() {
        return values;
    }
    let mut all: Vec<String> = Vec::new();
    all.extend(argument.get_short().map(|short| format!("-{short}")));
    all.extend(argument.get_long().map(|long| format!("--{long}")));
    let mut text = all.join(", ");
    let takes = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
    if takes && !values.is_empty() {
        let optional = argument.get_num_args().is_some_and(|n| n.min_values() == 0);
        let _ = if optional {
            write!(text, "[={values}]")
        } else {
            write!(text, " {values}")
        };
    }
    text
}

fn plain(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

/// Text that fits into one cell of a table.
fn cell(text: &str) -> String {
    text.split('\n')
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_of_the_index_has_its_page() {
        let pages = pages();
        let index = &pages[0].text;
        for page in &pages[1..] {
            assert!(
                index.contains(&format!("]({})", page.file)),
                "{}",
                page.file
            );
            assert!(page.text.contains("```\nark"), "{}", page.text);
        }
        assert!(pages.iter().any(|page| page.file == "ark_backup_create.md"));
    }
}
