//! `cargo xtask tidy`: the repository's rules that no compiler checks, as code.
//!
//! A rule is a function from a file to findings; each finding says what to do.

mod rules;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use self::rules::Source;
use crate::workspace;

/// Check the rules of this repository that the compiler does not know.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Runs the verb: findings go to stdout as `FILE:LINE: what is wrong; what to do`.
pub(crate) fn run(_: &Arguments) -> Result<ExitCode> {
    let root = workspace::root();
    let mut findings = Vec::new();
    let mut checked = 0;
    for folder in ["bench", "crates", "xtask"] {
        for path in workspace::files(&root.join(folder), &[".rs", "Cargo.toml"])? {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let relative = path.strip_prefix(&root)?.to_string_lossy().into_owned();
            rules::check(
                &Source {
                    path: &relative,
                    text: &text,
                },
                &mut findings,
            );
            checked += 1;
        }
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).context("cannot read Cargo.lock")?;
    rules::check_lock(
        &Source {
            path: "Cargo.lock",
            text: &lock,
        },
        &mut findings,
    );
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        eprintln!("tidy: {checked} files keep the rules");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("tidy: {} findings", findings.len());
    Ok(ExitCode::FAILURE)
}
