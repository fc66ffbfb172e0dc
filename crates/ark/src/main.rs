//! The binary `ark`. Everything is in the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    ark::run(std::env::args_os())
}
