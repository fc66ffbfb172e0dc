//! How the demo speaks to a cluster: `kubectl` and `ark`, as its users do. So what
//! is compared at the end is not read by the program under test.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::child::{self, Output};
use super::screen::Screen;

/// The namespace of an installation unless it is told another one.
pub(crate) const DEFAULT_NAMESPACE: &str = "heptio-ark";

/// The programs, and the cluster that they speak to.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) kubectl: PathBuf,
    pub(crate) ark: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    /// Where kubectl keeps what it has learned of the API.
    pub(crate) cache: PathBuf,
    /// Ark's namespace in the cluster.
    pub(crate) namespace: String,
}

impl Client {
    /// Runs kubectl; returns its stdout.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.run_kubectl(arguments, None)
    }

    /// Runs kubectl with `input` on its stdin; returns its stdout.
    pub(crate) fn kubectl_stdin(&self, arguments: &[&str], input: &str) -> Result<String> {
        self.run_kubectl(arguments, Some(input))
    }

    fn run_kubectl(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let mut command = Command::new(&self.kubectl);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .env("KUBECACHEDIR", &self.cache)
            .args(arguments);
        let shown = format!("kubectl {}", arguments.join(" "));
        Ok(child::run(&shown, &mut command, input, &mut |_| {})?.stdout)
    }

    /// Runs ark without showing it.
    pub(crate) fn ark(&self, arguments: &[&str], watch: &mut dyn FnMut(&str)) -> Result<Output> {
        let mut command = Command::new(&self.ark);
        command
            .args(arguments)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(["--namespace", &self.namespace, "--no-color"]);
        if arguments.contains(&"--wait") {
            // A demo whose server has died should not wait for it for ever.
            command.arg("--wait-timeout=3m");
        }
        child::run(&self.shown(arguments), &mut command, None, watch)
    }

    /// Runs ark, showing the command and what came of it.
    pub(crate) fn show(&self, screen: &Screen, doing: &str, arguments: &[&str]) -> Result<Output> {
        screen.command(&self.shown(arguments));
        let task = screen.task(doing);
        let output = self.ark(arguments, &mut |line| {
            if let Some((_, progress)) = line.split_once(" items").and(line.split_once(": ")) {
                task.update(progress);
            }
        })?;
        task.done(output.conclusion());
        Ok(output)
    }

    /// Runs ark, showing the command and the table that it prints.
    pub(crate) fn show_table(&self, screen: &Screen, arguments: &[&str]) -> Result<()> {
        screen.command(&self.shown(arguments));
        screen.block(&self.ark(arguments, &mut |_| {})?.stdout);
        Ok(())
    }

    /// The command as people would type it with `KUBECONFIG` set.
    fn shown(&self, arguments: &[&str]) -> String {
        let mut text = String::from("ark");
        for argument in arguments {
            text.push(' ');
            // What the shell would take for itself.
            if argument.contains('*') {
                text.extend(["'", argument, "'"]);
            } else {
                text.push_str(argument);
            }
        }
        if self.namespace != DEFAULT_NAMESPACE {
            text.push_str(" --namespace ");
            text.push_str(&self.namespace);
        }
        text
    }
}
