//! The snapshot locations of a backup: at most one of each provider.

use std::collections::BTreeMap;

use ark_api::VolumeSnapshotLocation;

use super::Defaults;

/// Names in the order in which they are asked for a disk: those that were given, then
/// for every other provider its only location or the server's default for it.
pub(super) fn choose(
    given: &[String],
    known: &[VolumeSnapshotLocation],
    defaults: &Defaults,
    messages: &mut Vec<String>,
) -> Vec<String> {
    let mut by_provider: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for location in known {
        let names = by_provider.entry(provider(&location.spec.provider));
        names.or_default().extend(location.metadata.name.as_deref());
    }
    let provider_of = |name: &str| {
        let mut all = by_provider.iter();
        all.find_map(|(provider, names)| names.contains(&name).then_some(*provider))
    };
    let mut chosen: BTreeMap<&str, &str> = BTreeMap::new();
    for name in given {
        let Some(provider) = provider_of(name) else {
            messages.push(format!(
                "snapshot location `{name}` does not exist: create it, or remove it from \
                 volumeSnapshotLocations"
            ));
            continue;
        };
        match chosen.insert(provider, name) {
            Some(first) if first != name => messages.push(format!(
                "volumeSnapshotLocations: `{first}` and `{name}` are both of provider `{provider}`, \
                 and a backup uses one location of a provider"
            )),
            _ => {}
        }
    }
    for (provider, names) in &by_provider {
        if chosen.contains_key(provider) {
            continue;
        }
        match (names.as_slice(), default(defaults, provider)) {
            ([only], None) => chosen.insert(provider, only),
            (names, Some(name)) if names.contains(&name) => chosen.insert(provider, name),
            (names, Some(name)) => {
                messages.push(format!(
                    "the default snapshot location `{name}` of provider `{provider}` does not exist; there \
                     is {}",
                    names.join(", ")
                ));
                None
            }
            (names, None) => {
                messages.push(format!(
                    "provider `{provider}` has the snapshot locations {}: name one of them in \
                     volumeSnapshotLocations, or start the server with \
                     --default-volume-snapshot-locations={provider}:NAME",
                    names.join(", ")
                ));
                None
            }
        };
    }
    chosen.into_values().map(str::to_owned).collect()
}

fn default<'d>(defaults: &'d Defaults, wanted: &str) -> Option<&'d str> {
    let mut all = defaults.snapshot_locations.iter();
    all.find_map(|(name, location)| (provider(name) == wanted).then_some(location.as_str()))
}

/// `aws` is short for `velero.io/aws`.
fn provider(name: &str) -> &str {
    name.strip_prefix("velero.io/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(given: &[&str], default: Option<(&str, &str)>) -> Result<Vec<String>, Vec<String>> {
        let known = [
            ("east", "velero.io/aws"),
            ("west", "aws"),
            ("disks", "velero.io/azure"),
        ];
        let known = known.map(|(name, provider)| {
            let mut location = VolumeSnapshotLocation::default();
            location.metadata.name = Some(name.to_owned());
            location.spec.provider = provider.to_owned();
            location
        });
        let given: Vec<String> = given.iter().map(ToString::to_string).collect();
        let default = default.into_iter();
        let defaults = Defaults {
            snapshot_locations: default.map(|(k, v)| (k.into(), v.into())).collect(),
            ..Defaults::default()
        };
        let mut messages = Vec::new();
        let chosen = choose(&given, &known, &defaults, &mut messages);
        if messages.is_empty() {
            Ok(chosen)
        } else {
            Err(messages)
        }
    }

    #[test]
    fn one_of_each_provider() {
        assert_eq!(chosen(&["west"], None).unwrap(), ["west", "disks"]);
        assert_eq!(chosen(&["west", "west"], None).unwrap(), ["west", "disks"]);
        assert_eq!(
            chosen(&[], Some(("aws", "east"))).unwrap(),
            ["east", "disks"]
        );
        assert_eq!(
            chosen(&["west", "disks"], Some(("velero.io/aws", "east"))).unwrap(),
            ["west", "disks"]
        );
    }

    #[test]
    fn what_is_not_clear_is_asked_for() {
        insta::assert_yaml_snapshot!([
            chosen(&[], None),
            chosen(&["gone", "west"], None),
            chosen(&["east", "west"], None),
            chosen(&[], Some(("aws", "north"))),
        ]);
    }
}
