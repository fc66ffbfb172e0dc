//! `ark backup get`: the columns of backups and their order.

use std::cmp::Ordering;

use ark_api::{Backup, LabelSelector};
use clap::Args;
use jiff::Timestamp;

use crate::args::selector::to_text;
use crate::context::Context;
use crate::direct::Bucket;
use crate::error::{CommandError, Exit};
use crate::listing::{self, Shown, name, status};
use crate::out::describe::NONE;
use crate::out::human;
use crate::out::style::Tone;
use crate::out::table::Cell;

/// Show backups
#[derive(Debug, Clone, Default, Args)]
#[group(skip)]
pub struct GetArgs {
    /// Look into a bucket with your own credentials: a directory, or a bucket as `s3://`, `gs://` or `azblob://BUCKET/PREFIX`
    #[arg(long, value_name = "DIR|URL")]
    from: Option<String>,

    #[command(flatten)]
    look: listing::GetArgs,
}

/// Runs the verb.
pub async fn run(ctx: &Context, args: GetArgs) -> Result<Exit, CommandError> {
    let Some(from) = &args.from else {
        return listing::run::<Backup>(ctx, args.look).await;
    };
    if args.look.has_selector() {
        return Err(CommandError::usage(
            "--from cannot be combined with --selector: name backups",
        ));
    }
    let bucket = Bucket::open(from).await?;
    let mut backups = Vec::new();
    if args.look.names().is_empty() {
        backups = bucket.backups().await?;
    }
    for name in args.look.names() {
        backups.push(bucket.backup(name).await?);
    }
    Backup::arrange(&mut backups);
    listing::show(ctx, &args.look, &backups)
}

impl Shown for Backup {
    const COLUMNS: &[&str] = &[
        "NAME",
        "STATUS",
        "ERRORS",
        "WARNINGS",
        "CREATED",
        "EXPIRES",
        "STORAGE LOCATION",
        "QUEUE POSITION",
        "SELECTOR",
    ];
    const WIDE: &[&str] = &["ITEMS", "DURATION", "NAMESPACES"];

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        let created = outcome.start_timestamp.map(|time| time.0);
        let expires = outcome.expiration.map(|time| human::from_now(time.0, now));
        let queue = match outcome.queue_position {
            0 => String::new(),
            position => position.to_string(),
        };
        vec![
            Cell::from(name(self)),
            Cell::phase(status(&self.metadata, self.phase().as_str())),
            Cell::problems(unsigned(outcome.errors), Tone::Bad),
            Cell::problems(unsigned(outcome.warnings), Tone::Warning),
            Cell::from(human::time_or_none(created)),
            Cell::from(expires.unwrap_or_else(|| human::NO_TIME.to_owned())),
            Cell::from(self.spec.storage_location.as_str()),
            Cell::from(queue),
            Cell::from(selector(self.spec.label_selector.as_ref())),
        ]
    }

    fn wide_cells(&self, now: Timestamp) -> Vec<Cell> {
        let outcome = self.status.clone().unwrap_or_default();
        let items = outcome
            .progress
            .as_ref()
            .map(|progress| format!("{}/{}", progress.items_backed_up, progress.total_items));
        let duration = took(
            outcome.start_timestamp.map(|time| time.0),
            outcome.completion_timestamp.map(|time| time.0),
            now,
        );
        vec![
            Cell::from(items.unwrap_or_default()),
            Cell::from(duration),
            Cell::from(all_or(&self.spec.included_namespaces)),
        ]
    }

    fn arrange(backups: &mut [Self]) {
        backups.sort_by(|a, b| by_name(name(a), name(b)));
    }
}

/// By name; of names that differ only in the time at their end, the youngest first.
fn by_name(a: &str, b: &str) -> Ordering {
    match (stem(a), stem(b)) {
        (Some((stem_a, time_a)), Some((stem_b, time_b))) if stem_a == stem_b => time_b.cmp(time_a),
        _ => a.cmp(b),
    }
}

/// Splits `<stem>-<14 digits>`.
fn stem(name: &str) -> Option<(&str, &str)> {
    let (stem, time) = name.rsplit_once('-')?;
    (time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit())).then_some((stem, time))
}

/// A selector as text, or `<none>`.
pub(crate) fn selector(selector: Option<&LabelSelector>) -> String {
    selector
        .map(to_text)
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| NONE.to_owned())
}

/// Names joined by commas; `*` for none.
pub(crate) fn all_or(names: &[String]) -> String {
    if names.is_empty() {
        "*".to_owned()
    } else {
        names.join(",")
    }
}

/// How long something took, or takes since it began.
pub(crate) fn took(start: Option<Timestamp>, end: Option<Timestamp>, now: Timestamp) -> String {
    start.map_or_else(String::new, |start| {
        human::age(Some(start), end.unwrap_or(now))
    })
}

/// A count of the wire, which has no unsigned numbers.
pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_one_series_the_youngest_comes_first() {
        let mut names = [
            "nightly-20260101000000",
            "nightly-20260301000000",
            "a",
            "nightly",
            "nightly-2026",
            "weekly-20250101000000",
        ];
        names.sort_by(|a, b| by_name(a, b));
        assert_eq!(
            names,
            [
                "a",
                "nightly",
                "nightly-2026",
                "nightly-20260301000000",
                "nightly-20260101000000",
                "weekly-20250101000000",
            ]
        );
    }

    #[test]
    fn each_column_has_a_cell() {
        let backup = Backup::default();
        assert_eq!(
            backup.cells(Timestamp::UNIX_EPOCH).len(),
            Backup::COLUMNS.len()
        );
        assert_eq!(
            backup.wide_cells(Timestamp::UNIX_EPOCH).len(),
            Backup::WIDE.len()
        );
    }
}
