//! A pair of lists: what is in, what is out.

use super::glob::Glob;

/// Includes and excludes over names. Excludes win; no includes means all.
#[derive(Debug, Clone, Default)]
pub struct IncludeExclude {
    includes: Vec<Glob>,
    excludes: Vec<Glob>,
}

impl IncludeExclude {
    /// Reads both lists; on failure says everything that is wrong with them.
    pub fn new(includes: &[String], excludes: &[String]) -> Result<Self, Vec<String>> {
        let mut problems = Vec::new();
        let mut parse = |names: &[String]| -> Vec<Glob> {
            names
                .iter()
                .filter_map(|name| match Glob::parse(name.trim()) {
                    Ok(glob) => Some(glob),
                    Err(error) => {
                        problems.push(error.to_string());
                        None
                    }
                })
                .collect()
        };
        let (wanted, unwanted) = (parse(includes), parse(excludes));
        if includes.len() > 1 && includes.iter().any(|name| name == "*") {
            problems.push(
                "the list of includes has `*` beside other names: use one or the other".to_owned(),
            );
        }
        if excludes.iter().any(|name| name == "*") {
            problems.push("the list of excludes has `*`, which would leave nothing".to_owned());
        }
        for name in excludes.iter().filter(|name| includes.contains(name)) {
            problems.push(format!("`{name}` is both included and excluded"));
        }
        if problems.is_empty() {
            Ok(Self {
                includes: wanted,
                excludes: unwanted,
            })
        } else {
            Err(problems)
        }
    }

    /// Lists that are already patterns, for callers that resolve names first.
    pub(super) fn from_globs(includes: Vec<Glob>, excludes: Vec<Glob>) -> Self {
        Self { includes, excludes }
    }

    /// Whether `name` is in.
    pub fn allows(&self, name: &str) -> bool {
        !self.excludes(name) && self.includes(name)
    }

    /// Whether `name` is among the includes, whatever the excludes say.
    pub fn includes(&self, name: &str) -> bool {
        self.includes.is_empty() || self.includes.iter().any(|glob| glob.matches(name))
    }

    /// Whether `name` is explicitly out.
    pub fn excludes(&self, name: &str) -> bool {
        self.excludes.iter().any(|glob| glob.matches(name))
    }

    /// Whether nothing is left out.
    pub fn is_everything(&self) -> bool {
        self.includes_all() && self.excludes.is_empty()
    }

    /// Whether the include list is empty or `*`.
    pub fn includes_all(&self) -> bool {
        self.includes.iter().all(|glob| matches!(glob, Glob::Any))
    }

    /// The included names that are no patterns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.includes.iter().filter_map(Glob::literal)
    }

    /// Whether `name` is among the includes as it is, not by a pattern.
    pub fn includes_name(&self, name: &str) -> bool {
        self.names().any(|one| one == name)
    }

    /// The included patterns with wildcards, as written; `*` alone is none.
    pub fn patterns(&self) -> impl Iterator<Item = &Glob> {
        self.includes
            .iter()
            .filter(|glob| matches!(glob, Glob::Pattern(..)))
    }

    /// The excluded patterns with wildcards, as written.
    pub fn excluded_patterns(&self) -> impl Iterator<Item = &Glob> {
        self.excludes
            .iter()
            .filter(|glob| matches!(glob, Glob::Pattern(..)))
    }

    /// Adds a name to the excludes.
    pub fn exclude(&mut self, name: &str) {
        self.excludes.push(Glob::Literal(name.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lists(includes: &[&str], excludes: &[&str]) -> Result<IncludeExclude, Vec<String>> {
        let own = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        IncludeExclude::new(&own(includes), &own(excludes))
    }

    #[test]
    fn excludes_win_and_empty_means_all() {
        let filter = lists(&[], &["kube-*"]).unwrap();
        assert!(filter.allows("shop") && !filter.allows("kube-system"));
        assert!(!filter.is_everything() && filter.includes_all());
        assert!(lists(&["*"], &[]).unwrap().is_everything());
        assert!(!lists(&["shop"], &[]).unwrap().allows("bank"));
    }

    #[test]
    fn every_problem_is_said_at_once() {
        let problems = lists(&["*", "a", "{x}"], &["*", "a"]).unwrap_err();
        assert_eq!(problems.len(), 5, "{problems:?}");
    }
}
