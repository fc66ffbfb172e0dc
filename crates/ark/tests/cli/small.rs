//! Small verbs: versions and completion.

use crate::{ark, show};

#[test]
fn versions_of_the_client() {
    insta::assert_snapshot!(show(&["version", "--client"]), @"");
    insta::assert_snapshot!(show(&["version", "--client-only", "-o", "json"]), @"");
    insta::assert_snapshot!(show(&["--version"]), @"");
}

#[test]
fn the_client_s_version_is_shown_when_there_is_no_server() {
    insta::assert_snapshot!(show(&["version"]), @"");
}

#[test]
fn completion_knows_verbs_and_flags() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = ark(home.path(), &["completion", shell]);
        assert!(output.status.success(), "{shell}");
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["backup-location", "include-namespaces"] {
            assert!(script.contains(word), "{shell} {word}");
        }
    }
    insta::assert_snapshot!(show(&["completion", "tcsh"]), @"");
}
