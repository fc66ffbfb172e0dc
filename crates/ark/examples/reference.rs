//! Writes the pages of the command line's reference into a directory, or checks
//! that they are what the commands say. `cargo xtask docs` runs it.

#![expect(clippy::print_stderr, reason = "a tool of this repository")]

use std::path::Path;
use std::process::ExitCode;

/// Pages that are written by hand.
const BY_HAND: [&str; 1] = ["exit-codes.md"];

fn main() -> std::io::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(directory) = arguments.first().map(Path::new) else {
        eprintln!("usage: reference DIRECTORY [--check]");
        return Ok(ExitCode::FAILURE);
    };
    let check = arguments.iter().any(|argument| argument == "--check");
    let pages = ark::reference::pages();
    let mut stale = Vec::new();
    if !check {
        std::fs::create_dir_all(directory)?;
    }
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let known = pages.iter().any(|page| page.file == name);
        if known || BY_HAND.contains(&name.as_str()) {
            continue;
        }
        stale.push(name.clone());
        if !check {
            std::fs::remove_file(directory.join(name))?;
        }
    }
    for page in pages {
        let path = directory.join(&page.file);
        if std::fs::read_to_string(&path).ok().as_ref() == Some(&page.text) {
            continue;
        }
        stale.push(page.file);
        if !check {
            std::fs::write(path, page.text)?;
        }
    }
    if check && !stale.is_empty() {
        eprintln!("not what the commands say: {}", stale.join(", "));
        eprintln!("`cargo xtask docs` writes them");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
