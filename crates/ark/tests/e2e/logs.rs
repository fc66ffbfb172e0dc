//! `logs --follow`: what has not ended yet is waited for.

use std::process::Stdio;

use ark_testkit::{ControlPlane, Namespaces};

use super::{Installation, ark, many_config_maps};

#[test]
fn a_log_is_followed_from_before_its_backup_begins() {
    let plane = ControlPlane::shared();
    let bucket = tempfile::tempdir().unwrap();
    let mut site = Installation::new(plane, bucket.path());
    let mut namespaces = Namespaces::new(plane);
    let shop = namespaces.create("followed").unwrap();
    many_config_maps(plane, &shop, 3);
    site.kill();
    site.ark(&["backup", "create", "later", "--include-namespaces", &shop]);
    // Without `--follow` there is nothing to read yet, and that is said.
    let early = site.try_ark(&["backup", "logs", "later"]);
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(
        !early.status.success() && said.contains("--follow"),
        "{said}"
    );

    let follower = ark(plane, &site.namespace)
        .args(["backup", "logs", "later", "--follow"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    site.start();
    let output = follower.wait_with_output().unwrap();
    let log = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(
        log.contains("level=info") && log.contains("committing"),
        "{log}\n{said}"
    );
}
