//! Objects that a backup puts first (`orderedResources`): read, planned, kept
//! before any list.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::{StreamExt as _, stream};

use super::BackupError;
use super::collect::Fence;
use super::keep::Keeper;
use super::plan::PlannedKind;
use crate::outcome::{Issue, Severity};
use crate::port::{ClusterErrorKind, Discovery, ListQuery};
use crate::select::ResourceFilter;

/// Fetches by name at the same time.
const FETCHES: usize = 8;

/// An object by namespace and name.
pub(super) type Named = (Option<String>, String);

/// What is to come first: the kind as written, and its objects in order.
pub(super) type Ordered = Vec<(String, Vec<Named>)>;

/// Reads the map of a spec; says what cannot be meant.
pub(super) fn parse(spec: &BTreeMap<String, String>, messages: &mut Vec<String>) -> Ordered {
    let mut all = Vec::new();
    for (kind, names) in spec {
        let mut problem = |what: String| messages.push(format!("orderedResources: {what}"));
        if kind.trim().is_empty() || kind.contains(['*', '?', '[']) {
            problem(format!("`{kind}` is not the name of one kind"));
        }
        let mut objects: Vec<Named> = Vec::new();
        for text in names.split(',').map(str::trim) {
            let parts: Vec<&str> = text.split('/').collect();
            match parts[..] {
                [name] if !name.is_empty() => objects.push((None, name.to_owned())),
                [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                    objects.push((Some(namespace.to_owned()), name.to_owned()));
                }
                _ => problem(format!(
                    "`{text}` of `{kind}` is neither NAME nor NAMESPACE/NAME"
                )),
            }
        }
        all.push((kind.trim().to_owned(), objects));
    }
    all
}

/// Gives each planned kind its first objects; warns of what has no place.
pub(super) fn place(
    ordered: &Ordered,
    discovery: &Discovery,
    kinds: &mut [PlannedKind],
    issues: &mut Vec<Issue>,
) {
    let mut warn = |message: String| issues.push(Issue::job(Severity::Warning, message));
    for (name, objects) in ordered {
        let filter = ResourceFilter::resolve(std::slice::from_ref(name), &[], discovery);
        let found = kinds
            .iter_mut()
            .find(|kind| kind.resource.preferred && filter.allows(&kind.resource.group_resource()));
        let Some(kind) = found else {
            warn(format!(
                "orderedResources: the backup does not collect `{name}`, so nothing of it comes first"
            ));
            continue;
        };
        for object in objects {
            if object.0.is_some() == kind.resource.namespaced {
                kind.first.push(object.clone());
            } else {
                let form = if kind.resource.namespaced {
                    "NAMESPACE/NAME"
                } else {
                    "NAME"
                };
                warn(format!(
                    "orderedResources: `{}` of `{name}` must be written {form}",
                    text(object)
                ));
            }
        }
    }
}

/// Keeps what comes first, as far as the backup's rules let it in. The lists
/// bring these objects again and are not listened to.
pub(super) async fn keep(keeper: &mut Keeper<'_>, fence: &Fence) -> Result<(), BackupError> {
    let plan = keeper.plan;
    for kind in plan.kinds.iter().filter(|kind| !kind.first.is_empty()) {
        let cluster = Arc::clone(&keeper.job.ports.cluster);
        let fetches = kind.first.clone().into_iter().map(|object| {
            let query = ListQuery {
                resource: kind.resource.clone(),
                namespace: object.0.clone(),
                label_selector: None,
                field_selector: Some(format!("metadata.name={}", object.1)),
                at: fence.at.clone().filter(|_| kind.fenced),
            };
            let cluster = Arc::clone(&cluster);
            async move { (object, cluster.list(&query, None, 1).await) }
        });
        let mut answers = stream::iter(fetches).buffered(FETCHES);
        while let Some((object, answer)) = answers.next().await {
            let name = format!("{} {}", kind.resource.group_resource(), text(&object));
            match answer.map(|page| page.items.into_iter().next()) {
                Ok(Some(found)) => {
                    if plan.wants(&kind.resource, found.head()) {
                        keeper.keep(&kind.resource, found).await?;
                    } else {
                        let note = format!("{name} does not come first: it is not selected");
                        keeper.job.note(note);
                    }
                }
                Ok(None) => keeper
                    .job
                    .warn(format!("orderedResources: {name} does not exist")),
                Err(error) if error.kind == ClusterErrorKind::Expired && !fence.lenient => {
                    return Err(BackupError::Expired(error));
                }
                // The list of the kind brings it, if anything can.
                Err(error) => keeper.job.warn(format!(
                    "orderedResources: {name} does not come first: {error}"
                )),
            }
        }
    }
    Ok(())
}

fn text((namespace, name): &Named) -> String {
    match namespace {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Ordered, Vec<String>) {
        let own = pairs
            .iter()
            .map(|(kind, names)| ((*kind).to_owned(), (*names).to_owned()));
        let mut messages = Vec::new();
        (parse(&own.collect(), &mut messages), messages)
    }

    #[test]
    fn names_keep_their_order() {
        let (ordered, messages) = read(&[("pods", "b/y, a/x"), ("persistentvolumes", "v2,v1")]);
        assert_eq!(messages, Vec::<String>::new());
        let named = |namespace: &str, name: &str| {
            let namespace = Some(namespace.to_owned()).filter(|text| !text.is_empty());
            (namespace, name.to_owned())
        };
        let expected = [
            ("persistentvolumes", vec![named("", "v2"), named("", "v1")]),
            ("pods", vec![named("b", "y"), named("a", "x")]),
        ];
        assert_eq!(
            ordered,
            expected.map(|(kind, names)| (kind.to_owned(), names))
        );
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for (kind, names) in [
            ("pods", "a/b/c"),
            ("pods", "a/"),
            ("pods", "a,,b"),
            ("p*", "a"),
            ("", "a"),
        ] {
            assert_eq!(read(&[(kind, names)]).1.len(), 1, "{kind}={names}");
        }
    }
}
