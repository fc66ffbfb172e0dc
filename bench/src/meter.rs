//! What processes use: memory and processor time, as Linux tells it in `/proc`.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

/// Ticks a second in `/proc/PID/stat`: fixed for user space.
const TICKS: f64 = 100.0;

/// What a stretch of time has cost.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Wall time.
    pub(crate) seconds: f64,
    /// Processor seconds by process; `others` is what the machine did besides.
    pub(crate) cpu: BTreeMap<String, f64>,
}

impl Usage {
    /// Processor seconds of everything that took part.
    pub(crate) fn processor(&self) -> f64 {
        let ours = self.cpu.iter().filter(|(name, _)| *name != OTHERS);
        ours.map(|(_, seconds)| seconds).sum()
    }

    /// Cores that were busy with something else, on average.
    pub(crate) fn noise(&self) -> f64 {
        self.cpu.get(OTHERS).copied().unwrap_or_default() / self.seconds.max(1e-3)
    }
}

/// A running measurement of named processes.
pub(crate) struct Meter {
    processes: Vec<(&'static str, u32)>,
    before: BTreeMap<String, f64>,
    started: Instant,
}

impl Meter {
    /// Starts; `bench` is this process and is always measured.
    pub(crate) fn start(processes: &[(&'static str, u32)]) -> Self {
        let mut processes = processes.to_vec();
        processes.push(("bench", std::process::id()));
        let before = cpu_of(&processes);
        Self {
            processes,
            before,
            started: Instant::now(),
        }
    }

    /// Ends.
    pub(crate) fn stop(self) -> Usage {
        let seconds = self.started.elapsed().as_secs_f64();
        let after = cpu_of(&self.processes);
        let mut cpu: BTreeMap<String, f64> = after
            .iter()
            .map(|(name, after)| {
                let before = self.before.get(name).copied().unwrap_or_default();
                (name.clone(), (after - before).max(0.0))
            })
            .collect();
        let machine = cpu.remove(MACHINE).unwrap_or_default();
        let known: f64 = cpu.values().sum();
        cpu.insert(OTHERS.to_owned(), (machine - known).max(0.0));
        Usage { seconds, cpu }
    }
}

const MACHINE: &str = "machine";
const OTHERS: &str = "others";

fn cpu_of(processes: &[(&'static str, u32)]) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    for (name, pid) in processes {
        // A process that has ended used nothing more that we could know of.
        *all.entry((*name).to_owned()).or_default() += process_cpu(*pid).unwrap_or_default();
    }
    all.insert(MACHINE.to_owned(), machine_cpu().unwrap_or_default());
    all
}

/// Waits until the machine has little else to do, at most for `patience`. What is
/// measured is at rest at this time.
pub(crate) async fn calm(patience: Duration) {
    const WINDOW: Duration = Duration::from_secs(1);
    let started = Instant::now();
    while started.elapsed() < patience {
        let before = machine_cpu().unwrap_or_default();
        tokio::time::sleep(WINDOW).await;
        // An idle control plane and its neighbours take a quarter of one core.
        if machine_cpu().unwrap_or_default() - before < 0.25 {
            return;
        }
    }
}

/// Processor seconds of a process so far.
pub(crate) fn process_cpu(pid: u32) -> Result<f64> {
    let path = format!("/proc/{pid}/stat");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    // The name in brackets may hold anything; the fields after it are numbers.
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_ascii_whitespace()
        .collect();
    let field = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = field(11)
        .zip(field(12))
        .with_context(|| format!("odd {path}"))?;
    Ok((user + system) / TICKS)
}

/// Processor seconds of the whole machine since it started.
fn machine_cpu() -> Option<f64> {
    let text = fs::read_to_string("/proc/stat").ok()?;
    let fields: Vec<f64> = text
        .lines()
        .next()?
        .split_ascii_whitespace()
        .skip(1)
        .filter_map(|f| f.parse().ok())
        .collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let busy: f64 = [0, 1, 2, 5, 6]
        .iter()
        .filter_map(|index| fields.get(*index))
        .sum();
    Some(busy / TICKS)
}

/// Processor seconds of this thread so far, exact to the nanosecond.
pub(crate) fn thread_cpu() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text
        .split_ascii_whitespace()
        .next()
        .and_then(|field| field.parse().ok());
    nanoseconds.map_or(0.0, |nanoseconds: f64| nanoseconds / 1e9)
}

/// The most memory that was resident at once (`VmHWM`), in bytes.
pub(crate) fn peak_memory(pid: u32) -> Result<u64> {
    memory(pid, "VmHWM:")
}

/// The memory that is resident now (`VmRSS`), in bytes.
pub(crate) fn resident_memory(pid: u32) -> Result<u64> {
    memory(pid, "VmRSS:")
}

fn memory(pid: u32, field: &str) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("no {field} in {path}"))? * 1024)
}

/// Lets the peak of a process begin anew at what is resident now.
pub(crate) fn reset_peak(pid: u32) -> Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_of_this_process_is_seen() {
        let meter = Meter::start(&[]);
        let before = thread_cpu();
        let mut sum = 0_u64;
        while thread_cpu() - before < 0.1 {
            sum = sum.wrapping_mul(31).wrapping_add(7);
        }
        let usage = meter.stop();
        assert!(usage.cpu["bench"] >= 0.08, "{usage:?} {sum}");
        assert!(usage.seconds >= 0.1);
    }

    #[test]
    fn the_peak_is_at_least_what_is_resident() {
        let pid = std::process::id();
        reset_peak(pid).unwrap();
        assert!(resident_memory(pid).unwrap() > 0);
        assert!(peak_memory(pid).unwrap() > 0);
    }
}
