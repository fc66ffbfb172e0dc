//! One option after the other, the rest as they are: what was tried, and what it
//! brings. The engine runs inside this process.

use anyhow::Result;
use ark_engine::{backup, restore};
use ark_kube::ConnectOptions;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::inside::Inside;
use crate::rounds::{Setting, Source};
use crate::say;
use crate::statistics::Spread;

/// Repetitions of each point.
const REPEAT: usize = 3;

/// One point.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Point {
    /// What was set to what.
    pub(crate) setting: String,
    /// Seconds of the raw limit with the same setting, where it has it.
    pub(crate) raw: Option<Spread>,
    /// Seconds of Ark's engine.
    pub(crate) ark: Spread,
    /// Size of the archive in bytes, where there is one.
    pub(crate) bytes: u64,
}

/// Varies the options of a backup.
pub(crate) async fn backups(setting: &Setting, source: &Source) -> Result<Vec<Point>> {
    let base = backup::Options::default;
    let mut tried = Vec::new();
    for list_concurrency in [1, 2, 4, 8] {
        let name = format!("list_concurrency {list_concurrency}");
        tried.push((
            name,
            backup::Options {
                list_concurrency,
                ..base()
            },
        ));
    }
    for kilobytes in [256, 1024, 4096] {
        let options = backup::Options {
            page_bytes: kilobytes << 10,
            max_page_items: 10_000,
            ..base()
        };
        tried.push((format!("page_bytes {kilobytes}K"), options));
    }
    for compression_level in [1, 2, 3, 6] {
        let name = format!("compression_level {compression_level}");
        tried.push((
            name,
            backup::Options {
                compression_level,
                ..base()
            },
        ));
    }
    for compress_workers in [1, 2, 4] {
        let name = format!("compress_workers {compress_workers}");
        tried.push((
            name,
            backup::Options {
                compress_workers,
                ..base()
            },
        ));
    }
    tried.push((
        "fence off".to_owned(),
        backup::Options {
            fence: false,
            ..base()
        },
    ));
    let bucket = setting.bucket.with_extension("sweep");
    let inside = Inside::connect(&source.cluster, &bucket).await?;
    let mut points = Vec::new();
    for (number, (name, options)) in tried.into_iter().enumerate() {
        let (mut raw, mut ark) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for repetition in 0..REPEAT {
            raw.push(
                source
                    .raw_list(options.fence, &options, setting.patience)
                    .await?
                    .usage
                    .seconds,
            );
            let backup = format!("sweep-{number}-{repetition}");
            source.cluster.settle().await?;
            ark.push(inside.backup(&backup, &options).await?.seconds);
            bytes = crate::ark::archive_size(&bucket, &backup)?;
        }
        let point = Point {
            setting: name,
            raw: Some(Spread::of(raw)),
            ark: Spread::of(ark),
            bytes,
        };
        say(&format!("  {}: {}", point.setting, point.ark.text(2)));
        points.push(point);
    }
    Ok(points)
}

/// Varies the requests in flight of a restore of the backup `name`, and of posts.
pub(crate) async fn restores(setting: &Setting, name: &str) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for concurrency in [8, 16, 32, 64, 128] {
        let posts = Setting {
            ark: setting.ark.clone(),
            bucket: setting.bucket.clone(),
            logs: setting.logs.clone(),
            connections: concurrency,
            ..*setting
        };
        let raw = posts.raw_post(name).await?.usage.seconds;
        let cluster = Cluster::start()?;
        cluster.settle().await?;
        let connect = ConnectOptions {
            max_concurrency: concurrency,
            ..ConnectOptions::default()
        };
        let inside = Inside::connect_with(&cluster, &setting.bucket, connect).await?;
        let options = restore::Options {
            concurrency,
            ..restore::Options::default()
        };
        let ark = inside.restore(name, &options).await?.seconds;
        cluster.check_complete(setting.data).await?;
        let point = Point {
            setting: format!("concurrency {concurrency}"),
            raw: Some(Spread::of([raw])),
            ark: Spread::of([ark]),
            bytes: 0,
        };
        say(&format!(
            "  {}: {ark:.2} s, posts {raw:.2} s",
            point.setting
        ));
        points.push(point);
    }
    Ok(points)
}
