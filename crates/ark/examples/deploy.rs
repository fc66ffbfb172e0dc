//! Writes the files of `deploy/` into a directory, or with `--check` compares
//! them with what is there. Run by `cargo xtask crds`, which thereby needs not
//! link all of Ark.

#![expect(clippy::print_stderr, reason = "a program for people who work on Ark")]

use std::{fs, path::Path, process::ExitCode};

use ark::install::deploy;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [dir] => write(Path::new(dir)),
        [dir, "--check"] => check(Path::new(dir)),
        _ => Err("usage: deploy DIR [--check]".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn write(dir: &Path) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|error| format!("cannot make {}: {error}", dir.display()))?;
    for (name, content) in files()? {
        let path = dir.join(name);
        fs::write(&path, content)
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn check(dir: &Path) -> Result<(), String> {
    for (name, content) in files()? {
        let path = dir.join(name);
        let found = fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        if found != content {
            return Err(format!(
                "{} is not what the types say\nhint: run `cargo xtask crds`",
                path.display()
            ));
        }
    }
    Ok(())
}

fn files() -> Result<Vec<(&'static str, String)>, String> {
    deploy::files().map_err(|error| error.to_string())
}
