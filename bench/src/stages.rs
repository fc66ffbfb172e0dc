//! Where the time goes: each part of a backup alone, on one thread, over the very
//! objects of the cluster, in processor seconds; and the whole in this process
//! with a clock around each call.

use anyhow::{Context as _, Result};
use ark_archive::write::{PackOptions, Packer, RawMember};
use ark_archive::{GroupResource, ItemKey};
use ark_engine::object::Object;
use ark_engine::port::ApiResource;
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::cluster::Cluster;
use crate::inside::{Inside, Timeline};
use crate::meter::thread_cpu;
use crate::rounds::Setting;

/// One part of a job.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Stage {
    /// What is done.
    pub(crate) name: String,
    /// Processor seconds, or seconds of waiting where the name says so.
    pub(crate) seconds: f64,
    /// Bytes that it is done to, or that come out.
    pub(crate) bytes: u64,
}

/// Does each part of a backup alone.
pub(crate) async fn backup(cluster: &Cluster, setting: &Setting) -> Result<Vec<Stage>> {
    let inside = Inside::connect(cluster, &setting.bucket.with_extension("stages")).await?;
    let objects = inside.objects().await?;
    tokio::task::spawn_blocking(move || alone(&objects)).await?
}

fn alone(objects: &[(ApiResource, Vec<Object>)]) -> Result<Vec<Stage>> {
    let bodies: Vec<_> = objects
        .iter()
        .flat_map(|(_, all)| all)
        .map(Object::json)
        .collect();
    let total: usize = bodies.iter().map(bytes::Bytes::len).sum();
    let total = total as u64;
    let mut stages = Vec::new();

    let mut page = vec![b'['];
    for body in &bodies {
        page.extend_from_slice(body);
        page.push(b',');
    }
    page.pop();
    page.push(b']');
    let before = thread_cpu();
    let cut: Vec<&RawValue> = serde_json::from_slice(&page)?;
    stage(&mut stages, "cut pages into objects", before, total);
    drop(cut);
    drop(page);

    let before = thread_cpu();
    for body in &bodies {
        Object::parse(body.clone())?;
    }
    stage(&mut stages, "parse heads", before, total);

    for level in [1, 2, 3, 4, 6] {
        let before = thread_cpu();
        let members = pack(objects)?;
        if level == 1 {
            stage(
                &mut stages,
                "pack (tar, index, SHA-256 of each)",
                before,
                total,
            );
        }
        let before = thread_cpu();
        let mut compressed = Vec::new();
        for member in members {
            compressed.push(member.compress(level)?.bytes);
        }
        let size = compressed.iter().map(Vec::len).sum::<usize>() as u64;
        stage(
            &mut stages,
            &format!("compress at level {level}, {}", encoder(level)),
            before,
            size,
        );
        if level == 3 {
            let before = thread_cpu();
            let mut hasher = Sha256::new();
            for member in &compressed {
                hasher.update(member);
            }
            let _ = hasher.finalize();
            stage(&mut stages, "SHA-256 of the archive", before, size);
        }
    }
    Ok(stages)
}

/// Whose work a level is, see [`RawMember::compress`].
fn encoder(level: u32) -> &'static str {
    match level {
        1 => "own encoder",
        _ => "libdeflate",
    }
}

fn stage(stages: &mut Vec<Stage>, name: &str, before: f64, bytes: u64) {
    stages.push(Stage {
        name: name.to_owned(),
        seconds: thread_cpu() - before,
        bytes,
    });
}

fn pack(objects: &[(ApiResource, Vec<Object>)]) -> Result<Vec<RawMember>> {
    let mut packer = Packer::new(PackOptions::default());
    let mut members = Vec::new();
    let mut scratch = Vec::new();
    for (resource, objects) in objects {
        for object in objects {
            let head = object.head();
            let group_resource = GroupResource {
                resource: resource.plural.clone(),
                group: resource.group.clone(),
            };
            let key = ItemKey::new(group_resource, head.namespace.clone(), head.name.clone())?;
            scratch.clear();
            object.write_json(&mut scratch);
            members.extend(packer.add(&key, &resource.version, &scratch)?);
        }
    }
    members.push(packer.finish().last);
    Ok(members)
}

/// The calls and stretches of a job as stages.
pub(crate) fn of_timeline(timeline: &Timeline) -> Result<Vec<Stage>> {
    let mut stages = Vec::new();
    let ends = timeline.stages.iter().skip(1).map(|(at, _)| *at);
    for ((begin, name), end) in timeline.stages.iter().zip(ends.chain([timeline.seconds])) {
        let name = name
            .split([':', ';'])
            .next_back()
            .context("a stage has a name")?
            .trim();
        stages.push(Stage {
            name: name.to_owned(),
            seconds: end - begin,
            bytes: 0,
        });
    }
    for (name, (count, seconds)) in &timeline.calls {
        let name = format!("{count} × {name}, waited in sum");
        stages.push(Stage {
            name,
            seconds: *seconds,
            bytes: 0,
        });
    }
    Ok(stages)
}
