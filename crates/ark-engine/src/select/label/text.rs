//! Selectors in the text form of the Kubernetes API, as `kubectl get -l` takes
//! them: `app=web,tier in (a, b),!old,weight>3`.

use super::Requirement;

/// Longest name of a label, and longest value, in bytes.
const LONGEST: usize = 63;
/// Longest prefix of a key, in bytes.
const LONGEST_PREFIX: usize = 253;

/// Reads one selector; all of its requirements must be met.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    if text.trim().is_empty() {
        return Err("an empty label selector, which would match everything".to_owned());
    }
    parts(text)?.into_iter().map(requirement).collect()
}

/// Splits at the commas outside of parentheses.
fn parts(text: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, false);
    for (at, character) in text.char_indices() {
        match character {
            '(' | ')' if open == (character == '(') => {
                return Err(format!(
                    "label selector `{text}`: `{character}` is out of place"
                ));
            }
            '(' | ')' => open = !open,
            ',' if !open => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if open {
        return Err(format!("label selector `{text}`: `(` is never closed"));
    }
    parts.push(&text[start..]);
    Ok(parts)
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let part = part.trim();
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement::Absent(key_of(key, part)?));
    }
    if let Some((head, values)) = part.split_once('(') {
        return set(head, values, part);
    }
    let Some(at) = part.find(['=', '!', '<', '>']) else {
        return Ok(Requirement::Exists(key_of(part, part)?));
    };
    let key = key_of(&part[..at], part)?;
    let rest = &part[at..];
    for sign in ["!=", "==", "=", ">", "<"] {
        let Some(value) = rest.strip_prefix(sign) else {
            continue;
        };
        let value = value_of(value, part)?;
        return match sign {
            "!=" => Ok(Requirement::NotIn(key, vec![value])),
            ">" => Ok(Requirement::Above(key, whole(&value, part)?)),
            "<" => Ok(Requirement::Below(key, whole(&value, part)?)),
            _ => Ok(Requirement::In(key, vec![value])),
        };
    }
    Err(malformed(part))
}

/// `KEY in (A,B)` and `KEY notin (A,B)`.
fn set(head: &str, values: &str, part: &str) -> Result<Requirement, String> {
    let words: Vec<&str> = head.split_whitespace().collect();
    let (&[key, operator], Some(values)) = (words.as_slice(), values.strip_suffix(')')) else {
        return Err(malformed(part));
    };
    let key = key_of(key, part)?;
    let values = values.split(',').map(|value| value_of(value, part));
    let values = values.collect::<Result<_, _>>()?;
    match operator {
        "in" => Ok(Requirement::In(key, values)),
        "notin" => Ok(Requirement::NotIn(key, values)),
        _ => Err(malformed(part)),
    }
}

fn key_of(text: &str, part: &str) -> Result<String, String> {
    let key = text.trim();
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if !is_name(name) || !prefix.is_none_or(is_prefix) {
        return Err(malformed(part));
    }
    Ok(key.to_owned())
}

fn value_of(text: &str, part: &str) -> Result<String, String> {
    let value = text.trim();
    if !value.is_empty() && !is_name(value) {
        return Err(malformed(part));
    }
    Ok(value.to_owned())
}

fn whole(value: &str, part: &str) -> Result<i64, String> {
    let not_whole = |_| format!("label selector: `{part}` needs a whole number");
    value.parse().map_err(not_whole)
}

/// Whether it may be a label's name, or its value.
fn is_name(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    text.len() <= LONGEST
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(|c| ends(c) || "-_.".contains(c))
}

/// Whether it may stand before the `/` of a key (an RFC 1123 subdomain).
fn is_prefix(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_label = |label: &str| {
        label.starts_with(ends)
            && label.ends_with(ends)
            && label.chars().all(|c| ends(c) || c == '-')
    };
    text.len() <= LONGEST_PREFIX && text.split('.').all(is_label)
}

fn malformed(part: &str) -> String {
    format!(
        "label selector: `{part}` is no requirement; those are such as app=web, app!=web, \
         app in (a,b), app notin (a,b), app, !app, weight>1 and weight<9"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Join, LabelFilter};

    fn filter(texts: &[&str], join: Join) -> Result<LabelFilter, Vec<String>> {
        let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
        LabelFilter::read(&texts, join)
    }

    fn matches(selector: &str, labels: &str) -> bool {
        let pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
        let labels = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let labels: BTreeMap<_, _> = labels.collect();
        filter(&[selector], Join::Any).unwrap().matches(&labels)
    }

    #[test]
    fn every_form_decides_as_kubectl_does() {
        for (selector, yes, no) in [
            ("app=web", "app=web,x=y", "app=db"),
            (" app == web ", "app=web", ""),
            ("app!=web", "app=db", "app=web"),
            ("app != web", "", "app=web"),
            ("app in (web, db)", "app=db", "app=x"),
            ("app in(web)", "app=web", ""),
            ("app notin (web,db)", "", "app=db"),
            ("app", "app=", "x=y"),
            ("!app", "x=y", "app="),
            ("! app", "x=y", "app="),
            ("app=", "app=", "app=web"),
            ("app in ()", "app=", "app=web"),
            ("in in (in,notin)", "in=notin", "in=web"),
            ("weight>3", "weight=4", "weight=3"),
            ("weight < 3", "weight=2", "weight=two"),
            ("weight<3", "weight=-1", ""),
            (
                "kubernetes.io/os=linux,tier in (a,b),!old",
                "kubernetes.io/os=linux,tier=a",
                "kubernetes.io/os=linux,tier=a,old=",
            ),
        ] {
            assert!(matches(selector, yes), "{selector} of {yes}");
            assert!(!matches(selector, no), "{selector} of {no}");
        }
    }

    #[test]
    fn selectors_are_joined_by_either_word() {
        let labels = BTreeMap::from([("a".to_owned(), "1".to_owned())]);
        for (join, expected) in [(Join::Any, true), (Join::All, false)] {
            let filter = filter(&["a=1", "b"], join).unwrap();
            assert_eq!(filter.matches(&labels), expected);
        }
        assert!(filter(&["a=1", "!b"], Join::All).unwrap().matches(&labels));
    }

    #[test]
    fn what_the_api_would_not_take_is_refused() {
        let long = "x".repeat(64);
        for selector in [
            "",
            " ",
            ",",
            "a,",
            ",a",
            "a=b c",
            "a in b",
            "a in (b",
            "a in b)",
            "a)b",
            "a((b))",
            "=b",
            "a=b=c",
            "a=!b",
            "!a=b",
            "a like (b)",
            "a b in (c)",
            "a in (b) c",
            "a>",
            "a>b",
            "a>-1",
            "-a=b",
            "a-=b",
            "a=-b",
            "a=b.",
            "a/b/c=d",
            "/a=b",
            "A.b/c=d",
            "a..b/c",
            "a&b",
            &long,
            &format!("a={long}"),
            &format!("a in ({long})"),
        ] {
            assert!(filter(&[selector], Join::Any).is_err(), "{selector}");
        }
        assert_eq!(filter(&["", "a b"], Join::All).unwrap_err().len(), 2);
    }
}
