//! Small verbs: versions and completion.

use crate::{ark, show, show_all};

#[test]
fn versions() {
    insta::assert_snapshot!(show_all(&[
        &["version", "--client"],
        &["version", "--client-only", "-o", "json"],
        &["--version"],
        // Without a server, what is known is shown all the same.
        &["version"],
    ]));
}

#[test]
fn completion_knows_verbs_and_flags() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = ark(home.path(), &["completion", shell]);
        assert!(output.status.success(), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains("ARK_COMPLETE"), "{shell}");
    }
    let ask = |words: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ark"))
            .arg("--")
            .args(words)
            .env_clear()
            .env("HOME", home.path())
            .env("ARK_COMPLETE", "fish")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(ask(&["ark", "backup-l"]).contains("backup-location"));
    let flags = ask(&["ark", "backup", "create", "--include-n"]);
    assert!(flags.contains("--include-namespaces"), "{flags}");
    // Without a cluster there are no names, and nobody is told why.
    let anything = ask(&["ark", "backup", "describe", ""]);
    assert!(
        anything.lines().all(|line| line.starts_with("--")),
        "{anything}"
    );
    insta::assert_snapshot!(show_all(&[&["completion", "tcsh"]]));
}

#[test]
fn flags_of_velero_s_logging_are_taken_silently() {
    let home = tempfile::tempdir().unwrap();
    let plain = ark(home.path(), &["version", "--client"]);
    let line = "version --client -v 4 --logtostderr --alsologtostderr=false --log_dir /tmp \
                --stderrthreshold=2 --skip_headers --vmodule=a=1";
    let flagged = ark(home.path(), &line.split_whitespace().collect::<Vec<_>>());
    assert!(flagged.status.success());
    assert_eq!(flagged.stdout, plain.stdout);
    assert!(flagged.stderr.is_empty());
}

#[test]
fn help_can_come_first() {
    let (first, last) = (
        show(&["help", "backup", "get"]),
        show(&["backup", "get", "--help"]),
    );
    assert!(first.contains("Show backups") && first == last, "{first}");
}
