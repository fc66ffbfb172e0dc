//! The program under the name by which kubectl finds it.

use std::process::Command;

#[test]
fn help_speaks_as_the_plugin_is_called() {
    let home = tempfile::tempdir().unwrap();
    let plugin = home.path().join("kubectl-ark");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_ark"), &plugin).unwrap();
    let output = Command::new(&plugin)
        .args(["backup", "logs", "--help"])
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("Usage: kubectl ark backup logs"), "{help}");
    assert!(
        help.contains("\n  kubectl ark backup logs nightly\n"),
        "{help}"
    );
}
