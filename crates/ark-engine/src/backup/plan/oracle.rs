//! What a backup selects, decided slowly and obviously, object by object, from
//! the texts of the spec: nothing here is shared with the code under test.

use ark_api::BackupSpec;

pub(super) mod policy;

/// A kind, and every literal text by which people name it.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) namespaced: bool,
    pub(super) listable: bool,
    pub(super) also: &'static [&'static str],
}

/// An object of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Thing {
    pub(super) kind: usize,
    pub(super) namespace: Option<&'static str>,
    pub(super) app: Option<&'static str>,
}

/// A namespace of the cluster.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) name: &'static str,
    pub(super) app: Option<&'static str>,
    pub(super) hidden: bool,
    pub(super) ending: bool,
}

const CSI: [&str; 2] = [
    "volumesnapshots.snapshot.storage.k8s.io",
    "volumesnapshotcontents.snapshot.storage.k8s.io",
];

/// A shell pattern, by trying everything.
fn glob(pattern: &[char], text: &[char]) -> bool {
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skip| glob(rest, &text[skip..])),
        ['?', rest @ ..] => !text.is_empty() && glob(rest, &text[1..]),
        ['[', rest @ ..] => {
            let end = rest.iter().position(|c| *c == ']').unwrap();
            !text.is_empty() && rest[..end].contains(&text[0]) && glob(&rest[end + 1..], &text[1..])
        }
        [c, rest @ ..] => text.first() == Some(c) && glob(rest, &text[1..]),
    }
}

fn matches(pattern: &str, text: &str) -> bool {
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    glob(&chars(pattern), &chars(text))
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

fn means(name: &str, kind: &Kind) -> bool {
    if is_pattern(name) {
        matches(name, kind.name)
    } else {
        name == kind.name || kind.also.contains(&name)
    }
}

/// Excludes beat includes; no includes are all.
fn passes(includes: &[String], excludes: &[String], kind: &Kind) -> bool {
    let out = excludes.iter().any(|name| means(name, kind));
    let within = includes.is_empty() || includes.iter().any(|name| means(name, kind));
    within && !out
}

fn bad_pair(includes: &[String], excludes: &[String], by_scope: bool) -> bool {
    let star = |names: &[String]| names.iter().any(|name| name == "*");
    let foreign = includes.iter().chain(excludes).any(|name| {
        ["**", "|", "(", ")", "!", "{", "}", ","]
            .iter()
            .any(|part| name.contains(part))
    });
    let whole_scope = by_scope && excludes.len() == 1 && includes.is_empty();
    foreign
        || (star(includes) && includes.len() > 1)
        || (star(excludes) && !whole_scope)
        || includes.iter().any(|name| excludes.contains(name))
}

fn is_old(spec: &BackupSpec) -> bool {
    spec.included_resources.len() + spec.excluded_resources.len() > 0
        || spec.include_cluster_resources.is_some()
}

fn is_new(spec: &BackupSpec) -> bool {
    spec.included_cluster_scoped_resources.len()
        + spec.excluded_cluster_scoped_resources.len()
        + spec.included_namespace_scoped_resources.len()
        + spec.excluded_namespace_scoped_resources.len()
        > 0
}

/// Whether the spec is refused, in a cluster with these namespaces.
pub(super) fn refuses(spec: &BackupSpec, places: &[Place]) -> bool {
    let by_label = places
        .iter()
        .any(|place| place.hidden && spec.included_namespaces.iter().any(|n| n == place.name));
    by_label
        || (is_old(spec) && is_new(spec))
        || (spec.label_selector.is_some() && !spec.or_label_selectors.is_empty())
        || bad_pair(&spec.included_namespaces, &spec.excluded_namespaces, false)
        || bad_pair(&spec.included_resources, &spec.excluded_resources, false)
        || bad_pair(
            &spec.included_cluster_scoped_resources,
            &spec.excluded_cluster_scoped_resources,
            true,
        )
        || bad_pair(
            &spec.included_namespace_scoped_resources,
            &spec.excluded_namespace_scoped_resources,
            true,
        )
}

/// Whether objects of this namespace are wanted.
pub(super) fn wants_place(spec: &BackupSpec, place: &Place) -> bool {
    let includes = &spec.included_namespaces;
    let within = includes.is_empty()
        || includes.iter().any(|name| {
            name == "*" || name == place.name || (!place.ending && matches(name, place.name))
        });
    let out = spec
        .excluded_namespaces
        .iter()
        .any(|name| matches(name, place.name));
    within && !out && !place.hidden
}

/// Whether the namespace filter lets everything through. A namespace that is
/// labelled to be left out is an exclude like any other.
fn all_places(spec: &BackupSpec, places: &[Place]) -> bool {
    spec.included_namespaces.iter().all(|name| name == "*")
        && spec.excluded_namespaces.is_empty()
        && !places.iter().any(|place| place.hidden)
}

fn label_matches(spec: &BackupSpec, app: Option<&str>) -> bool {
    let selectors: Vec<_> = spec
        .label_selector
        .iter()
        .chain(&spec.or_label_selectors)
        .collect();
    selectors.is_empty()
        || selectors.iter().any(|selector| {
            let wanted = selector.match_labels.as_ref().unwrap();
            wanted.iter().all(|(_, value)| app == Some(value))
        })
}

/// Whether a kind is collected by listing, ignoring what cohabits.
fn collects(spec: &BackupSpec, places: &[Place], kind: &Kind) -> bool {
    if CSI.contains(&kind.name) || kind.name == "namespaces" || !kind.listable {
        return false;
    }
    let all_places = all_places(spec, places);
    let old = passes(&spec.included_resources, &spec.excluded_resources, kind);
    let namespaced = passes(
        &spec.included_namespace_scoped_resources,
        &spec.excluded_namespace_scoped_resources,
        kind,
    );
    match (is_old(spec), kind.namespaced) {
        (true, true) => old,
        (true, false) => match spec.include_cluster_resources {
            Some(false) => false,
            None => old && all_places,
            Some(true) => old,
        },
        (false, true) => namespaced,
        (false, false) if !spec.included_cluster_scoped_resources.is_empty() => passes(
            &spec.included_cluster_scoped_resources,
            &spec.excluded_cluster_scoped_resources,
            kind,
        ),
        (false, false) if !spec.excluded_cluster_scoped_resources.is_empty() => false,
        (false, false) => {
            let includes = &spec.included_namespace_scoped_resources;
            all_places
                && includes.iter().all(|name| name == "*")
                && spec.excluded_namespace_scoped_resources.is_empty()
        }
    }
}

/// Whether an object gets into the backup by being listed.
pub(super) fn lists(spec: &BackupSpec, cluster: (&[Place], &[Kind]), thing: &Thing) -> bool {
    let (places, kinds) = cluster;
    let kind = &kinds[thing.kind];
    let wanted = thing.namespace.is_none_or(|name| {
        let place = places.iter().find(|place| place.name == name);
        place.is_some_and(|place| wants_place(spec, place))
    });
    // Of the two groups with events the one that is met first has them all.
    let twin = kind.name == "events.events.k8s.io"
        && kinds
            .iter()
            .any(|other| other.name == "events" && collects(spec, places, other));
    collects(spec, places, kind) && !twin && wanted && label_matches(spec, thing.app)
}

/// Whether a kind may come along with objects that refer to it.
pub(super) fn admits(spec: &BackupSpec, kind: &Kind) -> bool {
    let named_out = |names: &[String]| names.iter().any(|name| means(name, kind));
    match (is_old(spec), kind.namespaced) {
        (true, true) => passes(&spec.included_resources, &spec.excluded_resources, kind),
        (true, false) => match spec.include_cluster_resources {
            Some(false) => false,
            Some(true) => !named_out(&spec.excluded_resources),
            None => passes(&spec.included_resources, &spec.excluded_resources, kind),
        },
        (false, true) => passes(
            &spec.included_namespace_scoped_resources,
            &spec.excluded_namespace_scoped_resources,
            kind,
        ),
        (false, false) => !named_out(&spec.excluded_cluster_scoped_resources),
    }
}

/// Whether a namespace's own object is saved although nothing of it may be.
pub(super) fn saves_place(spec: &BackupSpec, places: &[Place], place: &Place) -> bool {
    wants_place(spec, place)
        && !place.ending
        && (!all_places(spec, places) || label_matches(spec, place.app))
}

/// Whether definitions come along with objects of their kinds.
pub(super) fn definitions_follow(spec: &BackupSpec, definitions: &Kind) -> bool {
    let (includes, excludes) = if is_old(spec) {
        (&spec.included_resources, &spec.excluded_resources)
    } else {
        (
            &spec.included_cluster_scoped_resources,
            &spec.excluded_cluster_scoped_resources,
        )
    };
    let said = |name: &String| name != "*" && means(name, definitions);
    !includes.iter().any(said) && !excludes.iter().any(|name| means(name, definitions))
}
