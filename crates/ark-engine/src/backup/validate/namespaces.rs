//! The namespaces of a backup: which names they may have, and which are left out by
//! their own labels.

use ark_api::{BackupSpec, label};

use crate::backup::surroundings::Surroundings;
use crate::select::{Glob, IncludeExclude};

/// Namespaces that are labelled to be left out become excludes of the spec, for
/// everybody to see.
pub(super) fn leave_out_labelled(
    spec: &mut BackupSpec,
    around: &Surroundings<'_>,
    messages: &mut Vec<String>,
) {
    for name in &around.excluded_namespaces {
        if spec.included_namespaces.contains(name) {
            messages.push(format!(
                "namespaces: `{name}` is included by name, but its label {}=true keeps it out of \
                 backups: remove one of them",
                label::EXCLUDE_FROM_BACKUP
            ));
        } else if !spec.excluded_namespaces.contains(name) {
            spec.excluded_namespaces.push(name.clone());
        }
    }
}

pub(super) fn lists(spec: &BackupSpec, messages: &mut Vec<String>) -> IncludeExclude {
    let lists = IncludeExclude::new(&spec.included_namespaces, &spec.excluded_namespaces);
    let mut problems = lists.as_ref().err().cloned().unwrap_or_default();
    let names = [&spec.included_namespaces, &spec.excluded_namespaces];
    let impossible = names.into_iter().flatten().filter(|name| {
        !name.is_empty()
            && Glob::parse(name).is_ok_and(|glob| glob.literal().is_some())
            && !is_namespace(name)
    });
    problems.extend(impossible.map(|name| {
        format!(
            "`{name}` cannot be the name of a namespace: it may have lower-case letters, digits and \
             inner hyphens, 63 at most"
        )
    }));
    messages.extend(
        problems
            .iter()
            .map(|problem| format!("namespaces: {problem}")),
    );
    lists.unwrap_or_default()
}

/// Whether the API would take it as a namespace's name (an RFC 1123 label).
fn is_namespace(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= 63
        && name.starts_with(inner)
        && name.ends_with(inner)
        && name.chars().all(|c| inner(c) || c == '-')
}
