//! What became of a job's items: warnings, errors, and the phase they make.
//!
//! A phase is computed from these values, never from log lines.

use std::collections::BTreeMap;
use std::fmt;

use ark_archive::{ItemKey, side};

/// Where a problem belongs in the results file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The job itself, no single object.
    Job,
    /// Cluster-scoped objects.
    Cluster,
    /// Objects of one namespace.
    Namespace(String),
}

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; the job can still be complete.
    Warning,
    /// Something selected is missing from the result.
    Error,
}

/// One problem that a job met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How bad.
    pub severity: Severity,
    /// Where.
    pub scope: Scope,
    /// What and why, as a sentence.
    pub message: String,
}

impl Issue {
    /// A problem of the job as a whole.
    pub fn job(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            scope: Scope::Job,
            message: message.into(),
        }
    }

    /// A problem with one object: its key is put before the message.
    pub fn item(severity: Severity, key: &ItemKey, message: impl fmt::Display) -> Self {
        let scope = match &key.namespace {
            Some(namespace) => Scope::Namespace(namespace.clone()),
            None => Scope::Cluster,
        };
        Self {
            severity,
            scope,
            message: format!("{}: {message}", describe(key)),
        }
    }
}

/// `deployments.apps shop/web`: how messages name an object.
pub fn describe(key: &ItemKey) -> String {
    match &key.namespace {
        Some(namespace) => format!("{} {namespace}/{}", key.group_resource, key.name),
        None => format!("{} {}", key.group_resource, key.name),
    }
}

/// All problems of a job.
#[derive(Debug, Clone, Default)]
pub struct Issues(Vec<Issue>);

impl Issues {
    /// Adds one.
    pub fn push(&mut self, issue: Issue) {
        self.0.push(issue);
    }

    /// All, in the order they were met.
    pub fn iter(&self) -> impl Iterator<Item = &Issue> {
        self.0.iter()
    }

    /// How many of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.0
            .iter()
            .filter(|issue| issue.severity == severity)
            .count()
    }

    /// Whether nothing selected is missing.
    pub fn is_complete(&self) -> bool {
        self.count(Severity::Error) == 0
    }

    /// The results file's form.
    pub fn to_results(&self) -> side::Results {
        side::Results {
            errors: self.group(Severity::Error),
            warnings: self.group(Severity::Warning),
        }
    }

    fn group(&self, severity: Severity) -> side::ResultGroup {
        let mut group = side::ResultGroup::default();
        let mut namespaces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for issue in self.0.iter().filter(|issue| issue.severity == severity) {
            let message = issue.message.clone();
            match &issue.scope {
                Scope::Job => group.velero.push(message),
                Scope::Cluster => group.cluster.push(message),
                Scope::Namespace(namespace) => {
                    namespaces
                        .entry(namespace.clone())
                        .or_default()
                        .push(message);
                }
            }
        }
        group.namespaces = namespaces;
        group
    }
}

impl Extend<Issue> for Issues {
    fn extend<T: IntoIterator<Item = Issue>>(&mut self, issues: T) {
        self.0.extend(issues);
    }
}
