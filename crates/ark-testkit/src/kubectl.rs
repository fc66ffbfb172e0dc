//! Runs the control plane's own `kubectl`, for tests that look at a cluster the
//! way its users do.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::ControlPlane;

impl ControlPlane {
    /// A `kubectl` command as this plane's administrator; its caches stay in the
    /// plane's directory.
    pub fn kubectl_command(&self) -> Command {
        let mut command = Command::new(self.kubectl_path());
        command
            .env("KUBECONFIG", self.kubeconfig())
            .env("KUBECACHEDIR", self.dir().join("kubectl-cache"))
            // It lives too short for its garbage to be worth collecting.
            .env("GOGC", "off");
        command
    }

    /// Runs `kubectl ARGUMENTS…` and returns its stdout. The error holds the
    /// command line and its stderr.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let output = self
            .kubectl_command()
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {}", self.kubectl_path().display()))?;
        stdout_of(arguments, output)
    }

    /// Like [`kubectl`](Self::kubectl), with `input` on its stdin
    /// (`["apply", "-f", "-"]`).
    pub fn kubectl_stdin(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = self
            .kubectl_command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", self.kubectl_path().display()))?;
        let mut stdin = child.stdin.take().context("no pipe for stdin")?;
        let input = input.to_owned();
        // In a thread of its own, or both sides could wait on full pipes. When
        // kubectl ends early its own message tells more than the broken pipe.
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(input.as_bytes());
        });
        let output = child.wait_with_output()?;
        let _ = writer.join();
        stdout_of(arguments, output)
    }
}

fn stdout_of(arguments: &[&str], output: Output) -> Result<String> {
    if !output.status.success() {
        bail!(
            "kubectl {}: {}: {}",
            arguments.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    String::from_utf8(output.stdout).context("kubectl wrote something that is not UTF-8")
}
