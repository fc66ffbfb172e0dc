//! `cargo xtask cluster`: control planes that stay until they are stopped.

use std::process::ExitCode;

use anyhow::Result;
use ark_testkit::{KubernetesVersion, Options, registry};
use clap::{Args, Subcommand};

/// Start, list and stop control planes (no nodes) on this machine.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start a control plane and print the path of its kubeconfig.
    Up {
        /// What to call it.
        #[arg(long, default_value = "default")]
        name: String,
        /// Start no kube-controller-manager: namespaces are not deleted then, and
        /// nobody makes service accounts.
        #[arg(long)]
        without_controllers: bool,
        /// The Kubernetes release: 1.36 or 1.37 [default: 1.37].
        #[arg(long, value_name = "RELEASE")]
        kubernetes: Option<KubernetesVersion>,
    },
    /// List the control planes: name, release, kubeconfig.
    List,
    /// Stop a control plane and remove all that belongs to it.
    Down {
        /// Which one.
        #[arg(long, default_value = "default", conflicts_with = "all")]
        name: String,
        /// Every one.
        #[arg(long)]
        all: bool,
    },
}

/// Runs the verb.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    match arguments.verb {
        Verb::Up {
            name,
            without_controllers,
            kubernetes,
        } => {
            up(
                &name,
                &Options {
                    version: kubernetes,
                    without_controllers,
                    ..Options::default()
                },
            )?;
        }
        Verb::List => list()?,
        Verb::Down { all: true, .. } => {
            for cluster in registry::list()? {
                down(&cluster.name)?;
            }
        }
        Verb::Down { name, .. } => down(&name)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn up(name: &str, options: &Options) -> Result<()> {
    eprintln!("starting the control plane {name}");
    let plane = registry::up(name, options)?;
    eprintln!("Kubernetes {} answers at {}", plane.version(), plane.url());
    eprintln!("hint: stop it with `cargo xtask cluster down --name {name}`");
    println!("{}", plane.kubeconfig().display());
    Ok(())
}

fn list() -> Result<()> {
    let clusters = registry::list()?;
    if clusters.is_empty() {
        eprintln!("no control plane runs");
    }
    for cluster in clusters {
        match cluster.plane {
            Some(plane) => {
                println!(
                    "{}\t{}\t{}",
                    cluster.name,
                    plane.version(),
                    plane.kubeconfig().display()
                );
            }
            None => println!("{}\tnot running\t-", cluster.name),
        }
    }
    Ok(())
}

fn down(name: &str) -> Result<()> {
    registry::down(name)?;
    eprintln!("stopped the control plane {name}");
    Ok(())
}
