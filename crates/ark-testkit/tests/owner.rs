//! Nothing outlives its owner, not even when that is killed without warning.

#![cfg(test)]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn a_killed_owner_leaves_no_control_plane() {
    kill_an_owner("plane", &["etcd", "kube-apiserver"]);
}

#[test]
fn a_killed_owner_leaves_no_s3_server() {
    kill_an_owner("s3", &["seaweedfs"]);
}

fn kill_an_owner(server: &str, programs: &[&str]) {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_ark-testkit-owner"))
        .arg(server)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let dir = PathBuf::from(line.trim());
    let processes: Vec<String> = programs
        .iter()
        .map(|name| process(&dir.join(format!("{name}.pid"))))
        .collect();
    assert!(processes.iter().all(|process| lives(process)));

    // SIGKILL: the owner gets no chance to do anything.
    owner.kill().unwrap();
    owner.wait().unwrap();

    let patience = Instant::now() + Duration::from_secs(20);
    while dir.exists() || processes.iter().any(|process| lives(process)) {
        assert!(
            Instant::now() < patience,
            "{server} is still there: {}",
            dir.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn process(file: &Path) -> String {
    fs::read_to_string(file).unwrap().trim().to_owned()
}

fn lives(process: &str) -> bool {
    let kill = Command::new("sh")
        .args(["-c", "kill -0 \"$1\"", "lives", process])
        .output();
    kill.unwrap().status.success()
}
