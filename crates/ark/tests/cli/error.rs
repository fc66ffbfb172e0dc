//! How wrong usage and missing clusters are told.

use crate::{ark, show_all, show_all_in};

#[test]
fn unknown_flags_and_verbs() {
    insta::assert_snapshot!(show_all(&[
        &["backup", "creat"],
        &["backup", "create", "x", "--include-namespace=a"],
    ]));
}

#[test]
fn schedules_that_never_come() {
    insta::assert_snapshot!(show_all(&[
        &["schedule", "create", "x"],
        &["schedule", "create", "x", "--schedule="],
        &["schedule", "create", "x", "--schedule=0 0 3 * * *"],
        &["schedule", "create", "x", "--schedule=0 0 31 feb *"],
        &["schedule", "create", "x", "--schedule=TZ=Moon 0 3 * * *"],
        &["schedule", "pause"],
        &["schedule", "unpause", "x", "--all"],
        &["schedule", "pause", "x", "--skip-immediately"],
        &["backup", "create", "--from-schedule=x", "--selector=a=b"],
        &["backup", "create", "--from-schedule=x", "--ttl=1h"],
    ]));
}

#[test]
fn values_that_cannot_be() {
    insta::assert_snapshot!(show_all(&[
        &["backup", "create", "x", "--ttl=30d"],
        &["backup", "create", "x", "--snapshot-volumes=maybe"],
        &["backup", "create", "x", "--selector=a=b c"],
        &[
            "restore",
            "create",
            "--from-backup=x",
            "--namespace-mappings=a"
        ],
        &["client", "config", "set", "colour=never"],
        &["server", "--lease-duration=1s"],
    ]));
}

#[test]
fn flags_that_exclude_or_need_each_other() {
    insta::assert_snapshot!(show_all(&[
        &["backup", "create", "x", "-l", "a=b", "--or-selector", "c=d"],
        &["backup", "create"],
        &["restore", "create", "x"],
        &[
            "backup",
            "create",
            "x",
            "--include-resources=pods",
            "--include-cluster-scoped-resources=nodes",
        ],
        &[
            "backup",
            "create",
            "x",
            "--include-namespaces=a,b",
            "--exclude-namespaces=b"
        ],
        &["backup", "create", "x", "--direct"],
        &["backup", "delete"],
    ]));
}

#[test]
fn no_cluster_to_talk_to() {
    insta::assert_snapshot!(show_all(&[
        &["backup", "get"],
        &["backup", "get", "--kubeconfig", "missing.yaml"],
    ]));
}

#[test]
fn an_unknown_context_names_the_known_ones() {
    let home = tempfile::tempdir().unwrap();
    let config = "apiVersion: v1\nkind: Config\ncontexts:\n- name: a\n  context: {cluster: a, user: a}\n\
                  clusters:\n- name: a\n  cluster: {server: 'https://127.0.0.1:1'}\n\
                  users:\n- name: a\n  user: {}\n";
    std::fs::write(home.path().join("config"), config).unwrap();
    insta::assert_snapshot!(show_all_in(
        home.path(),
        &[&["backup", "get", "--kubeconfig", "config", "--context", "b"]]
    ));
}

#[test]
fn a_broken_client_configuration_is_named() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join(".config/ark");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("config.json"), "[").unwrap();
    insta::assert_snapshot!(show_all_in(home.path(), &[&["version", "--client"]]));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    use std::process::{Command, Stdio};

    let home = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ark"))
        .args(["completion", "bash"])
        .env_clear()
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The script is larger than a pipe, so the program is still writing.
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn color_is_only_added_where_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let error = |flag: &str| {
        let output = ark(home.path(), &["backup", "get", flag]);
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(error("--color=always").contains("\u{1b}["));
    assert!(!error("--color=auto").contains('\u{1b}'));
    assert!(!error("--no-color").contains('\u{1b}'));
}
