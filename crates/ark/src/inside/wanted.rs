//! `deploy/web`: objects by kind and name, as people write them.
//!
//! An archive names kinds by their plurals (`deployments.apps`) and may come from a
//! cluster that is no more, so there is nobody to ask what `deploy` is: the short
//! names of Kubernetes' own kinds are known here, and any other kind by its singular
//! or plural.

use ark_archive::GroupResource;
use ark_engine::select::Glob;

/// Short names of Kubernetes' own kinds, as `kubectl api-resources` lists them.
const SHORT: &[(&str, &str)] = &[
    ("cj", "cronjobs"),
    ("cm", "configmaps"),
    ("crd", "customresourcedefinitions"),
    ("crds", "customresourcedefinitions"),
    ("csr", "certificatesigningrequests"),
    ("deploy", "deployments"),
    ("ds", "daemonsets"),
    ("ep", "endpoints"),
    ("ev", "events"),
    ("hpa", "horizontalpodautoscalers"),
    ("ing", "ingresses"),
    ("limits", "limitranges"),
    ("netpol", "networkpolicies"),
    ("no", "nodes"),
    ("ns", "namespaces"),
    ("pc", "priorityclasses"),
    ("pdb", "poddisruptionbudgets"),
    ("po", "pods"),
    ("pv", "persistentvolumes"),
    ("pvc", "persistentvolumeclaims"),
    ("quota", "resourcequotas"),
    ("rc", "replicationcontrollers"),
    ("rs", "replicasets"),
    ("sa", "serviceaccounts"),
    ("sc", "storageclasses"),
    ("sts", "statefulsets"),
    ("svc", "services"),
];

/// A kind, and names of its objects.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// In lower case, without the group.
    kind: String,
    group: Option<String>,
    name: Option<Glob>,
}

/// Reads `KIND[.GROUP][/NAME]`.
///
/// # Errors
/// What is wrong with it, for the command line.
pub fn wanted(text: &str) -> Result<Wanted, String> {
    let (kind, name) = match text.split_once('/') {
        Some((kind, name)) => (
            kind,
            Some(Glob::parse(name).map_err(|error| error.to_string())?),
        ),
        None => (text, None),
    };
    if kind.is_empty() {
        return Err("write KIND, KIND.GROUP or KIND/NAME".to_owned());
    }
    let kind = kind.to_ascii_lowercase();
    let (kind, group) = match kind.split_once('.') {
        Some((kind, group)) => (kind.to_owned(), Some(group.to_owned())),
        None => (kind, None),
    };
    Ok(Wanted { kind, group, name })
}

impl Wanted {
    /// Whether an object is meant.
    pub fn matches(&self, kind: &GroupResource, name: &str) -> bool {
        self.group.as_ref().is_none_or(|group| *group == kind.group)
            && self.is(&kind.resource)
            && self.name.as_ref().is_none_or(|glob| glob.matches(name))
    }

    /// Whether the plural is that of the kind.
    fn is(&self, plural: &str) -> bool {
        let kind = self.kind.as_str();
        if plural == kind {
            return true;
        }
        if let Some((_, long)) = SHORT.iter().find(|(short, _)| *short == kind) {
            return plural == *long;
        }
        let ends = |stem: &str, end: &str| plural.strip_prefix(stem) == Some(end);
        ends(kind, "s")
            || ends(kind, "es")
            || kind.strip_suffix('y').is_some_and(|stem| ends(stem, "ies"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(text: &str, resource: &str, group: &str) -> bool {
        let kind = GroupResource::new(resource, group).unwrap();
        wanted(text).unwrap().matches(&kind, "web")
    }

    #[test]
    fn kinds_are_known_by_every_name() {
        for text in [
            "deploy",
            "Deployment",
            "deployments",
            "deployment.apps",
            "deploy.apps/web",
        ] {
            assert!(is(text, "deployments", "apps"), "{text}");
        }
        assert!(is("NetworkPolicy", "networkpolicies", "networking.k8s.io"));
        assert!(is("ingress", "ingresses", "networking.k8s.io"));
        assert!(is("svc/w*", "services", ""));
        assert!(is("widgets.example.com", "widgets", "example.com"));
    }

    #[test]
    fn other_kinds_groups_and_names_are_not_meant() {
        assert!(!is("deploy", "daemonsets", "apps"));
        assert!(!is("pod", "podtemplates", ""));
        assert!(!is("deployments.extensions", "deployments", "apps"));
        assert!(!is("deploy/db", "deployments", "apps"));
        assert!(
            !is("po", "pos", "example.com"),
            "a short name is not a plural"
        );
    }

    #[test]
    fn what_is_no_kind_is_refused() {
        for text in ["", "/web", "deploy/", "deploy/a[b"] {
            assert!(wanted(text).is_err(), "{text}");
        }
    }
}
