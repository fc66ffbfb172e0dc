//! Programs that never outlive their owner, nor leave a file behind.
//!
//! A small shell process holds the read end of a pipe whose write end only the
//! owner has. The kernel closes that when the owner ends, by return, panic, Ctrl-C
//! or SIGKILL alike; the shell then kills what it started and removes the
//! directory. It runs in a process group of its own, so that a Ctrl-C in the
//! terminal reaches the owner alone and the cleaning is not interrupted.
//!
//! Programs are stopped with SIGKILL: whatever they know is about to be removed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

const SCRIPT: &str = include_str!("supervisor.sh");

/// File that is locked for as long as the supervisor or one of its programs lives.
const LOCK: &str = "supervisor.lock";

/// File that lists, one a line, what else is to be removed at the end.
pub(crate) const LEFTOVERS: &str = "leftovers";

/// The owner's handle. Dropping it ends everything and waits for it.
#[derive(Debug)]
pub struct Supervisor {
    dir: PathBuf,
    stdin: Option<ChildStdin>,
    child: Child,
}

/// A program and how to call it.
#[derive(Debug)]
pub struct Program<'a> {
    /// Names its files in the directory.
    pub name: &'a str,
    /// Its executable.
    pub path: &'a Path,
    /// What stands behind its name on the command line.
    pub arguments: Vec<String>,
    /// Variables besides those of the owner.
    pub environment: Vec<(&'a str, String)>,
}

impl Supervisor {
    /// Takes charge of `dir`: from here on it goes when the owner goes.
    pub fn start(dir: &Path) -> Result<Self> {
        let lock = File::create(dir.join(LOCK)).context("cannot make the supervisor's lock")?;
        // The lock belongs to the open file, which the shell inherits as its
        // stdout and keeps when we close ours.
        lock.lock().context("cannot lock the supervisor's lock")?;
        let log = File::create(dir.join("supervisor.log"))?;
        let mut child = Command::new("sh")
            .arg("-c")
            .arg(SCRIPT)
            .arg("supervisor")
            .arg(dir)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(lock)
            .stderr(log)
            .process_group(0)
            .spawn()
            .context("cannot start sh")?;
        let stdin = child.stdin.take();
        Ok(Self {
            dir: dir.to_owned(),
            stdin,
            child,
        })
    }

    /// Starts a program. What becomes of it: [`exit_code`](Self::exit_code).
    pub fn run(&mut self, program: &Program<'_>) -> Result<()> {
        let path = self.dir.join(format!("{}.sh", program.name));
        fs::write(&path, script(program))
            .with_context(|| format!("cannot write {}", path.display()))?;
        self.send(&format!("run {}\n", program.name))
    }

    /// The exit code of a program that has ended, as the shell tells it.
    pub fn exit_code(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.dir.join(format!("{name}.exit"))).ok()?;
        // Between its making and its filling the file is empty.
        let code = text.trim();
        (!code.is_empty()).then(|| code.to_owned())
    }

    /// The last lines that a program wrote.
    pub fn log_tail(&self, name: &str) -> String {
        let path = self.dir.join(format!("{name}.log"));
        let text = fs::read(&path).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }

    /// Lets everything run on when the owner ends, until [`stop`].
    pub fn detach(mut self) -> Result<()> {
        self.send("detach\n")?;
        self.stdin = None;
        // A zombie at most, and for no longer than this process lasts.
        std::mem::forget(self);
        Ok(())
    }

    fn send(&mut self, command: &str) -> Result<()> {
        let stdin = self
            .stdin
            .as_mut()
            .context("the supervisor's pipe is closed")?;
        stdin
            .write_all(command.as_bytes())
            .and_then(|()| stdin.flush())
            .context("the supervisor has ended")
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.stdin = None;
        // It cleans up also if nobody waits.
        let _ = self.child.wait();
    }
}

/// Whether the supervisor of `dir`, or a program of it, lives.
pub fn is_alive(dir: &Path) -> bool {
    let Ok(file) = File::open(dir.join(LOCK)) else {
        return false;
    };
    matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
}

/// Stops the programs of `dir` and removes it; also when the supervisor has died
/// (of a reboot), when only files are left.
pub fn stop(dir: &Path) -> Result<()> {
    if !is_alive(dir) {
        return match fs::remove_dir_all(dir) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", dir.display()))
            }
            _ => Ok(()),
        };
    }
    let path = dir.join("supervisor");
    let process =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let process: u32 = process
        .trim()
        .parse()
        .with_context(|| format!("{} holds no process number", path.display()))?;
    let sent = Command::new("sh")
        .args(["-c", "kill -TERM \"$1\"", "stop", &process.to_string()])
        .stderr(Stdio::null())
        .status()
        .context("cannot run sh")?;
    let patience = Instant::now() + Duration::from_secs(20);
    while dir.exists() {
        if !sent.success() || Instant::now() > patience {
            bail!(
                "process {process} does not stop; its files are in {}",
                dir.display()
            );
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn script(program: &Program<'_>) -> String {
    let mut text = String::new();
    for (name, value) in &program.environment {
        text.extend(["export ", name, "=", &quoted(value.as_ref()), "\n"]);
    }
    text.push_str("exec ");
    text.push_str(&quoted(program.path.as_os_str()));
    for argument in &program.arguments {
        text.push_str(" \\\n    ");
        text.push_str(&quoted(argument.as_ref()));
    }
    text.push('\n');
    text
}

/// One word for a POSIX shell, whatever is in it.
fn quoted(word: &OsStr) -> String {
    format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        let word = "a b'c\"d$HOME`x`\\ *";
        let output = Command::new("sh")
            .args(["-c", &format!("printf %s {}", quoted(word.as_ref()))])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), word);
    }

    #[test]
    fn a_dropped_supervisor_kills_and_removes() {
        let dir = tempfile::tempdir().unwrap().keep();
        let mut supervisor = Supervisor::start(&dir).unwrap();
        let sleep = Program {
            name: "sleeper",
            path: Path::new("/bin/sleep"),
            arguments: vec!["600".to_owned()],
            environment: Vec::new(),
        };
        supervisor.run(&sleep).unwrap();
        let pid = dir.join("sleeper.pid");
        while !pid.exists() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let pid = fs::read_to_string(pid).unwrap();
        assert!(is_alive(&dir));
        drop(supervisor);
        assert!(!dir.exists());
        let alive = Command::new("sh")
            .args(["-c", &format!("kill -0 {pid}")])
            .output()
            .unwrap();
        assert!(!alive.status.success(), "the program must be dead");
    }

    #[test]
    fn an_ended_program_leaves_its_code_and_log() {
        let dir = tempfile::tempdir().unwrap().keep();
        let mut supervisor = Supervisor::start(&dir).unwrap();
        let program = Program {
            name: "failing",
            path: Path::new("/bin/sh"),
            arguments: vec!["-c".to_owned(), "echo $WORD; exit 3".to_owned()],
            environment: vec![("WORD", "it's".to_owned())],
        };
        supervisor.run(&program).unwrap();
        while supervisor.exit_code("failing").is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(supervisor.exit_code("failing").as_deref(), Some("3"));
        assert_eq!(supervisor.log_tail("failing"), "it's");
    }
}
