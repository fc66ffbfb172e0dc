//! Names with `*`, `?` and `[…]`.

use regex::Regex;

/// A pattern for one name.
#[derive(Debug, Clone)]
pub enum Glob {
    /// Matches everything.
    Any,
    /// Matches itself.
    Literal(String),
    /// Matches by wildcards.
    Pattern(String, Regex),
}

/// A pattern that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// A form that other globs know and this one does not.
    #[error("`{pattern}` uses `{part}`: only `*`, `?` and `[…]` are wildcards here")]
    Unsupported {
        /// The whole pattern.
        pattern: String,
        /// What is not supported.
        part: &'static str,
    },
    /// Brackets that do not close or hold nothing.
    #[error("`{0}` has an unfinished `[…]`")]
    Brackets(String),
    /// Nothing at all.
    #[error("an empty name")]
    Empty,
}

const UNSUPPORTED: &[&str] = &["**", "|", "(", ")", "!", "{", "}", ","];

impl Glob {
    /// Reads a pattern. The accepted forms are those of Velero's namespace lists.
    pub fn parse(pattern: &str) -> Result<Self, GlobError> {
        if pattern.is_empty() {
            return Err(GlobError::Empty);
        }
        if pattern == "*" {
            return Ok(Self::Any);
        }
        if let Some(part) = UNSUPPORTED.iter().find(|part| pattern.contains(**part)) {
            return Err(GlobError::Unsupported {
                pattern: pattern.to_owned(),
                part,
            });
        }
        if !pattern.contains(['*', '?', '[', ']']) {
            return Ok(Self::Literal(pattern.to_owned()));
        }
        let regex = to_regex(pattern).ok_or_else(|| GlobError::Brackets(pattern.to_owned()))?;
        Ok(Self::Pattern(pattern.to_owned(), regex))
    }

    /// Whether `name` is meant.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(literal) => literal == name,
            Self::Pattern(_, regex) => regex.is_match(name),
        }
    }

    /// The name itself, where the pattern is one.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Any | Self::Pattern(..) => None,
        }
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Literal(text) | Self::Pattern(text, _) => text,
        }
    }
}

fn to_regex(pattern: &str) -> Option<Regex> {
    let mut out = String::from("^");
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => {
                let inside: String = rest.by_ref().take_while(|c| *c != ']').collect();
                if inside.is_empty() || !pattern.contains(']') {
                    return None;
                }
                out.push('[');
                for c in inside.chars() {
                    if !c.is_alphanumeric() && c != '-' {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push(']');
            }
            ']' => return None,
            other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    out.push('$');
    Regex::new(&out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_like_a_shell() {
        let yes = [
            ("team-*", "team-a"),
            ("t?", "tb"),
            ("app-[a-c]1", "app-b1"),
            ("*", "any"),
        ];
        let no = [
            ("team-*", "xteam-a"),
            ("t?", "t"),
            ("app-[a-c]1", "app-d1"),
            ("a.b", "axb"),
        ];
        for (pattern, name) in yes {
            assert!(
                Glob::parse(pattern).unwrap().matches(name),
                "{pattern} {name}"
            );
        }
        for (pattern, name) in no {
            assert!(
                !Glob::parse(pattern).unwrap().matches(name),
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn foreign_forms_are_refused() {
        for pattern in ["**", "{a,b}", "a|b", "!a", "a,b", "[", "a]", "[]", ""] {
            assert!(Glob::parse(pattern).is_err(), "{pattern}");
        }
    }
}
