//! Talk on stderr about what takes long: one line that is rewritten on a
//! terminal, a line now and then elsewhere.

use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// Writes one line to stderr, past the capture of the test harness: nobody
/// should sit before a silent terminal while ten minutes of building go by.
pub(crate) fn say(line: &str) {
    // Nothing sensible is left to do when stderr is gone.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Runs `command` to its end and shows `what`, the elapsed time and the last line
/// that it wrote to stderr. Its stderr is shown in the error when it fails.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<()> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let stderr = child.stderr.take().context("no pipe for stderr")?;
    let (sender, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let output = follow(what, started, &lines);
    let status = child.wait()?;
    // The reader has ended: `follow` returns when it hangs up.
    let _ = reader.join();
    if !status.success() {
        let tail = output[output.len().saturating_sub(40)..].join("\n");
        bail!("{what}: failed with {status}\n{tail}");
    }
    say(&format!(
        "{what}: done in {} s",
        started.elapsed().as_secs()
    ));
    Ok(())
}

fn follow(what: &str, started: Instant, lines: &mpsc::Receiver<String>) -> Vec<String> {
    let terminal = io::stderr().is_terminal();
    let pause = Duration::from_secs(if terminal { 1 } else { 20 });
    let mut output = Vec::new();
    let mut next = started;
    loop {
        match lines.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(line) => output.push(line),
            Err(RecvTimeoutError::Timeout) => {
                let last = output.last().map_or("", String::as_str);
                show(
                    terminal,
                    &format!("{what}: {} s {last}", started.elapsed().as_secs()),
                );
                next = Instant::now() + pause;
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if terminal {
        let _ = write!(io::stderr(), "\r\x1b[2K");
    }
    output
}

fn show(terminal: bool, line: &str) {
    if terminal {
        let line: String = line.chars().take(100).collect();
        let _ = write!(io::stderr(), "\r\x1b[2K{line}");
        let _ = io::stderr().flush();
    } else {
        say(line);
    }
}
