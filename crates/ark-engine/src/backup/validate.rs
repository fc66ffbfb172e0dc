//! From what a user wrote to what can be run: every rule checked, all messages
//! at once, defaults filled in. Pure.

use std::time::Duration;

use ark_api::storage_location::{AccessMode, LocationPhase};
use ark_api::{Backup, BackupPhase, BackupSpec, BackupStorageLocation, GoDuration, label};
use jiff::{SignedDuration, Timestamp};

use super::by_label;
use super::filters::{self, Filters};
use super::ordered::{self, Ordered};
use super::surroundings::Surroundings;
use crate::hook;
use crate::policy::ResourcePolicies;
use crate::port::stamp;
use crate::select::{Glob, IncludeExclude, LabelFilter};

/// Format version of the archive, as `status.formatVersion` and
/// `metadata/version` give it.
pub const FORMAT_VERSION: &str = "1.1.0";

/// What applies where a backup says nothing.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// How long a backup is kept.
    pub ttl: Duration,
    /// How long asynchronous operations may take.
    pub item_operation_timeout: Duration,
    /// How long a CSI snapshot may take.
    pub csi_snapshot_timeout: Duration,
    /// The location to use when none is marked as default.
    pub storage_location: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            ttl: Duration::from_hours(720),
            item_operation_timeout: Duration::from_hours(4),
            csi_snapshot_timeout: Duration::from_mins(10),
            storage_location: "default".to_owned(),
        }
    }
}

/// A backup that may run: the only input of planning.
#[derive(Debug, Clone)]
pub struct ValidatedBackup {
    /// The resource with defaults filled in, in phase `InProgress`.
    pub backup: Backup,
    pub(super) namespaces: IncludeExclude,
    pub(super) filters: Filters,
    pub(super) labels: LabelFilter,
    pub(super) ordered: Ordered,
    pub(super) policies: ResourcePolicies,
}

impl ValidatedBackup {
    /// Name of the backup.
    pub fn name(&self) -> &str {
        self.backup.metadata.name.as_deref().unwrap_or_default()
    }

    /// Name of the location that it goes to.
    pub fn location_name(&self) -> &str {
        &self.backup.spec.storage_location
    }
}

/// A backup that may not run.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// The resource in phase `FailedValidation`, with the messages in its status.
    pub prepared: Box<Backup>,
    /// Everything that is wrong.
    pub messages: Vec<String>,
}

/// Checks every rule and fills in what is left open.
pub fn validate(
    backup: &Backup,
    around: &Surroundings<'_>,
    defaults: &Defaults,
    now: Timestamp,
) -> Result<ValidatedBackup, Rejected> {
    let mut prepared = backup.clone();
    fill_in(&mut prepared, around.locations, defaults, now);
    let mut messages = Vec::new();
    check_location(
        &prepared.spec.storage_location,
        around.locations,
        &mut messages,
    );
    check_unsupported(&prepared.spec, &mut messages);
    filters::check(&prepared.spec, &mut messages);
    filters::leave_out_snapshots(&mut prepared.spec);
    leave_out_labelled(&mut prepared.spec, around, &mut messages);
    messages.extend(hook::check(&prepared.spec.hooks));
    // Policies choose namespaces, but what is wrong with them is said last.
    let mut of_policies = Vec::new();
    let policies = policies(&prepared.spec, around, &mut of_policies);
    if !policies.namespaces.is_empty() {
        let left_open = backup.spec.included_namespaces.is_empty();
        let (chosen, labels) = (&policies.namespaces, &around.namespaces);
        by_label::write(&mut prepared.spec, left_open, chosen, labels);
    }
    let spec = &prepared.spec;
    let namespaces = namespaces(spec, &mut messages);
    let labels = LabelFilter::new(spec.label_selector.as_ref(), Some(&spec.or_label_selectors))
        .unwrap_or_else(|problems| {
            messages.extend(problems);
            LabelFilter::default()
        });
    let ordered = ordered::parse(&spec.ordered_resources, &mut messages);
    messages.extend(of_policies);
    let mut filters = Filters::of(spec);
    filters.add(&policies.kinds);
    let status = prepared.status.get_or_insert_default();
    if messages.is_empty() {
        status.phase = Some(BackupPhase::InProgress);
        status.start_timestamp.get_or_insert(stamp(now));
        return Ok(ValidatedBackup {
            backup: prepared,
            namespaces,
            filters,
            labels,
            ordered,
            policies,
        });
    }
    status.phase = Some(BackupPhase::FailedValidation);
    status.validation_errors.clone_from(&messages);
    Err(Rejected {
        prepared: Box::new(prepared),
        messages,
    })
}

/// The policies that the spec names, from what the caller found under that name.
fn policies(
    spec: &BackupSpec,
    around: &Surroundings<'_>,
    messages: &mut Vec<String>,
) -> ResourcePolicies {
    let Some(reference) = &spec.resource_policy else {
        return ResourcePolicies::default();
    };
    let name = &reference.name;
    if !reference.kind.eq_ignore_ascii_case("configmap") {
        messages.push(format!(
            "resourcePolicy: `{}` cannot hold policies; the kind must be configmap",
            reference.kind
        ));
        return ResourcePolicies::default();
    }
    let Some(data) = &around.policy_data else {
        messages.push(format!(
            "resourcePolicy: ConfigMap `{name}` does not exist in the server's namespace"
        ));
        return ResourcePolicies::default();
    };
    match ResourcePolicies::read(name, data) {
        Ok(policies) => {
            if filters::uses_old(spec)
                && !(policies.kinds.is_empty() && policies.namespaces.is_empty())
            {
                messages.push(format!(
                    "resourcePolicy: the includeExcludePolicy of ConfigMap `{name}` cannot be combined \
                     with includedResources, excludedResources and includeClusterResources: use the \
                     lists for cluster-scoped and namespace-scoped resources"
                ));
            }
            if filters::uses_old(spec) && !policies.filters.is_empty() {
                messages.push(format!(
                    "resourcePolicy: namespacedFilterPolicies and clusterScopedFilterPolicy of ConfigMap \
                     `{name}` cannot be combined with includedResources, excludedResources and \
                     includeClusterResources: use the lists for cluster-scoped and namespace-scoped \
                     resources, or the policy's includeExcludePolicy"
                ));
            }
            policies
        }
        Err(problems) => {
            let problems = problems.iter();
            messages.extend(problems.map(|problem| format!("resourcePolicy: {problem}")));
            ResourcePolicies::default()
        }
    }
}

/// Namespaces that are labelled to be left out become excludes of the spec, for
/// everybody to see.
fn leave_out_labelled(
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

fn namespaces(spec: &BackupSpec, messages: &mut Vec<String>) -> IncludeExclude {
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

fn fill_in(
    backup: &mut Backup,
    locations: &[BackupStorageLocation],
    defaults: &Defaults,
    now: Timestamp,
) {
    let spec = &mut backup.spec;
    if spec.storage_location.is_empty() {
        let marked = locations.iter().find(|location| location.spec.default);
        spec.storage_location = marked
            .and_then(|location| location.metadata.name.clone())
            .unwrap_or_else(|| defaults.storage_location.clone());
    }
    if spec.included_namespaces.is_empty() {
        spec.included_namespaces = vec!["*".to_owned()];
    }
    if let Some(old) = spec.default_volumes_to_restic.take() {
        spec.default_volumes_to_fs_backup.get_or_insert(old);
    }
    let set = |value: &mut Option<GoDuration>, default: Duration| -> Duration {
        let chosen = GoDuration::or_default(*value, default);
        *value = Some(GoDuration::from(chosen));
        chosen
    };
    let ttl = set(&mut spec.ttl, defaults.ttl);
    set(
        &mut spec.item_operation_timeout,
        defaults.item_operation_timeout,
    );
    set(
        &mut spec.csi_snapshot_timeout,
        defaults.csi_snapshot_timeout,
    );
    let location = label::valid_value(&spec.storage_location);
    backup
        .metadata
        .labels
        .get_or_insert_default()
        .insert(label::STORAGE_LOCATION.to_owned(), location);
    let status = backup.status.get_or_insert_default();
    status.version = 1;
    FORMAT_VERSION.clone_into(&mut status.format_version);
    let lifetime = SignedDuration::try_from(ttl).unwrap_or(SignedDuration::MAX);
    status.expiration = now.checked_add(lifetime).ok().map(stamp);
}

fn check_location(name: &str, locations: &[BackupStorageLocation], messages: &mut Vec<String>) {
    let found = locations
        .iter()
        .find(|one| one.metadata.name.as_deref() == Some(name));
    let Some(location) = found else {
        messages.push(format!(
            "storage location `{name}` does not exist: create it, or name one of the existing ones"
        ));
        return;
    };
    if *location.access_mode() == AccessMode::ReadOnly {
        messages.push(format!(
            "storage location `{name}` is read-only: backups cannot be written to it"
        ));
    }
    if location.phase() != Some(&LocationPhase::Available) {
        let why = location
            .status
            .as_ref()
            .map_or("", |status| status.message.as_str());
        let why = if why.is_empty() {
            "it has not been validated yet"
        } else {
            why
        };
        messages.push(format!("storage location `{name}` is not available: {why}"));
    }
}

/// What the API can say and this version cannot do is refused: a backup that
/// silently leaves out what was asked for would be a broken promise.
fn check_unsupported(spec: &BackupSpec, messages: &mut Vec<String>) {
    let mut refuse = |set: bool, field: &str, instead: &str| {
        if set {
            messages.push(format!(
                "spec.{field} is not supported by this version: {instead}"
            ));
        }
    };
    refuse(
        spec.snapshot_move_data == Some(true),
        "snapshotMoveData",
        "volume data is not saved yet; set it to false",
    );
    refuse(
        spec.default_volumes_to_fs_backup == Some(true),
        "defaultVolumesToFsBackup",
        "volume data is not saved yet; set it to false",
    );
    refuse(
        !spec.volume_snapshot_locations.is_empty(),
        "volumeSnapshotLocations",
        "volume snapshots are not taken yet; remove the names",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(mode: AccessMode, phase: LocationPhase) -> BackupStorageLocation {
        let mut location = BackupStorageLocation::default();
        location.metadata.name = Some("default".into());
        location.spec.access_mode = Some(mode);
        location.status.get_or_insert_default().phase = Some(phase);
        location
    }

    fn usable() -> Vec<BackupStorageLocation> {
        vec![location(AccessMode::ReadWrite, LocationPhase::Available)]
    }

    fn now() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn check(
        backup: &Backup,
        locations: &[BackupStorageLocation],
    ) -> Result<ValidatedBackup, Rejected> {
        let around = Surroundings::of_locations(locations);
        validate(backup, &around, &Defaults::default(), now())
    }

    #[test]
    fn an_empty_spec_gets_every_default() {
        let backup = Backup::new("b", BackupSpec::default());
        let valid = check(&backup, &usable()).unwrap();
        let json = serde_json::to_value(&valid.backup).unwrap();
        assert_eq!(json["spec"]["ttl"], "720h0m0s");
        assert_eq!(json["spec"]["includedNamespaces"], serde_json::json!(["*"]));
        assert_eq!(json["spec"]["storageLocation"], "default");
        assert_eq!(json["status"]["expiration"], "2026-03-31T12:00:00Z");
        assert_eq!(json["status"]["phase"], "InProgress");
        assert_eq!(json["status"]["formatVersion"], "1.1.0");
        assert_eq!(
            json["metadata"]["labels"][label::STORAGE_LOCATION],
            "default"
        );
    }

    #[test]
    fn all_problems_are_reported_together() {
        let spec: BackupSpec = serde_json::from_value(serde_json::json!({
            "includedNamespaces": ["a", "*"],
            "excludedNamespaces": ["a"],
            "includedResources": ["pods"],
            "excludedResources": ["pods"],
            "includedClusterScopedResources": ["persistentvolumes"],
            "labelSelector": {"matchLabels": {"a": "b"}},
            "orLabelSelectors": [{"matchLabels": {"a": "c"}}],
            "snapshotMoveData": true,
        }))
        .unwrap();
        let backup = Backup::new("b", spec);
        let locations = [location(AccessMode::ReadOnly, LocationPhase::Unavailable)];
        let rejected = check(&backup, &locations).unwrap_err();
        insta::assert_yaml_snapshot!(rejected.messages);
        let status = rejected.prepared.status.unwrap();
        assert_eq!(status.phase, Some(BackupPhase::FailedValidation));
        assert_eq!(status.validation_errors, rejected.messages);
    }

    #[test]
    fn a_missing_location_is_named() {
        let backup = Backup::new("b", BackupSpec::default());
        let rejected = check(&backup, &[]).unwrap_err();
        assert!(
            rejected.messages[0].contains("`default` does not exist"),
            "{:?}",
            rejected.messages
        );
    }

    #[test]
    fn a_labelled_namespace_becomes_an_exclude_of_the_spec() {
        let locations = usable();
        let around = Surroundings {
            excluded_namespaces: vec!["secret".to_owned()],
            ..Surroundings::of_locations(&locations)
        };
        let run = |includes: &[&str]| {
            let spec = BackupSpec {
                included_namespaces: includes.iter().map(ToString::to_string).collect(),
                ..BackupSpec::default()
            };
            validate(
                &Backup::new("b", spec),
                &around,
                &Defaults::default(),
                now(),
            )
        };
        let valid = run(&[]).unwrap();
        assert_eq!(valid.backup.spec.excluded_namespaces, ["secret"]);
        let again = validate(&valid.backup, &around, &Defaults::default(), now()).unwrap();
        assert_eq!(again.backup.spec, valid.backup.spec, "said once");
        let messages = run(&["secret"]).unwrap_err().messages;
        assert!(
            messages[0].contains("velero.io/exclude-from-backup=true"),
            "{messages:?}"
        );
    }

    #[test]
    fn namespaces_chosen_by_label_are_names_of_the_stored_spec() {
        let locations = usable();
        let policy = "version: v1\nincludeExcludePolicy: {includedNamespacesByLabel: [team]}";
        let team = |name: &str| {
            let labels = [("team".to_owned(), name.to_owned())].into();
            (name.to_owned(), labels)
        };
        let around = Surroundings {
            excluded_namespaces: vec!["secret".to_owned()],
            namespaces: ["red", "blue", "secret"].map(team).into(),
            policy_data: Some([("k".to_owned(), policy.to_owned())].into()),
            ..Surroundings::of_locations(&locations)
        };
        let spec = serde_json::json!({"resourcePolicy": {"kind": "ConfigMap", "name": "rules"}});
        let backup = Backup::new("b", serde_json::from_value(spec).unwrap());
        let valid = validate(&backup, &around, &Defaults::default(), now()).unwrap();
        assert_eq!(valid.backup.spec.included_namespaces, ["blue", "red"]);
        assert_eq!(valid.backup.spec.excluded_namespaces, ["secret"]);
        let again = validate(&valid.backup, &around, &Defaults::default(), now()).unwrap();
        assert_eq!(again.backup.spec, valid.backup.spec, "said once");

        let mut overlapping = backup.clone();
        overlapping.spec.included_namespaces = vec!["red".to_owned(), "x".to_owned()];
        overlapping.spec.excluded_namespaces = vec!["x".to_owned()];
        let rejected = validate(&overlapping, &around, &Defaults::default(), now()).unwrap_err();
        assert_eq!(
            rejected.messages,
            ["namespaces: `x` is both included and excluded"],
            "a policy does not hide what is wrong"
        );
    }

    #[test]
    fn names_that_no_namespace_can_have_are_refused() {
        let spec: BackupSpec = serde_json::from_value(serde_json::json!({
            "includedNamespaces": ["Shop", "team-*", "a", "t?", "[ab]-x"],
            "excludedNamespaces": ["-b", "team-**", "c|d", "e,f", "(g)", "!h", "{i}"],
        }))
        .unwrap();
        let rejected = check(&Backup::new("b", spec), &usable()).unwrap_err();
        insta::assert_yaml_snapshot!(rejected.messages);
    }

    #[test]
    fn policies_are_found_read_and_fit_the_filters() {
        let locations = usable();
        let run = |spec: serde_json::Value, text: Option<&str>| {
            let mut spec: BackupSpec = serde_json::from_value(spec).unwrap();
            let reference = spec.resource_policy.get_or_insert_default();
            "rules".clone_into(&mut reference.name);
            if reference.kind.is_empty() {
                "ConfigMap".clone_into(&mut reference.kind);
            }
            let around = Surroundings {
                policy_data: text.map(|text| [("k".to_owned(), text.to_owned())].into()),
                ..Surroundings::of_locations(&locations)
            };
            let backup = Backup::new("b", spec);
            let result = validate(&backup, &around, &Defaults::default(), now());
            result.map_err(|rejected| rejected.messages)
        };
        let kinds =
            "version: v1\nincludeExcludePolicy: {excludedNamespaceScopedResources: [events]}";
        let valid = run(serde_json::json!({}), Some(kinds)).unwrap();
        assert!(
            valid.policies.kinds
                == ResourcePolicies::read("rules", &[("k".to_owned(), kinds.to_owned())].into())
                    .unwrap()
                    .kinds
        );
        let by_label = "version: v1\nincludeExcludePolicy: {excludedNamespacesByLabel: [team]}";
        let refusals = [
            run(
                serde_json::json!({"includeClusterResources": true}),
                Some(by_label),
            ),
            run(serde_json::json!({}), None),
            run(
                serde_json::json!({"resourcePolicy": {"kind": "secret", "name": "x"}}),
                None,
            ),
            run(
                serde_json::json!({"includedResources": ["pods"]}),
                Some(kinds),
            ),
            run(
                serde_json::json!({"orderedResources": {"pods": "a/b/c"}}),
                Some("version: v3"),
            ),
        ];
        let refusals: Vec<_> = refusals.map(Result::unwrap_err).into();
        insta::assert_yaml_snapshot!(refusals);
    }
}
