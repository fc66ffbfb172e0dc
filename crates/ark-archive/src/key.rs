//! The names by which an archive knows objects, strictly checked.
//!
//! A key that passed here can be put into a path without further thought. The
//! rules are those of Kubernetes for URL path segments; this module does not
//! know which kinds exist.

use std::fmt;
use std::str::FromStr;

/// Longest name or namespace taken. Kubernetes stops most names at 253 bytes
/// but sets no limit for RBAC names.
pub const MAX_NAME_BYTES: usize = 1024;

/// Longest resource, group or version taken.
pub const MAX_GROUP_BYTES: usize = 253;

/// A resource of an API group, without version: `pods`, `deployments.apps`.
///
/// The text form (`Display`, `FromStr`) is the folder name in the tarball.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// Plural resource name, `deployments`. Has no dot.
    pub resource: String,
    /// API group, `apps`; empty for the core group.
    pub group: String,
}

/// Names one object of a cluster, whatever its version.
///
/// Orders by resource, group, namespace (cluster-scoped first), name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// What kind of object.
    pub group_resource: GroupResource,
    /// Its namespace; `None` for cluster-scoped objects.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

/// The part of a key that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Plural resource name.
    Resource,
    /// API group.
    Group,
    /// API version.
    Version,
    /// Namespace.
    Namespace,
    /// Object name.
    Name,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Resource => "resource",
            Self::Group => "API group",
            Self::Version => "API version",
            Self::Namespace => "namespace",
            Self::Name => "name",
        })
    }
}

/// Why a name cannot be a part of a key. Never worth a retry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Nothing where a name is needed.
    #[error("the {part} is empty")]
    Empty {
        /// Which part.
        part: Part,
    },
    /// `.` or `..`, or a name that means something else at its place.
    #[error("{value:?} cannot be used as {part}")]
    Reserved {
        /// Which part.
        part: Part,
        /// What was given.
        value: String,
    },
    /// A character that path segments cannot have.
    #[error("the {part} {value:?} contains {character:?}")]
    Character {
        /// Which part.
        part: Part,
        /// What was given.
        value: String,
        /// The first bad character.
        character: char,
    },
    /// Longer than any API server would store.
    #[error("the {part} is {bytes} bytes long, more than {max}")]
    TooLong {
        /// Which part.
        part: Part,
        /// Its length.
        bytes: usize,
        /// The limit.
        max: usize,
    },
}

/// Checks one part of a key against the rules for path segments.
pub fn check_segment(part: Part, value: &str) -> Result<(), KeyError> {
    let max = match part {
        Part::Namespace | Part::Name => MAX_NAME_BYTES,
        Part::Resource | Part::Group | Part::Version => MAX_GROUP_BYTES,
    };
    if value.is_empty() {
        return Err(KeyError::Empty { part });
    }
    if value.len() > max {
        return Err(KeyError::TooLong {
            part,
            bytes: value.len(),
            max,
        });
    }
    if value == "." || value == ".." {
        return Err(KeyError::Reserved {
            part,
            value: value.to_owned(),
        });
    }
    // ASCII needles: a byte scan finds the same as a character scan, faster.
    let dot_banned = part == Part::Resource;
    let bad = value
        .bytes()
        .find(|b| matches!(b, b'/' | b'%' | 0) || (dot_banned && *b == b'.'));
    match bad {
        Some(byte) => {
            let character = char::from(byte);
            Err(KeyError::Character {
                part,
                value: value.to_owned(),
                character,
            })
        }
        None => Ok(()),
    }
}

/// Checks an API version such as `v1` or `v2beta1`, without its group.
///
/// The names of the folders beside version folders are refused, so that a
/// path can be read in one way only.
pub fn check_version(version: &str) -> Result<(), KeyError> {
    check_segment(Part::Version, version)?;
    let reserved = matches!(version, "namespaces" | "cluster");
    if reserved || version.ends_with(crate::layout::PREFERRED_SUFFIX) {
        return Err(KeyError::Reserved {
            part: Part::Version,
            value: version.to_owned(),
        });
    }
    Ok(())
}

impl GroupResource {
    /// Checks and joins the two; `group` is empty for the core group.
    pub fn new(resource: impl Into<String>, group: impl Into<String>) -> Result<Self, KeyError> {
        let it = Self {
            resource: resource.into(),
            group: group.into(),
        };
        it.validate()?;
        Ok(it)
    }

    /// Checks a value that was put together by hand.
    pub fn validate(&self) -> Result<(), KeyError> {
        check_segment(Part::Resource, &self.resource)?;
        if self.group.is_empty() {
            Ok(())
        } else {
            check_segment(Part::Group, &self.group)
        }
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        Ok(())
    }
}

impl FromStr for GroupResource {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        match text.split_once('.') {
            // `pods.` would print as `pods`: two texts for one value.
            Some((_, "")) => Err(KeyError::Empty { part: Part::Group }),
            Some((resource, group)) => Self::new(resource, group),
            None => Self::new(text, ""),
        }
    }
}

impl ItemKey {
    /// Checks and joins the parts.
    pub fn new(
        group_resource: GroupResource,
        namespace: Option<String>,
        name: impl Into<String>,
    ) -> Result<Self, KeyError> {
        let it = Self {
            group_resource,
            namespace,
            name: name.into(),
        };
        it.validate()?;
        Ok(it)
    }

    /// Checks a value that was put together by hand.
    pub fn validate(&self) -> Result<(), KeyError> {
        self.group_resource.validate()?;
        if let Some(namespace) = &self.namespace {
            check_segment(Part::Namespace, namespace)?;
        }
        check_segment(Part::Name, &self.name)
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.group_resource, self.name),
            None => write!(f, "{} {}", self.group_resource, self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_resource_text_round_trips() {
        for text in [
            "pods",
            "deployments.apps",
            "clusterroles.rbac.authorization.k8s.io",
        ] {
            assert_eq!(text.parse::<GroupResource>().unwrap().to_string(), text);
        }
        let apps = "deployments.apps".parse::<GroupResource>().unwrap();
        assert_eq!(
            (apps.resource.as_str(), apps.group.as_str()),
            ("deployments", "apps")
        );
    }

    #[test]
    fn group_resource_refuses_what_is_no_folder_name() {
        for text in [
            "", ".", "..", "pods.", ".apps", "a/b", "pods.a/b", "po%64s", "po\0ds",
        ] {
            assert!(text.parse::<GroupResource>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_follow_the_rules_of_path_segments() {
        for good in [
            "web",
            "system:controller:foo",
            "a.b.c",
            "...",
            "ö",
            "back\\slash",
            "x.json",
        ] {
            check_segment(Part::Name, good).unwrap();
        }
        for bad in ["", ".", "..", "a/b", "50%", "nul\0"] {
            assert!(check_segment(Part::Name, bad).is_err(), "{bad:?}");
        }
        let long = "n".repeat(MAX_NAME_BYTES + 1);
        assert_eq!(
            check_segment(Part::Name, &long),
            Err(KeyError::TooLong {
                part: Part::Name,
                bytes: 1025,
                max: 1024
            })
        );
    }

    #[test]
    fn versions_cannot_look_like_other_folders() {
        check_version("v1beta1").unwrap();
        for bad in ["namespaces", "cluster", "v1-preferredversion", "a/v1", ""] {
            assert!(check_version(bad).is_err(), "{bad:?}");
        }
    }
}
