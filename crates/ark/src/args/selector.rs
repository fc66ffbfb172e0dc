//! Label selectors in the text form of the Kubernetes API:
//! `app=web,tier in (a, b),!legacy`.
//!
//! Equality becomes `matchLabels` and everything else `matchExpressions`, as
//! the Go clients do it, so that both write the same objects.

use ark_api::LabelSelector;
use serde_json::{Map, Value, json};

/// Reads one selector.
pub fn selector(text: &str) -> Result<LabelSelector, String> {
    let mut labels = Map::new();
    let mut expressions = Vec::new();
    for requirement in requirements(text)? {
        match parse(requirement)? {
            (key, "=", values) => {
                let value = values.into_iter().next().unwrap_or_default();
                if labels.insert(key.to_owned(), Value::from(value)).is_some() {
                    return Err(format!("`{key}` is asked for twice in `{text}`"));
                }
            }
            (key, operator @ ("Exists" | "DoesNotExist"), _) => {
                expressions.push(json!({"key": key, "operator": operator}));
            }
            (key, operator, values) => {
                expressions.push(json!({"key": key, "operator": operator, "values": values}));
            }
        }
    }
    if labels.is_empty() && expressions.is_empty() {
        return Err("a selector needs at least one requirement, such as app=web".to_owned());
    }
    let mut selector = Map::new();
    if !labels.is_empty() {
        selector.insert("matchLabels".to_owned(), Value::Object(labels));
    }
    if !expressions.is_empty() {
        selector.insert("matchExpressions".to_owned(), Value::Array(expressions));
    }
    serde_json::from_value(Value::Object(selector)).map_err(|error| error.to_string())
}

/// Several selectors of which one must match: `app=web or app=db`.
#[derive(Debug, Clone, PartialEq)]
pub struct AnyOf(pub Vec<LabelSelector>);

/// Reads selectors joined by ` or `.
pub fn any_of(text: &str) -> Result<AnyOf, String> {
    text.split(" or ")
        .map(|part| selector(part.trim()))
        .collect::<Result<_, _>>()
        .map(AnyOf)
}

/// The text form of a selector, empty for none.
pub fn to_text(selector: &LabelSelector) -> String {
    let mut parts: Vec<String> = selector
        .match_labels
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    for expression in selector.match_expressions.iter().flatten() {
        let (key, values) = (
            &expression.key,
            expression.values.as_deref().unwrap_or_default(),
        );
        parts.push(match expression.operator.as_str() {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        });
    }
    parts.join(",")
}

/// Splits at the commas outside of parentheses.
fn requirements(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '(' if open => return Err(format!("`(` inside of `(` in `{text}`")),
            '(' => open = true,
            ')' if !open => return Err(format!("`)` without `(` in `{text}`")),
            ')' => open = false,
            ',' if !open => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    if open {
        return Err(format!("`(` without `)` in `{text}`"));
    }
    parts.push(text[start..].trim());
    Ok(parts)
}

type Requirement<'a> = (&'a str, &'static str, Vec<String>);

fn parse(text: &str) -> Result<Requirement<'_>, String> {
    if let Some(key) = text.strip_prefix('!') {
        return Ok((valid_key(key.trim(), text)?, "DoesNotExist", Vec::new()));
    }
    if let Some((head, values)) = text.split_once('(') {
        let values = values.strip_suffix(')').ok_or_else(|| malformed(text))?;
        let values = values
            .split(',')
            .map(|value| valid_value(value.trim(), text));
        let values = values.collect::<Result<_, _>>()?;
        let (key, operator) = head
            .trim()
            .split_once(char::is_whitespace)
            .ok_or_else(|| malformed(text))?;
        let operator = match operator.trim() {
            "in" => "In",
            "notin" => "NotIn",
            _ => return Err(malformed(text)),
        };
        return Ok((valid_key(key, text)?, operator, values));
    }
    for (sign, operator) in [("!=", "NotIn"), ("==", "="), ("=", "=")] {
        if let Some((key, value)) = text.split_once(sign) {
            let value = valid_value(value.trim(), text)?;
            return Ok((valid_key(key.trim(), text)?, operator, vec![value]));
        }
    }
    Ok((valid_key(text, text)?, "Exists", Vec::new()))
}

fn valid_key<'a>(key: &'a str, text: &str) -> Result<&'a str, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if key.is_empty() || !key.chars().all(legal) {
        return Err(malformed(text));
    }
    Ok(key)
}

fn valid_value(value: &str, text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if value.len() > 63 || !value.chars().all(legal) {
        return Err(malformed(text));
    }
    Ok(value.to_owned())
}

fn malformed(text: &str) -> String {
    format!("`{text}` is no requirement such as app=web, app!=web, app in (a,b), app or !app")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_written_back() {
        let text = "a=b,c in (d,e),f notin (g),h,!i,j notin (k)";
        let read = selector("a==b, c in (d, e),f notin (g), h, !i, j!=k").unwrap();
        assert_eq!(to_text(&read), text);
        assert_eq!(selector(text).unwrap(), read);
    }

    #[test]
    fn equality_becomes_match_labels() {
        let value = serde_json::to_value(selector("app.kubernetes.io/name=web").unwrap()).unwrap();
        assert_eq!(
            value,
            json!({"matchLabels": {"app.kubernetes.io/name": "web"}})
        );
    }

    #[test]
    fn alternatives_are_split_at_the_word() {
        assert_eq!(any_of("a=b or c=d,e").unwrap().0.len(), 2);
        assert!(any_of("a=b or ").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "a=b,",
            "a=b c",
            "a in b",
            "a in (b",
            "a)b",
            "=b",
            "a=b,a=c",
            "a like (b)",
        ] {
            assert!(selector(text).is_err(), "{text}");
        }
    }
}
