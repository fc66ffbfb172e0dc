//! Label selectors: matched here on stored objects, sent as text to the API.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

mod text;

/// One selector, several joined by *or*, or none.
#[derive(Debug, Clone, Default)]
pub struct LabelFilter {
    any_of: Vec<Vec<Requirement>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
    Above(String, i64),
    Below(String, i64),
}

/// How several selectors are joined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Join {
    /// One of them must match.
    #[default]
    Any,
    /// Each of them must match.
    All,
}

impl LabelFilter {
    /// Reads `labelSelector` or `orLabelSelectors`, of which at most one may be
    /// set; on failure says everything that is wrong.
    pub fn new(
        selector: Option<&LabelSelector>,
        any_of: Option<&[LabelSelector]>,
    ) -> Result<Self, Vec<String>> {
        let any_of = any_of.unwrap_or_default();
        if selector.is_some() && !any_of.is_empty() {
            return Err(vec![
                "`labelSelector` and `orLabelSelectors` exclude each other: set one of them"
                    .to_owned(),
            ]);
        }
        let mut problems = Vec::new();
        let mut parsed = Vec::new();
        for selector in selector.into_iter().chain(any_of) {
            match parse(selector) {
                Ok(requirements) => parsed.push(requirements),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(Self { any_of: parsed })
        } else {
            Err(problems)
        }
    }

    /// Reads selectors in the text form of the API, such as `app=web,tier in (a,b),!old`;
    /// on failure says everything that is wrong.
    pub fn read(selectors: &[String], join: Join) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut parsed = Vec::new();
        for selector in selectors {
            match text::parse(selector) {
                Ok(requirements) => parsed.push(requirements),
                Err(problem) => problems.push(problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            any_of: match join {
                Join::Any => parsed,
                Join::All => vec![parsed.concat()],
            },
        })
    }

    /// Whether every object matches.
    pub fn is_everything(&self) -> bool {
        self.any_of.is_empty() || self.any_of.iter().any(Vec::is_empty)
    }

    /// Whether an object with these labels matches.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.any_of.is_empty()
            || self
                .any_of
                .iter()
                .any(|all| all.iter().all(|one| one.matches(labels)))
    }

    /// The lists to ask the API for: one query each, their union is the
    /// selection. `None` is a list without selector.
    pub fn queries(&self) -> Vec<Option<String>> {
        if self.is_everything() {
            return vec![None];
        }
        self.any_of.iter().map(|all| Some(text(all))).collect()
    }
}

fn parse(selector: &LabelSelector) -> Result<Vec<Requirement>, String> {
    let mut requirements = Vec::new();
    for (key, value) in selector.match_labels.iter().flatten() {
        requirements.push(Requirement::In(key.clone(), vec![value.clone()]));
    }
    for expression in selector.match_expressions.iter().flatten() {
        requirements.push(parse_expression(expression)?);
    }
    Ok(requirements)
}

fn parse_expression(expression: &LabelSelectorRequirement) -> Result<Requirement, String> {
    let key = expression.key.clone();
    let values = expression.values.clone().unwrap_or_default();
    match (expression.operator.as_str(), values.is_empty()) {
        ("In", false) => Ok(Requirement::In(key, values)),
        ("NotIn", false) => Ok(Requirement::NotIn(key, values)),
        ("Exists", true) => Ok(Requirement::Exists(key)),
        ("DoesNotExist", true) => Ok(Requirement::Absent(key)),
        ("In" | "NotIn", true) => Err(format!(
            "label selector: `{key}` {} needs values",
            expression.operator
        )),
        ("Exists" | "DoesNotExist", false) => Err(format!(
            "label selector: `{key}` {} takes no values",
            expression.operator
        )),
        (operator, _) => Err(format!(
            "label selector: `{key}` has the operator `{operator}`; known are In, NotIn, Exists, DoesNotExist"
        )),
    }
}

impl Requirement {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::In(key, values) => labels.get(key).is_some_and(|value| values.contains(value)),
            Self::NotIn(key, values) => labels.get(key).is_none_or(|value| !values.contains(value)),
            Self::Exists(key) => labels.contains_key(key),
            Self::Absent(key) => !labels.contains_key(key),
            Self::Above(key, least) => number(labels, key).is_some_and(|found| found > *least),
            Self::Below(key, most) => number(labels, key).is_some_and(|found| found < *most),
        }
    }
}

fn number(labels: &BTreeMap<String, String>, key: &str) -> Option<i64> {
    labels.get(key)?.parse().ok()
}

fn text(requirements: &[Requirement]) -> String {
    let parts: Vec<String> = requirements
        .iter()
        .map(|requirement| match requirement {
            Requirement::In(key, values) if values.len() == 1 => format!("{key}={}", values[0]),
            Requirement::In(key, values) => format!("{key} in ({})", values.join(",")),
            Requirement::NotIn(key, values) => format!("{key} notin ({})", values.join(",")),
            Requirement::Exists(key) => key.clone(),
            Requirement::Absent(key) => format!("!{key}"),
            Requirement::Above(key, least) => format!("{key}>{least}"),
            Requirement::Below(key, most) => format!("{key}<{most}"),
        })
        .collect();
    parts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(json: serde_json::Value) -> LabelSelector {
        serde_json::from_value(json).unwrap()
    }

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn text_and_matching_agree_with_the_api() {
        let one = selector(serde_json::json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "env", "operator": "NotIn", "values": ["test"]},
                {"key": "owner", "operator": "Exists"},
                {"key": "old", "operator": "DoesNotExist"},
            ]
        }));
        let filter = LabelFilter::new(Some(&one), None).unwrap();
        assert_eq!(
            filter.queries(),
            [Some(
                "app=web,tier in (a,b),env notin (test),owner,!old".to_owned()
            )]
        );
        assert!(filter.matches(&labels(&[("app", "web"), ("tier", "b"), ("owner", "x")])));
        assert!(!filter.matches(&labels(&[("app", "web"), ("tier", "c"), ("owner", "x")])));
        assert!(!filter.matches(&labels(&[("app", "web"), ("tier", "b")])));
    }

    #[test]
    fn several_selectors_are_a_union_and_exclude_the_single_one() {
        let web = selector(serde_json::json!({"matchLabels": {"app": "web"}}));
        let db = selector(serde_json::json!({"matchLabels": {"app": "db"}}));
        let filter = LabelFilter::new(None, Some(&[web.clone(), db])).unwrap();
        assert!(filter.matches(&labels(&[("app", "db")])) && filter.queries().len() == 2);
        assert!(LabelFilter::new(Some(&web), Some(std::slice::from_ref(&web))).is_err());
    }
}
