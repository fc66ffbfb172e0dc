//! The environment variables that the command line reads, each in one place.
//!
//! Nothing else in this crate may ask the environment; what is found here is
//! passed on as values. `KUBECONFIG` and the credentials of object stores are
//! read by the libraries that own them.

use std::path::PathBuf;

/// Namespace of the server's resources, when neither a flag nor the client
/// configuration names one.
pub const ARK_NAMESPACE: &str = "ARK_NAMESPACE";
/// Read when [`ARK_NAMESPACE`] is not set, for scripts made for Velero.
pub const VELERO_NAMESPACE: &str = "VELERO_NAMESPACE";
/// Any value but the empty one turns colour off (<https://no-color.org>).
pub const NO_COLOR: &str = "NO_COLOR";
/// Name of the shell that asks what can follow; set by the scripts of
/// `ark completion`.
pub const ARK_COMPLETE: &str = "ARK_COMPLETE";
/// `dumb` turns colour off.
pub const TERM: &str = "TERM";
/// What the server logs: `info`, `debug`, `ark_server=trace,info`.
pub const ARK_LOG: &str = "ARK_LOG";
/// Directory of configuration files; `~/.config` when unset.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// Directory in which archives without an index are unpacked; the system's for
/// temporary files when unset.
pub const ARK_SCRATCH_DIR: &str = "ARK_SCRATCH_DIR";
/// The home directory.
pub const HOME: &str = "HOME";

/// What the environment says, read once at the start.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// [`ARK_NAMESPACE`], else [`VELERO_NAMESPACE`].
    pub namespace: Option<String>,
    /// Whether [`NO_COLOR`] or [`TERM`] forbids colour.
    pub no_color: bool,
    /// [`ARK_LOG`].
    pub log: Option<String>,
    /// [`ARK_SCRATCH_DIR`].
    pub scratch_dir: Option<PathBuf>,
    /// [`XDG_CONFIG_HOME`], else `.config` in [`HOME`].
    pub config_home: Option<PathBuf>,
}

impl Environment {
    /// Reads the process's environment.
    pub fn read() -> Self {
        Self::from_lookup(lookup)
    }

    /// Reads from `lookup`, which answers nothing for unset and empty variables.
    fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            namespace: lookup(ARK_NAMESPACE).or_else(|| lookup(VELERO_NAMESPACE)),
            no_color: lookup(NO_COLOR).is_some() || lookup(TERM).is_some_and(|term| term == "dumb"),
            log: lookup(ARK_LOG),
            scratch_dir: lookup(ARK_SCRATCH_DIR).map(PathBuf::from),
            config_home: lookup(XDG_CONFIG_HOME)
                .map(PathBuf::from)
                .or_else(|| lookup(HOME).map(|home| PathBuf::from(home).join(".config"))),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the environment enters"
)]
fn lookup(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Environment {
        Environment::from_lookup(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn our_namespace_wins_over_veleros() {
        let both = of(&[(ARK_NAMESPACE, "a"), (VELERO_NAMESPACE, "v")]);
        assert_eq!(both.namespace.as_deref(), Some("a"));
        assert_eq!(
            of(&[(VELERO_NAMESPACE, "v")]).namespace.as_deref(),
            Some("v")
        );
        assert_eq!(of(&[]).namespace, None);
    }

    #[test]
    fn configuration_lies_below_home_unless_said_otherwise() {
        assert_eq!(
            of(&[(HOME, "/h")]).config_home,
            Some(PathBuf::from("/h/.config"))
        );
        let both = of(&[(HOME, "/h"), (XDG_CONFIG_HOME, "/x")]);
        assert_eq!(both.config_home, Some(PathBuf::from("/x")));
    }

    #[test]
    fn colour_is_forbidden_by_either_variable() {
        assert!(of(&[(NO_COLOR, "1")]).no_color);
        assert!(of(&[(TERM, "dumb")]).no_color);
        assert!(!of(&[(TERM, "xterm")]).no_color);
    }
}
