//! The CSI driver for tests, judged by the suite that judges all CSI drivers.

use std::process::Command;
use std::time::{Duration, Instant};

use ark_testkit::binaries::csi;
use ark_testkit::supervisor::{Program, Supervisor};

#[test]
fn the_driver_is_what_csi_asks_for() {
    let driver = csi::ensure().unwrap().driver;
    let sanity = csi::sanity().unwrap();
    let dir = tempfile::tempdir().unwrap().keep();
    let mut supervisor = Supervisor::start(&dir).unwrap();
    let (socket, state) = (dir.join("csi.sock"), dir.join("state"));
    std::fs::create_dir(&state).unwrap();
    let program = Program {
        name: "driver",
        path: &driver,
        arguments: vec![
            format!("--endpoint={}", socket.display()),
            format!("--state={}", state.display()),
        ],
        environment: Vec::new(),
    };
    supervisor.run(&program).unwrap();
    let started = Instant::now();
    while !socket.exists() {
        let log = supervisor.log_tail("driver");
        assert!(started.elapsed() < Duration::from_mins(1), "{log}");
        std::thread::sleep(Duration::from_millis(20));
    }
    // It mounts nothing, so what concerns nodes is left out.
    let judged = Command::new(sanity)
        .arg(format!("--csi.endpoint={}", socket.display()))
        .args(["--ginkgo.skip=Node Service", "--ginkgo.no-color"])
        .current_dir(&dir)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&judged.stdout);
    assert!(judged.status.success(), "{said}");
    // Not because everything was left out.
    let (_, passed) = said.rsplit_once("SUCCESS! -- ").unwrap();
    let passed: usize = passed.split(' ').next().unwrap().parse().unwrap();
    assert!(passed >= 41, "{said}");
}
