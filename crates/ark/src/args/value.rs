//! How values of flags are written: booleans, maps, durations.
//!
//! The spellings are those of Velero's command line, so that scripts carry over.

use std::collections::BTreeMap;

use ark_api::{GoDuration, zone};

/// A boolean as Go reads it: `1`, `t`, `true`, `0`, `f`, `false` in the usual cases.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("write `true` or `false`".to_owned()),
    }
}

/// A provider and what is meant of it, such as `aws:east`.
pub fn of_provider(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((provider, name)) if !provider.is_empty() && !name.is_empty() => {
            Ok((provider.to_owned(), name.to_owned()))
        }
        _ => Err("write PROVIDER:NAME".to_owned()),
    }
}

/// A duration such as `1h30m`.
pub fn duration(text: &str) -> Result<GoDuration, String> {
    text.parse::<GoDuration>()
        .map_err(|error| error.to_string())
}

/// One part of a map: `key=value,key2=value2`. The empty text is no entry.
pub fn map(text: &str) -> Result<Map, String> {
    entries(text, ',').map(Map)
}

/// Names by resource: `pods=ns/a,ns/b;persistentvolumes=v1`.
pub fn ordered_resources(text: &str) -> Result<Map, String> {
    entries(text, ';').map(Map)
}

/// Entries of one occurrence of a flag that takes a map.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map(pub Vec<(String, String)>);

/// All entries of all occurrences of a flag; a later one wins.
pub fn merged(occurrences: &[Map]) -> BTreeMap<String, String> {
    occurrences
        .iter()
        .flat_map(|map| map.0.iter().cloned())
        .collect()
}

fn entries(text: &str, separator: char) -> Result<Vec<(String, String)>, String> {
    text.split(separator)
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| match entry.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(format!("`{entry}` is not of the form key=value")),
        })
        .collect()
}

/// Other names for namespaces or zones: `from:to,from2:to2`.
pub fn mappings(text: &str) -> Result<Map, String> {
    let pairs = zone::pairs(text);
    pairs
        .map(Map)
        .map_err(|part| format!("`{part}` is not of the form from:to"))
}

/// A key of a secret: `secret=key`.
pub fn secret_key(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, key)) if !name.is_empty() && !key.is_empty() => {
            Ok((name.to_owned(), key.to_owned()))
        }
        _ => Err("write SECRET=KEY".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_gos() {
        assert_eq!(boolean("T"), Ok(true));
        assert_eq!(boolean("0"), Ok(false));
        assert!(boolean("yes").is_err());
    }

    #[test]
    fn maps_split_at_the_first_equals_sign() {
        assert_eq!(
            map("a=b, c=d=e,,f=").unwrap().0,
            [("a", "b"), ("c", "d=e"), ("f", "")].map(|(k, v)| (k.to_owned(), v.to_owned()))
        );
        assert_eq!(map("a").unwrap_err(), "`a` is not of the form key=value");
        assert!(map("=b").is_err());
    }

    #[test]
    fn a_later_occurrence_wins() {
        let all = merged(&[map("a=1,b=2").unwrap(), map("a=3").unwrap()]);
        assert_eq!(all["a"], "3");
        assert_eq!(all["b"], "2");
    }

    #[test]
    fn ordered_resources_keep_commas_in_the_value() {
        let all = merged(&[ordered_resources("pods=n/a,n/b;persistentvolumes=v1").unwrap()]);
        assert_eq!(all["pods"], "n/a,n/b");
        assert_eq!(all["persistentvolumes"], "v1");
    }

    #[test]
    fn mappings_and_keys_need_both_sides() {
        assert_eq!(merged(&[mappings("a:b").unwrap()])["a"], "b");
        assert!(mappings("a").is_err());
        assert!(secret_key("s=").is_err());
    }

    #[test]
    fn durations_are_gos() {
        assert_eq!(duration("1h30m").unwrap().to_string(), "1h30m0s");
        assert!(duration("30d").unwrap_err().contains("unknown unit"));
    }
}
