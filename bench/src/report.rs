//! Results as Markdown: what stands on stdout and in `bench/results.md`.

use std::fmt::Write as _;

use crate::results::{Results, processor_ratio, ratio};
use crate::rounds::{Round, Run};
use crate::stages::Stage;
use crate::statistics::Spread;
use crate::sweep::Point;

/// What one kind of run is called, and where a round has runs of it.
type Kind = (&'static str, fn(&Round) -> Vec<&Run>);

const KINDS: [Kind; 7] = [
    ("raw paged GETs, newest", |round| {
        round.backups.iter().map(|pair| &pair.raw_list).collect()
    }),
    ("raw paged GETs at one revision", |round| {
        let pairs = round.backups.iter();
        pairs.map(|pair| &pair.raw_list_at_revision).collect()
    }),
    ("Ark backup, server", |round| {
        round.backups.iter().map(|pair| &pair.backup).collect()
    }),
    ("Ark backup, `--direct`", |round| {
        round.direct_backup.iter().collect()
    }),
    ("raw parallel POSTs", |round| {
        round.restore.iter().map(|pair| &pair.raw_post).collect()
    }),
    ("Ark restore, server", |round| {
        round.restore.iter().map(|pair| &pair.restore).collect()
    }),
    ("Ark restore, `--direct`", |round| {
        round.direct_restore.iter().collect()
    }),
];

/// The tables that every run ends with.
pub(crate) fn tables(results: &Results) -> String {
    let mut out = String::new();
    verdicts(&mut out, results);
    times(&mut out, results);
    processors(&mut out, results);
    out
}

/// The whole page.
pub(crate) fn page(results: &Results) -> String {
    let mut out = String::from("# Ark beside the API server's limit\n\n");
    let _ = writeln!(
        out,
        "{} objects in {} namespaces, {} rounds, Kubernetes {}, 2 cores, 24 GiB, etcd, API server \
         and all clients on the same machine. Written by `cargo xtask bench --write`, every single \
         figure is in `results.json`.\n\n\
         In each round the raw limit and Ark run one right after the other, in alternating order. \
         The raw listing fetches every page that a backup fetches, as large as Ark's, by {} \
         connections, and throws them away; Ark reads as many lists at a time, all at one \
         revision, and writes the archive into a directory. The raw posts send the data set with \
         the labels that a restore puts on it, by {} connections, to an empty cluster that has \
         the definitions already; a restore has at most {} requests in flight, brings the \
         definitions itself, and compares what the empty cluster has of its own. A backup or \
         restore is timed from the moment its resource is posted to the moment a watch shows it \
         `Completed`; then the objects are counted.\n",
        results.objects,
        results.namespaces,
        results.rounds.len(),
        results.kubernetes,
        results.list_concurrency,
        results.post_connections,
        results.restore_concurrency,
    );
    out.push_str(&tables(results));
    rest(&mut out, results);
    out
}

fn verdicts(out: &mut String, results: &Results) {
    out.push_str("## Targets\n\n| what | median (min–max) | target | met |\n|---|---|---|---|\n");
    for verdict in results.verdicts() {
        let met = if verdict.met { "yes" } else { "**no**" };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {met} |",
            verdict.what, verdict.found, verdict.target
        );
    }
    let at_revision = ratio(
        results
            .backups()
            .map(|pair| (&pair.backup, &pair.raw_list_at_revision)),
    );
    let backup_work = processor_ratio(results.backups().map(|pair| (&pair.backup, &pair.raw_list)));
    let _ = writeln!(
        out,
        "\nRatios are taken within each pair. Beside raw GETs at one revision, which is what a \
         backup asks for, the backup takes {} times as long. In processor seconds of all that \
         take part, which neighbours on the machine disturb less, it takes {} times as much as \
         the raw listing.",
        at_revision.text(2),
        backup_work.text(2),
    );
    let mut restores = results.restores().peekable();
    if restores.peek().is_some() {
        let work = processor_ratio(restores.map(|pair| (&pair.raw_post, &pair.restore)));
        let _ = writeln!(
            out,
            "The raw posts take {} of what a restore takes.",
            work.text(2)
        );
    }
    out.push('\n');
}

fn times(out: &mut String, results: &Results) {
    out.push_str(
        "## Times\n\n| run | seconds, median (min–max) | objects/s | MB | peak memory, MiB |\n\
         |---|---|---|---|---|\n",
    );
    for (name, of) in KINDS {
        let runs: Vec<&Run> = results.rounds.iter().flat_map(of).collect();
        let Some(first) = runs.first() else { continue };
        let seconds = Spread::of(runs.iter().map(|run| run.usage.seconds));
        let peaks: Vec<f64> = runs
            .iter()
            .filter_map(|run| run.peak)
            .map(|peak| peak as f64 / 1_048_576.0)
            .collect();
        let peak = if peaks.is_empty() {
            "–".to_owned()
        } else {
            Spread::of(peaks).text(1)
        };
        let _ = writeln!(
            out,
            "| {name} | {} | {:.0} | {:.1} | {peak} |",
            seconds.text(2),
            results.rate(seconds.median),
            first.bytes as f64 / 1e6,
        );
    }
    out.push_str("\nMB is the JSON for raw runs and the archive for Ark.\n\n");
}

fn processors(out: &mut String, results: &Results) {
    const PROCESSES: [&str; 4] = ["apiserver", "etcd", "ark", "bench"];
    out.push_str(
        "## Processor seconds, medians\n\n| run | API server | etcd | Ark | benchmark | other cores busy |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, of) in KINDS {
        let runs: Vec<&Run> = results.rounds.iter().flat_map(of).collect();
        if runs.is_empty() {
            continue;
        }
        let _ = write!(out, "| {name} |");
        for process in PROCESSES {
            let used = runs
                .iter()
                .filter_map(|run| run.usage.cpu.get(process))
                .copied();
            let _ = write!(out, " {:.2} |", Spread::of(used).median);
        }
        let noise = Spread::of(runs.iter().map(|run| run.usage.noise()));
        let _ = writeln!(out, " {} |", noise.text(2));
    }
    out.push_str(
        "\nThe last column is everything else on the machine: the larger it is, the less do the \
         times mean. Two cores give two processor seconds a second.\n\n",
    );
}

fn rest(out: &mut String, results: &Results) {
    out.push_str("## Where the rest goes\n\n");
    stages(
        out,
        "Each part of a backup alone, one thread, processor seconds",
        &results.backup_parts,
    );
    stages(
        out,
        "A backup inside one process, seconds",
        &results.backup_inside,
    );
    stages(
        out,
        "A restore inside one process, seconds",
        &results.restore_inside,
    );
    if !results.backup_sweep.is_empty() || !results.restore_sweep.is_empty() {
        out.push_str("## What was tried\n\nThe engine inside the benchmark's process.\n\n");
    }
    points(out, "Backups", &results.backup_sweep);
    points(out, "Restores", &results.restore_sweep);
}

fn stages(out: &mut String, title: &str, stages: &[Stage]) {
    if stages.is_empty() {
        return;
    }
    let _ = writeln!(out, "{title}:\n\n| part | seconds | MB |\n|---|---|---|");
    for stage in stages {
        let size = match stage.bytes {
            0 => "–".to_owned(),
            bytes => format!("{:.1}", bytes as f64 / 1e6),
        };
        let _ = writeln!(out, "| {} | {:.2} | {size} |", stage.name, stage.seconds);
    }
    out.push('\n');
}

fn points(out: &mut String, title: &str, points: &[Point]) {
    if points.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "{title}:\n\n| setting | raw limit, s | Ark, s | archive, MB |\n|---|---|---|---|"
    );
    for point in points {
        let raw = point.raw.map_or_else(|| "–".to_owned(), |raw| raw.text(2));
        let size = match point.bytes {
            0 => "–".to_owned(),
            bytes => format!("{:.1}", bytes as f64 / 1e6),
        };
        let _ = writeln!(
            out,
            "| {} | {raw} | {} | {size} |",
            point.setting,
            point.ark.text(2)
        );
    }
    out.push('\n');
}
