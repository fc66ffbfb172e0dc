//! The one way to do things in this repository: `cargo xtask VERB`.
//!
//! Each verb is a file with its `Arguments` and its `run`. What a verb produces
//! goes to stdout, what it has to say to stderr.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people who work on Ark; nothing here is a library"
)]

mod bench;
mod cluster;
mod crds;
mod demo;
mod docs;
mod generated;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Tasks of this repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Bench(bench::Arguments),
    Cluster(cluster::Arguments),
    Crds(crds::Arguments),
    Demo(demo::Arguments),
    Docs(docs::Arguments),
    Test(test::Arguments),
    Tidy(tidy::Arguments),
}

fn main() -> ExitCode {
    let result = match CommandLine::parse().verb {
        Verb::Bench(arguments) => bench::run(arguments),
        Verb::Cluster(arguments) => cluster::run(arguments),
        Verb::Crds(arguments) => crds::run(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Docs(arguments) => docs::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Tidy(arguments) => tidy::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
