//! Small verbs: versions and completion.

use crate::{ark, show_all};

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
        for word in ["backup-location", "include-namespaces"] {
            assert!(script.contains(word), "{shell} {word}");
        }
    }
    insta::assert_snapshot!(show_all(&[&["completion", "tcsh"]]));
}
