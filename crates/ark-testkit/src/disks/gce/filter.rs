//! The part of Google's filter language that is good for labels and names. All else
//! is an error, so that nobody takes an answer to another question for his own.

use serde_json::Value;

use super::super::state::text;

/// What must all be true of a resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter(Vec<Condition>);

#[derive(Debug, PartialEq, Eq)]
enum Condition {
    /// `labels.NAME=VALUE`
    Label(String, String),
    /// `labels.NAME:*`
    HasLabel(String),
    /// `name=VALUE`
    Name(String),
}

impl Filter {
    pub(super) fn all() -> Self {
        Self(Vec::new())
    }

    /// Conditions joined by `AND`; between parentheses `AND` may be left out.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut conditions = Vec::new();
        let mut rest = text.trim();
        let mut is_first = true;
        while !rest.is_empty() {
            let mut is_joined = is_first;
            if let Some(after) = rest.strip_prefix("AND ")
                && !is_first
            {
                is_joined = true;
                rest = after.trim_start();
            }
            let (condition, after) = if let Some(inner) = rest.strip_prefix('(') {
                let (inner, after) = inner.split_once(')')?;
                conditions.extend(Self::parse(inner)?.0);
                is_joined = true;
                (None, after)
            } else {
                let (condition, after) = Condition::parse(rest)?;
                (Some(condition), after)
            };
            if !is_joined {
                return None;
            }
            conditions.extend(condition);
            rest = after.trim_start();
            is_first = false;
        }
        (!is_first).then_some(Self(conditions))
    }

    pub(super) fn matches(&self, document: &Value) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Label(name, value) => {
                document["labels"].get(name).and_then(Value::as_str) == Some(value)
            }
            Condition::HasLabel(name) => document["labels"].get(name).is_some(),
            Condition::Name(name) => text(document, "/name") == name,
        })
    }
}

impl Condition {
    /// The first one in `text`, and what is behind it.
    fn parse(text: &str) -> Option<(Self, &str)> {
        let end = text.find([' ', '=', ':', '(', ')', '!', '<', '>'])?;
        let (field, rest) = text.split_at(end);
        let rest = rest.trim_start();
        let operator = rest.chars().next()?;
        let rest = rest.get(1..)?.trim_start();
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find([' ', ')']).unwrap_or(rest.len())),
        };
        let condition = match (field.strip_prefix("labels."), operator, value) {
            (Some(name), ':', "*") if !name.is_empty() => Self::HasLabel(name.to_owned()),
            (_, _, value) if value.contains(['*', '=', '(', '"']) => return None,
            (Some(name), '=', value) if !name.is_empty() => {
                Self::Label(name.to_owned(), value.to_owned())
            }
            (None, '=', value) if field == "name" => Self::Name(value.to_owned()),
            _ => return None,
        };
        Some((condition, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_names_are_compared() {
        let parsed = Filter::parse("labels.a=b AND (labels.c:*) (name = \"d\")").unwrap();
        assert_eq!(
            parsed.0,
            [
                Condition::Label("a".to_owned(), "b".to_owned()),
                Condition::HasLabel("c".to_owned()),
                Condition::Name("d".to_owned()),
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        for text in [
            "",
            "labels.a",
            "labels.a=b labels.c=d",
            "labels.a=b OR labels.c=d",
            "labels.a!=b",
            "labels.a:b",
            "labels.a=b*",
            "labels.=b",
            "status=READY",
            "(labels.a=b",
            "AND labels.a=b",
        ] {
            assert_eq!(Filter::parse(text), None, "{text}");
        }
    }
}
