//! `cargo xtask demo`: a real control plane, an application, a backup, a disaster,
//! and two restores, with every object compared.
//!
//! This file is the script: what happens in which order, and what is said about
//! it. It may not know how anything is done.

mod allowed;
mod build;
mod child;
mod client;
mod compare;
mod guest;
mod interrupt;
mod result;
mod screen;
mod shop;
mod site;
mod state;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use ark_testkit::{KubernetesVersion, Options};
use clap::Args;

use self::client::Client;
use self::compare::Comparison;
use self::screen::{Screen, counted, seconds};
use self::site::{Site, Tools};
use self::state::State;

/// The names under which clusters are kept.
const KEPT: [&str; 2] = ["demo", "demo-restored"];
/// The restores, as a user would ask for them. Both clusters share a bucket, and
/// with it the names of restores.
const RESTORES: [&str; 2] = ["after-the-disaster", "in-a-new-cluster"];
const FROM: [&str; 6] = [
    "--from-backup",
    "everything",
    "--include-namespaces",
    "shop*",
    "--include-cluster-resources",
    "--wait",
];

/// Show what Ark does: back up a live cluster, destroy what runs in it, restore.
///
/// Needs nothing but this repository: the clusters are control planes on this
/// machine and are gone afterwards.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Leave everything running afterwards, to play with.
    #[arg(long)]
    keep: bool,
    /// Run against this cluster instead of a new one. Only what the demo itself
    /// makes is touched there, and it is taken away again. The second cluster, for
    /// the second restore, stays one of this machine.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The Kubernetes release of clusters on this machine: 1.36 or 1.37 [default: 1.37].
    #[arg(long, value_name = "RELEASE")]
    kubernetes: Option<KubernetesVersion>,
}

/// Runs the verb. Fails when an object is lost or differs.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let screen = Screen::new(9);
    screen.title(
        "Ark demo",
        "A backup of a live Kubernetes cluster, a disaster, two restores; every object compared.",
    );
    let guest = arguments.kubeconfig.is_some();
    if arguments.keep {
        site::check_free(if guest { &KEPT[1..] } else { &KEPT })?;
    }
    if !guest {
        interrupt::watch(|| ())?;
    }
    let played = prepare(&screen, arguments).and_then(|tools| play(&screen, arguments, &tools));
    if played.is_err() {
        interrupt::defer();
    }
    played?;
    Ok(ExitCode::SUCCESS)
}

fn prepare(screen: &Screen, arguments: &Arguments) -> Result<Tools> {
    screen.step("Programs");
    let programs = build::control_plane(screen, arguments.kubernetes)?;
    Ok(Tools {
        ark: build::ark(screen)?,
        kubectl: programs.kubectl,
        options: Options {
            version: arguments.kubernetes,
            ..Options::default()
        },
    })
}

/// From the first cluster on: whatever happens, it is left as was asked for.
fn play(screen: &Screen, arguments: &Arguments, tools: &Tools) -> Result<()> {
    screen.step("A cluster");
    let mut one = match &arguments.kubeconfig {
        Some(kubeconfig) => Site::guest(tools, kubeconfig, guest::NAMESPACE)?,
        None => start(screen, arguments, tools, KEPT[0])?,
    };
    let findings = match &arguments.kubeconfig {
        Some(_) => Some(welcome(screen, arguments, &one.client)?),
        None => None,
    };
    let mut two = None;
    let mut played = story(screen, arguments, tools, (&mut one, &mut two));
    if played.is_err() {
        interrupt::defer();
        for site in [Some(&one), two.as_ref()].into_iter().flatten() {
            played = played.map_err(|error| with_log(error, site));
        }
    }
    let played = played.and_then(|problems| match problems {
        0 => Ok(()),
        problems => bail!("{} lost or changed", counted(problems, "object")),
    });
    if arguments.keep {
        return result::keep(screen, one, two).and(played);
    }
    if let Some(findings) = findings {
        let task = screen.task("taking the demo out of your cluster");
        match guest::clean_up(&one.client, findings, &|what| task.update(what)) {
            Ok(()) => task.done("your cluster is as it was before"),
            // Not instead of what went wrong first.
            Err(error) => return played.and(Err(error)),
        }
    }
    if played.is_ok() {
        result::next(screen);
    }
    played
}

/// Adds the last words of a server, whose log will be gone.
fn with_log(error: anyhow::Error, site: &Site) -> anyhow::Error {
    let log = site.server_log();
    if log.is_empty() {
        return error;
    }
    let name = site.client.kubeconfig.display();
    let ended = match site.server_exit() {
        Some(code) => format!(" before it ended with code {code}"),
        None => String::new(),
    };
    anyhow::anyhow!("{error:#}\n\nthe server of {name} said at last{ended}:\n{log}")
}

/// Looks at the user's cluster, and sees to it that an interrupted demo leaves
/// nothing there.
fn welcome(screen: &Screen, arguments: &Arguments, client: &Client) -> Result<guest::Findings> {
    let findings = guest::inspect(client)?;
    let context = client.kubectl(&["config", "current-context"])?;
    screen.done(&format!("your cluster: context {}", context.trim()));
    let (client, keep) = (client.clone(), arguments.keep);
    interrupt::watch(move || {
        if keep {
            eprintln!("what the demo made in your cluster stays, as --keep asks for");
            return;
        }
        eprintln!("taking the demo out of your cluster; Ctrl-C again leaves it there");
        if let Err(error) = guest::clean_up(&client, findings, &|_| ()) {
            eprintln!("error: {error:#}");
        }
    })?;
    Ok(findings)
}

fn start(screen: &Screen, arguments: &Arguments, tools: &Tools, name: &str) -> Result<Site> {
    let task = screen.task("starting etcd, API server and controllers");
    let site = Site::local(tools, arguments.keep.then_some(name))?;
    if let Some(plane) = site.plane() {
        let (version, url) = (plane.version(), plane.url());
        task.done(&format!("Kubernetes {version} answers at {url}"));
    }
    Ok(site)
}

/// The story itself. Answers how many objects were lost or changed.
fn story(
    screen: &Screen,
    arguments: &Arguments,
    tools: &Tools,
    (one, two): (&mut Site, &mut Option<Site>),
) -> Result<usize> {
    screen.step("Ark");
    let bucket = one.dir().join("bucket");
    std::fs::create_dir_all(&bucket)?;
    one.install(screen, &bucket)?;
    let saved = deploy(screen, &one.client)?;
    back_up(screen, &one.client, arguments.kubeconfig.is_some())?;
    destroy(screen, &one.client, saved.0.len())?;

    screen.step("Restore");
    let first = restore(screen, &one.client, RESTORES[0], &saved)?;

    screen.step("Restore into another cluster");
    let other = two.insert(start(screen, arguments, tools, KEPT[1])?);
    other.install(screen, &bucket)?;
    let task = screen.task("waiting for the server to find the backups in the bucket");
    other.wait_for_backup("everything")?;
    task.done("the new cluster found the backups in the bucket");
    other.client.show_table(screen, &["backup", "get"])?;
    let second = restore(screen, &other.client, RESTORES[1], &saved)?;

    screen.step("Result");
    result::table(screen, &saved, &first, &second);
    let problems = first.problems() + second.problems();
    let time = seconds(screen.elapsed());
    screen.say("");
    if problems == 0 {
        let objects = counted(saved.0.len(), "object");
        screen.done(&format!(
            "nothing is lost, nothing differs: {objects} restored twice; {time} in all"
        ));
    }
    Ok(problems)
}

fn deploy(screen: &Screen, client: &Client) -> Result<State> {
    screen.step("An application: a shop, its database, its monitoring");
    let task = screen.task("deploying");
    shop::deploy(client, &|what| task.update(what))?;
    task.done("the shop is deployed");
    let task = screen.task("waiting for the controllers, reading every object");
    let saved = State::settled(client)?;
    let counts = saved.counts();
    task.done(&format!(
        "{} of {} in {}, remembered as they are now",
        counted(saved.0.len(), "object"),
        counted(counts.len(), "kind"),
        counted(shop::NAMESPACES.len(), "namespace")
    ));
    let mut largest: Vec<_> = counts.into_iter().collect();
    largest.sort_by_key(|(resource, count)| (std::cmp::Reverse(*count), *resource));
    let (many, few) = largest.split_at(6.min(largest.len()));
    let many: Vec<String> = many
        .iter()
        .map(|(resource, count)| format!("{count} {}", plural(resource)))
        .collect();
    screen.block(&format!(
        "{}, and {} more kinds",
        many.join(", "),
        few.len()
    ));
    Ok(saved)
}

fn plural(resource: &str) -> &str {
    resource.split('.').next().unwrap_or(resource)
}

fn back_up(screen: &Screen, client: &Client, guest: bool) -> Result<()> {
    screen.step("Backups: what has a label, then everything");
    let create = ["backup", "create"];
    let options = ["--snapshot-volumes=false", "--wait"];
    let selected = ["demo", "--selector", "app=shop"];
    client.show(
        screen,
        "backing up",
        &[&create[..], &selected, &options].concat(),
    )?;
    // Of a cluster of the user's, only the demo's own objects are saved.
    let everything: &[&str] = if guest {
        &["everything", "--selector", shop::LABEL]
    } else {
        &["everything"]
    };
    client.show(
        screen,
        "backing up",
        &[&create[..], everything, &options].concat(),
    )?;
    client.show_table(screen, &["backup", "get"])
}

fn destroy(screen: &Screen, client: &Client, saved: usize) -> Result<()> {
    screen.step("The disaster: namespaces, definitions, rights and volumes are deleted");
    screen.command(&format!(
        "kubectl delete namespace {}",
        shop::NAMESPACES.join(" ")
    ));
    screen.command(&format!(
        "kubectl delete crd,clusterrole,.. -l {}",
        shop::LABEL
    ));
    let task = screen.task("deleting");
    shop::delete(client, &|what| task.update(what))?;
    let left = State::read(client)?;
    if let Some(id) = left.0.keys().next() {
        bail!("{id} is still there: nothing would be proved");
    }
    task.done(&format!("0 of {} are left", counted(saved, "object")));
    Ok(())
}

fn restore(screen: &Screen, client: &Client, name: &str, saved: &State) -> Result<Comparison> {
    let arguments = [&["restore", "create", name], &FROM[..]].concat();
    client.show(screen, "restoring", &arguments)?;
    let task = screen.task("comparing object by object");
    let comparison = Comparison::of_cluster(saved, client)?;
    let back = saved.0.len() - comparison.lost.len();
    if comparison.is_clean() {
        task.done(&format!(
            "{back} of {} are back, and none differs",
            counted(saved.0.len(), "object")
        ));
    } else {
        drop(task);
        result::problems(screen, &comparison);
    }
    Ok(comparison)
}
