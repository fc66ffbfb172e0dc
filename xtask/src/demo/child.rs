//! Runs other programs quietly: nothing of them is seen unless they fail, and
//! then everything they said.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};

/// What a program said before it ended well.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The last thing that it had to say, advice aside.
    pub(crate) fn conclusion(&self) -> &str {
        let mut lines = self.stderr.lines().rev().map(str::trim);
        lines
            .find(|line| !line.is_empty() && !line.starts_with("hint:"))
            .unwrap_or_default()
    }
}

/// Runs `command` to its end, with `input` on its stdin; each line that it writes
/// to stderr goes to `watch` as it comes. `shown` is what people would type: the
/// error names it and holds all that it had to say (stdout is data, and is told
/// only if there is nothing else).
pub(crate) fn run(
    shown: &str,
    command: &mut Command,
    input: Option<&str>,
    watch: &mut dyn FnMut(&str),
) -> Result<Output> {
    let stdin = if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    // Threads of their own, or both sides could wait on full pipes. A program that
    // ends early says more by its own message than the broken pipe does.
    let writer = child.stdin.take().zip(input).map(|(mut pipe, input)| {
        let input = input.to_owned();
        thread::spawn(move || {
            let _ = pipe.write_all(input.as_bytes());
        })
    });
    let mut pipe = child.stdout.take().context("no pipe for stdout")?;
    let reader = thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).map(|_| bytes)
    });
    let mut stderr = String::new();
    let mut lines = BufReader::new(child.stderr.take().context("no pipe for stderr")?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        watch(text.trim_end());
        stderr.push_str(&text);
        line.clear();
    }
    let status = child.wait()?;
    if let Some(writer) = writer {
        let _ = writer.join();
    }
    let stdout = reader
        .join()
        .ok()
        .context("the reader of stdout has panicked")?;
    let stdout = String::from_utf8_lossy(&stdout?).into_owned();
    if !status.success() {
        let said = if stderr.trim().is_empty() {
            stdout
        } else {
            stderr
        };
        bail!("`{shown}` failed ({status})\n{}", said.trim_end());
    }
    Ok(Output { stdout, stderr })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: Option<&str>) -> (Result<Output>, Vec<String>) {
        let mut seen = Vec::new();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let output = run("sh", &mut command, input, &mut |line| {
            seen.push(line.to_owned());
        });
        (output, seen)
    }

    #[test]
    fn output_is_kept_and_stderr_watched() {
        let script = "cat; echo first >&2; echo 'it is done' >&2; echo 'hint: look' >&2";
        let (output, seen) = shell(script, Some("data"));
        let output = output.unwrap();
        assert_eq!(output.stdout, "data");
        assert_eq!(output.conclusion(), "it is done");
        assert_eq!(seen, ["first", "it is done", "hint: look"]);
    }

    #[test]
    fn a_failure_tells_everything() {
        let error = |script| shell(script, None).0.unwrap_err().to_string();
        let said = "`sh` failed (exit status: 3)\n";
        assert_eq!(
            error("echo data; echo one >&2; echo two >&2; exit 3"),
            format!("{said}one\ntwo")
        );
        assert_eq!(error("echo data; exit 3"), format!("{said}data"));
    }
}
