//! How the Go clients of this API read and write JSON: `null` and absent are
//! the zero value, and a zero value is left out.
//!
//! Only functions for serde attributes, and [`to_yaml`].

use serde::{Deserialize, Deserializer, Serialize};

/// Reads `null` as the zero value. Absent fields are serde's `default`.
pub(crate) fn null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a name (phase, mode) where the empty string means that there is none.
pub(crate) fn name<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(T::from))
}

/// True for the zero value, which is not written.
pub(crate) fn zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Why a value could not be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("cannot write a {kind} as YAML")]
pub struct YamlError {
    /// The Rust type that was written.
    kind: &'static str,
    #[source]
    source: serde_saphyr::ser::Error,
}

/// Writes one YAML document, the same for the same value on every machine:
/// long texts are folded, and whatever YAML 1.1 would read as a number or a
/// boolean is quoted.
pub fn to_yaml(value: &impl Serialize) -> Result<String, YamlError> {
    fn named<T>(_: &T) -> &'static str {
        std::any::type_name::<T>()
    }
    serde_saphyr::to_string(value).map_err(|source| YamlError {
        kind: named(value),
        source,
    })
}
