//! Ids of disks and snapshots:
//! `/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/disks/D`. Pure.
//!
//! Azure reads them without regard to capitals, and its lists write resource groups
//! otherwise than its answers. So that one thing has one id here, subscription and group
//! are in small letters; the name stays as it is.

use std::fmt;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Disk,
    Snapshot,
}

impl Kind {
    /// The list that it is in.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Disk => "disks",
            Self::Snapshot => "snapshots",
        }
    }
}

/// Where something is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group {
    subscription: String,
    group: String,
}

impl Group {
    pub(super) fn new(subscription: &str, group: &str) -> Self {
        Self {
            subscription: subscription.to_lowercase(),
            group: group.to_lowercase(),
        }
    }
}

/// A disk or a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) group: Group,
    pub(super) kind: Kind,
    pub(super) name: String,
}

impl Id {
    pub(super) fn new(group: &Group, kind: Kind, name: &str) -> Self {
        Self {
            group: group.clone(),
            kind,
            name: name.to_owned(),
        }
    }

    /// Reads an id, if it is one of this kind.
    pub(super) fn parse(kind: Kind, text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let [
            "",
            subscriptions,
            subscription,
            groups,
            group,
            providers,
            compute,
            folder,
            name,
        ] = parts[..]
        else {
            return None;
        };
        let fixed = [
            (subscriptions, "subscriptions"),
            (groups, "resourceGroups"),
            (providers, "providers"),
            (compute, "Microsoft.Compute"),
            (folder, kind.folder()),
        ];
        let is_one = fixed
            .iter()
            .all(|(part, word)| part.eq_ignore_ascii_case(word))
            && [subscription, group, name]
                .iter()
                .all(|part| !part.is_empty());
        is_one.then(|| Self::new(&Group::new(subscription, group), kind, name))
    }

    /// Whether a text is this id, however it is written.
    pub(super) fn is(&self, text: &str) -> bool {
        self.to_string().eq_ignore_ascii_case(text)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Group {
            subscription,
            group,
        } = &self.group;
        write!(
            f,
            "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/{}/{}",
            self.kind.folder(),
            self.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_it_is_written_it_is_one_thing() {
        let usual =
            "/subscriptions/ab-1/resourceGroups/mc_shop/providers/Microsoft.Compute/disks/Pvc-1";
        for text in [
            usual,
            "/subscriptions/AB-1/resourcegroups/MC_shop/providers/microsoft.compute/DISKS/Pvc-1",
        ] {
            let id = Id::parse(Kind::Disk, text).unwrap();
            assert_eq!(id.to_string(), usual);
            assert!(id.is(text) && !id.is("Pvc-1"));
            assert_eq!(Id::parse(Kind::Snapshot, text), None);
        }
        for text in [
            "",
            "Pvc-1",
            "https://a.blob.core.windows.net/vhds/Pvc-1.vhd",
            "/subscriptions/s/resourceGroups//providers/Microsoft.Compute/disks/d",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/disks/d",
        ] {
            assert_eq!(Id::parse(Kind::Disk, text), None, "{text}");
        }
    }
}
