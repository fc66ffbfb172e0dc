//! The rules. They see one file at a time: its path and its text.

use std::fmt;
use std::path::Path;

/// A file.
pub(super) struct Source<'a> {
    /// From the repository's root, with `/`.
    pub(super) path: &'a str,
    pub(super) text: &'a str,
}

/// A broken rule.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    path: String,
    /// From 1.
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// Longer files are hard to hold in one's head.
const MAX_LINES: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] = [
    "util", "utils", "common", "helper", "helpers", "misc", "type", "types", "stuff",
];

/// Marks of unfinished work.
const UNFINISHED: [&str; 4] = ["TODO", "FIXME", "XXX", "dbg!"];

/// What a client of Kubernetes is made of, and what a types crate may not name.
const KUBE_CLIENT: [&str; 5] = [
    "kube::Client",
    "kube::Config",
    "kube::client",
    "kube::config",
    "kube::runtime",
];

/// Packages that bring a second implementation of TLS.
const SECOND_TLS: [&str; 5] = [
    "aws-lc-rs",
    "aws-lc-sys",
    "aws-lc-fips-sys",
    "openssl-sys",
    "native-tls",
];

/// This file, which must name what it forbids.
const OWN_PATH: &str = "xtask/src/tidy/rules.rs";

/// Checks a source file or a manifest.
pub(super) fn check(source: &Source<'_>, findings: &mut Vec<Finding>) {
    let mut found = |line: usize, message: String| {
        findings.push(Finding {
            path: source.path.to_owned(),
            line,
            message,
        });
    };
    let is_rust = Path::new(source.path)
        .extension()
        .is_some_and(|ending| ending == "rs");
    if is_rust {
        check_shape(source, &mut found);
    }
    if source.path == OWN_PATH {
        return;
    }
    let comment = if is_rust { "//" } else { "#" };
    for (index, line) in source.text.lines().enumerate() {
        let number = index + 1;
        if is_rust && let Some(mark) = UNFINISHED.iter().find(|mark| has_word(line, mark)) {
            found(number, format!("{mark} marks unfinished work; finish it"));
        }
        if line.trim_start().starts_with(comment) {
            continue;
        }
        if !source.path.starts_with("crates/ark-store/") && starts_word(line, "opendal") {
            let advice = "only ark-store names opendal; go through `ark_store::Store`";
            found(number, advice.to_owned());
        }
        if is_rust && let Some(advice) = kube_advice(source.path, line) {
            found(number, advice.to_owned());
        }
    }
}

/// Checks `Cargo.lock`.
pub(super) fn check_lock(source: &Source<'_>, findings: &mut Vec<Finding>) {
    for (index, line) in source.text.lines().enumerate() {
        let name = line
            .strip_prefix("name = \"")
            .and_then(|rest| rest.strip_suffix('"'));
        if let Some(name) = name.filter(|name| SECOND_TLS.contains(name)) {
            let message = format!(
                "{name} is a second TLS beside rustls with ring; find who asks for it with \
                 `cargo tree -i {name}` and turn the feature off"
            );
            findings.push(Finding {
                path: source.path.to_owned(),
                line: index + 1,
                message,
            });
        }
    }
}

fn check_shape(source: &Source<'_>, found: &mut impl FnMut(usize, String)) {
    if !source.text.starts_with("//!") {
        found(
            1,
            "a file starts with `//!`: say what it is for and what it may not do".to_owned(),
        );
    }
    let lines = source.text.lines().count();
    if lines > MAX_LINES {
        let advice = "split it by concern, tests into a folder of their own";
        found(
            MAX_LINES + 1,
            format!("{lines} lines, {MAX_LINES} are the limit; {advice}"),
        );
    }
    let stem = source.path.strip_suffix(".rs").unwrap_or(source.path);
    if let Some(name) = stem.split('/').find(|name| EMPTY_NAMES.contains(name)) {
        found(
            1,
            format!("{name} says nothing; name it after what it does"),
        );
    }
    for (index, line) in source.text.lines().enumerate() {
        if let Some(name) = inline_module(line).filter(|name| EMPTY_NAMES.contains(name)) {
            found(
                index + 1,
                format!("module {name} says nothing; name it after what it does"),
            );
        }
    }
}

/// The name in `pub(crate) mod NAME {`.
fn inline_module(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("mod ")?;
    let before = before.trim();
    let declares = before.is_empty() || before.starts_with("pub");
    declares.then(|| after.trim_end_matches(['{', ';', ' ']).trim())
}

fn kube_advice(path: &str, line: &str) -> Option<&'static str> {
    let client = KUBE_CLIENT.iter().any(|name| starts_word(line, name));
    if path.starts_with("crates/ark-kube/") {
        None
    } else if path.starts_with("crates/ark-api/") {
        client.then_some("ark-api holds types and no client; what needs one goes to ark-kube")
    } else {
        starts_word(line, "kube::").then_some("only ark-kube names kube; go through its ports")
    }
}

/// Whether `word` stands in `line` with no word character on either side.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        free_before(line, at) && !after.is_some_and(is_word)
    })
}

/// Whether a path or name in `line` begins with `word`.
fn starts_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| free_before(line, at))
}

/// `crate::kube::` is another thing than `kube::`.
fn free_before(line: &str, at: usize) -> bool {
    !line[..at].ends_with(|c| is_word(c) || c == ':')
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let mut findings = Vec::new();
        check(&Source { path, text }, &mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    fn one(path: &str, text: &str, expected: &str) {
        let found = findings(path, text);
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "{found:?}"
        );
    }

    #[test]
    fn a_file_says_what_it_is_for() {
        one(
            "crates/ark/src/a.rs",
            "use std::fs;\n",
            "crates/ark/src/a.rs:1: a file starts",
        );
        assert!(findings("crates/ark/src/a.rs", "//! A.\n").is_empty());
    }

    #[test]
    fn a_file_has_an_end() {
        let text = format!("//! A.\n{}", "x();\n".repeat(600));
        one(
            "crates/ark/src/a.rs",
            &text,
            "crates/ark/src/a.rs:601: 601 lines",
        );
    }

    #[test]
    fn work_is_finished() {
        one(
            "crates/ark/src/a.rs",
            "//! A.\n// TODO: b\n",
            "crates/ark/src/a.rs:2: TODO",
        );
        one(
            "crates/ark/src/a.rs",
            "//! A.\ndbg!(x);\n",
            "crates/ark/src/a.rs:2: dbg!",
        );
        assert!(findings("crates/ark/src/a.rs", "//! A.\nTODOS;\n").is_empty());
    }

    #[test]
    fn opendal_stays_in_its_crate() {
        let text = "//! A.\nuse opendal::Operator;\n// opendal does it\n";
        one(
            "crates/ark/src/a.rs",
            text,
            "crates/ark/src/a.rs:2: only ark-store",
        );
        assert!(findings("crates/ark-store/src/a.rs", text).is_empty());
        one(
            "crates/ark/Cargo.toml",
            "opendal = \"1\"\n",
            "crates/ark/Cargo.toml:1: only",
        );
    }

    #[test]
    fn kube_stays_in_its_crate() {
        let client = "//! A.\nuse kube::Client;\n";
        one(
            "crates/ark-engine/src/a.rs",
            client,
            "crates/ark-engine/src/a.rs:2: only ark-kube",
        );
        one(
            "crates/ark-api/src/a.rs",
            client,
            "crates/ark-api/src/a.rs:2: ark-api holds",
        );
        assert!(findings("crates/ark-kube/src/a.rs", client).is_empty());
        assert!(
            findings(
                "crates/ark-api/src/a.rs",
                "//! A.\nuse kube::CustomResource;\n"
            )
            .is_empty()
        );
        assert!(findings("crates/ark/src/a.rs", "//! A.\nuse ark_kube::Cluster;\n").is_empty());
        assert!(findings("crates/ark/src/a.rs", "//! A.\nuse crate::kube::A;\n").is_empty());
    }

    #[test]
    fn names_say_something() {
        one(
            "crates/ark/src/util.rs",
            "//! A.\n",
            "crates/ark/src/util.rs:1: util says nothing",
        );
        one(
            "crates/ark/src/types/a.rs",
            "//! A.\n",
            "crates/ark/src/types/a.rs:1: types",
        );
        one(
            "crates/ark/src/a.rs",
            "//! A.\npub mod misc {\n",
            "crates/ark/src/a.rs:2: module misc",
        );
        assert!(findings("crates/ark/src/utilization.rs", "//! A.\n").is_empty());
    }

    #[test]
    fn there_is_one_tls() {
        let text = "[[package]]\nname = \"aws-lc-rs\"\n";
        let mut findings = Vec::new();
        check_lock(
            &Source {
                path: "Cargo.lock",
                text,
            },
            &mut findings,
        );
        assert_eq!(findings.len(), 1);
        assert!(
            findings[0]
                .to_string()
                .starts_with("Cargo.lock:2: aws-lc-rs"),
            "{findings:?}"
        );
    }
}
