//! The help of every command, and what happens without one.

use std::fmt::Write as _;

use ark::cmd::Cli;
use clap::CommandFactory as _;

use crate::show;

/// Every command's path, groups before what is in them.
fn paths(command: &clap::Command, path: &[String], all: &mut Vec<Vec<String>>) {
    all.push(path.to_vec());
    for inside in command.get_subcommands() {
        let mut path = path.to_vec();
        path.push(inside.get_name().to_owned());
        paths(inside, &path, all);
    }
}

#[test]
fn the_whole_tree() {
    let mut all = Vec::new();
    paths(&Cli::command(), &[], &mut all);
    assert!(all.len() > 30, "the tree is walked: {}", all.len());
    let mut text = String::new();
    for path in all {
        let mut arguments: Vec<&str> = path.iter().map(String::as_str).collect();
        arguments.push("--help");
        let _ = write!(
            text,
            "===== ark {}\n{}\n",
            arguments.join(" "),
            show(&arguments)
        );
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_group_without_a_verb_shows_its_help() {
    let group = show(&["backup"]);
    assert!(
        group.starts_with("exit code: 0\n----- stdout\nWork with backups\n"),
        "{group}"
    );
    let none = show(&[]);
    assert!(
        none.starts_with("exit code: 0\n----- stdout\nDisaster recovery"),
        "{none}"
    );
}

#[test]
fn every_flag_has_a_help_text() {
    fn check(command: &clap::Command) {
        for argument in command.get_arguments() {
            let hidden = argument.is_hide_set();
            assert!(
                hidden || argument.get_help().is_some(),
                "{} {argument}",
                command.get_name()
            );
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[test]
fn the_tree_is_sound() {
    Cli::command().debug_assert();
}
