//! The command line as its users see it: exit code, standard output and standard
//! error of whole processes, as snapshots.
//!
//! A changed flag or message shows up as a diff in review. Nothing here needs a
//! cluster.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot prepare itself has failed"
)]

mod create;
mod direct;
mod error;
mod foreign;
mod help;
mod install;
mod plugin_form;
mod reference;
mod small;
mod stock;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program in an environment of its own: no home, no kubeconfig, UTC.
fn ark(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ark"))
        .args(arguments)
        .env_clear()
        .env("HOME", home)
        .env("TZ", "UTC")
        .current_dir(home)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a run of the program shows.
fn show(arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    show_in(home.path(), arguments)
}

/// What several runs of the program show, each after its command line.
fn show_all(runs: &[&[&str]]) -> String {
    let home = tempfile::tempdir().unwrap();
    show_all_in(home.path(), runs)
}

/// As [`show_all`], in a home.
fn show_all_in(home: &Path, runs: &[&[&str]]) -> String {
    let texts = runs.iter().map(|arguments| {
        format!(
            "$ ark {}\n{}",
            arguments.join(" "),
            show_in(home, arguments)
        )
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// What a run of the program in a home shows; the home's path is left out.
fn show_in(home: &Path, arguments: &[&str]) -> String {
    let output = ark(home, arguments);
    let text = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace(&home.display().to_string(), "[HOME]")
    };
    let code = output
        .status
        .code()
        .map_or("none".to_owned(), |code| code.to_string());
    format!(
        "exit code: {code}\n----- stdout\n{}----- stderr\n{}",
        text(&output.stdout),
        text(&output.stderr)
    )
}
