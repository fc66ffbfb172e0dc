//! Namespaces chosen by their labels: `includedNamespacesByLabel`,
//! `excludedNamespacesByLabel` and `labelSelectorLogic` of an
//! `includeExcludePolicy`, as in Velero's main (pull request 10275). Which names
//! they come to is decided here, what becomes of them is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::select::{Join, LabelFilter};

/// Namespaces and their labels.
pub type NamespaceLabels = BTreeMap<String, BTreeMap<String, String>>;

/// Selectors for namespaces. A list that is not there is not the same as one that
/// matches nothing.
#[derive(Debug, Clone, Default)]
pub struct NamespacePolicy {
    included: Option<LabelFilter>,
    excluded: Option<LabelFilter>,
}

impl NamespacePolicy {
    /// Reads both lists, of which each is joined by `logic`; notes everything that
    /// is wrong.
    pub(super) fn read(
        included: &[String],
        excluded: &[String],
        logic: &str,
        problems: &mut Vec<String>,
    ) -> Self {
        let join = match logic.to_ascii_uppercase().as_str() {
            "" | "OR" => Join::Any,
            "AND" => Join::All,
            _ => {
                problems.push(format!(
                    "includeExcludePolicy: labelSelectorLogic is `{logic}`; it must be OR or AND"
                ));
                Join::Any
            }
        };
        let mut filter = |list: &str, selectors: &[String]| {
            if selectors.is_empty() {
                return None;
            }
            let filter = LabelFilter::read(selectors, join);
            let noted = filter.map_err(|found| {
                let found = found.into_iter();
                problems.extend(found.map(|one| format!("includeExcludePolicy, {list}: {one}")));
            });
            noted.ok()
        };
        Self {
            included: filter("includedNamespacesByLabel", included),
            excluded: filter("excludedNamespacesByLabel", excluded),
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.included.is_none() && self.excluded.is_none()
    }

    /// The namespaces to include; `None` if it does not include by label, which is
    /// not the same as no namespace.
    pub fn included(&self, namespaces: &NamespaceLabels) -> Option<BTreeSet<String>> {
        let filter = self.included.as_ref()?;
        Some(matching(filter, namespaces))
    }

    /// The namespaces to leave out.
    pub fn excluded(&self, namespaces: &NamespaceLabels) -> BTreeSet<String> {
        let filter = self.excluded.as_ref();
        filter.map_or_else(BTreeSet::new, |filter| matching(filter, namespaces))
    }

    /// Whether it includes by label.
    pub fn includes(&self) -> bool {
        self.included.is_some()
    }
}

fn matching(filter: &LabelFilter, namespaces: &NamespaceLabels) -> BTreeSet<String> {
    namespaces
        .iter()
        .filter(|(_, labels)| filter.matches(labels))
        .map(|(name, _)| name.clone())
        .collect()
}
