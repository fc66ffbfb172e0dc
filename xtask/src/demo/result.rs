//! The end of the demo: what came of it, and what to try next.

use anyhow::Result;

use super::allowed;
use super::client::DEFAULT_NAMESPACE;
use super::compare::Comparison;
use super::screen::{Screen, Tone, counted};
use super::site::Site;
use super::state::State;
use super::{KEPT, RESTORES, guest, shop};

/// More problems than these are only counted.
const SHOWN: usize = 20;

/// Kinds and counts.
pub(crate) fn table(screen: &Screen, saved: &State, one: &Comparison, two: &Comparison) {
    let row = |kind: &str, columns: [&str; 4]| {
        let [saved, one, two, differences] = columns;
        format!("{kind:<34}{saved:>6}{one:>14}{two:>14}{differences:>14}")
    };
    let heading = ["SAVED", "CLUSTER ONE", "CLUSTER TWO", "DIFFERENCES"];
    screen.say(&screen.paint(Tone::Strong, &row("KIND", heading)));
    let (in_one, in_two) = (one.found.counts(), two.found.counts());
    let mut kinds = saved.counts();
    // Also what was not saved and is there.
    for kind in in_one.keys().chain(in_two.keys()) {
        kinds.entry(*kind).or_default();
    }
    for (kind, count) in &kinds {
        let of = |counts: &std::collections::BTreeMap<&str, usize>| {
            counts.get(kind).copied().unwrap_or_default().to_string()
        };
        let problems = one.problems_of(kind) + two.problems_of(kind);
        let columns = [
            count.to_string(),
            of(&in_one),
            of(&in_two),
            problems.to_string(),
        ];
        let short = short(kind, kinds.keys().copied());
        screen.say(&row(short, columns.each_ref().map(String::as_str)));
    }
    let total = [
        saved.0.len(),
        one.found.0.len(),
        two.found.0.len(),
        one.problems() + two.problems(),
    ]
    .map(|count| count.to_string());
    let total = row("all", total.each_ref().map(String::as_str));
    screen.say(&screen.paint(Tone::Strong, &total));
    screen.say("");
    screen.say("Every field was compared, except for what must differ:");
    for allowed in allowed::list() {
        screen.block(&format!("{:<54}{}", allowed.what, allowed.why));
    }
}

/// The kind without its group, unless another one goes by the same name.
fn short<'a>(kind: &'a str, mut kinds: impl Iterator<Item = &'a str>) -> &'a str {
    let plural = super::plural(kind);
    if kinds.any(|other| other != kind && super::plural(other) == plural) {
        return kind;
    }
    plural
}

/// What is wrong after a restore.
pub(crate) fn problems(screen: &Screen, comparison: &Comparison) {
    screen.say(&format!(
        "{} lost or changed:",
        counted(comparison.problems(), "object")
    ));
    let lines = comparison.lines();
    for line in lines.iter().take(SHOWN) {
        screen.say(&format!("  {line}"));
    }
    if lines.len() > SHOWN {
        screen.say(&format!("  and {} more", lines.len() - SHOWN));
    }
}

/// What to try when everything is gone.
pub(crate) fn next(screen: &Screen) {
    heading(screen, "Try next");
    screen.command("cargo xtask demo --keep");
    screen.block("leaves both clusters running, and says how to use them");
    screen.command("cargo xtask demo --kubeconfig ~/.kube/config");
    screen.block("the same in a cluster of yours; what the demo makes there is taken away again");
    screen.command("ark install --provider aws --bucket NAME --secret-file FILE");
    screen.block("installs Ark into the cluster of your kubeconfig; README.md says more");
}

/// Lets everything run on and says how to use and to stop it.
pub(crate) fn keep(screen: &Screen, one: Site, two: Option<Site>) -> Result<()> {
    heading(screen, "Everything keeps running; try next");
    let ark = &one.client.ark;
    if let Some(dir) = ark.parent() {
        screen.command(&format!("export PATH={}:$PATH", dir.display()));
    }
    let namespace = &one.client.namespace;
    screen.command(&format!(
        "export KUBECONFIG={}",
        one.client.kubeconfig.display()
    ));
    if namespace != DEFAULT_NAMESPACE {
        screen.command(&format!("export ARK_NAMESPACE={namespace}"));
    }
    screen.command("ark backup describe everything --details");
    screen.command(&format!("ark restore logs {}", RESTORES[0]));
    screen.command(
        "ark restore create --from-backup everything --include-namespaces shop-monitoring \
         --namespace-mappings shop-monitoring:copy --wait",
    );
    screen.command(&format!(
        "kubectl --namespace {namespace} get backups,restores"
    ));
    screen.block(&format!(
        "kubectl of this release: {}",
        one.client.kubectl.display()
    ));
    if let Some(two) = &two {
        screen.say("The other cluster:");
        screen.command(&format!(
            "export KUBECONFIG={}",
            two.client.kubeconfig.display()
        ));
    }
    screen.say("Stop it, servers and bucket included:");
    if one.plane().is_some() {
        screen.command(&format!("cargo xtask cluster down --name {}", KEPT[0]));
    } else {
        screen.command(&format!("ark uninstall --namespace {}", guest::NAMESPACE));
        screen.command(shop::DELETE);
        screen.command(&format!("kill $(cat {}/supervisor)", one.dir().display()));
    }
    if let Some(two) = two {
        screen.command(&format!("cargo xtask cluster down --name {}", KEPT[1]));
        two.keep()?;
    }
    one.keep()
}

fn heading(screen: &Screen, text: &str) {
    screen.say("");
    screen.say(&screen.paint(Tone::Strong, text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_shown_where_it_tells_kinds_apart() {
        let kinds = ["pods", "events", "events.events.k8s.io", "deployments.apps"];
        let short = |kind| short(kind, kinds.into_iter());
        assert_eq!(short("deployments.apps"), "deployments");
        assert_eq!(short("events.events.k8s.io"), "events.events.k8s.io");
    }
}
