//! Flags that every command takes, and what they mean together with the
//! client configuration and the environment.
//!
//! Values of single flags are parsed in [`value`] and [`selector`].

pub mod answer;
pub mod backup;
pub mod foreign;
pub mod klog;
pub mod output;
pub mod scope;
pub mod selector;
pub mod switch;
pub mod value;
pub mod wait;
pub mod which;

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::config::{self, ClientConfig};
use crate::env::Environment;

/// Namespace of the server and its resources unless something says otherwise.
pub const DEFAULT_NAMESPACE: &str = "heptio-ark";

/// When to colour output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Kubeconfig file [default: the files in KUBECONFIG, else ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Context in the kubeconfig [default: its current one]
    #[arg(long, alias = "kubecontext", global = true, value_name = "NAME")]
    pub context: Option<String>,

    /// Namespace of the Ark server [default: client configuration, `ARK_NAMESPACE`, heptio-ark]
    #[arg(short, long, global = true, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Features to switch on besides those of the client configuration
    #[arg(long, global = true, value_delimiter = ',', value_name = "NAMES")]
    pub features: Vec<String>,

    /// When to colour output
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "always",
        hide_possible_values = true,
        help = "When to colour output: auto, always or never [default: auto]"
    )]
    pub color: Option<ColorWhen>,

    /// Never colour output
    #[arg(long, global = true, conflicts_with = "color")]
    pub no_color: bool,

    /// Whether to colour output, as Velero spells it.
    #[arg(
        long,
        global = true,
        hide = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = value::boolean,
        conflicts_with_all = ["color", "no_color"]
    )]
    pub colorized: Option<bool>,

    /// Flags that are taken and do nothing.
    #[command(flatten)]
    pub klog: klog::KlogArgs,
}

impl GlobalArgs {
    /// The server's namespace: flag, client configuration, environment, default.
    pub fn namespace(&self, config: &ClientConfig, environment: &Environment) -> String {
        self.namespace
            .clone()
            .or_else(|| {
                config
                    .get(config::NAMESPACE)
                    .filter(|name| !name.is_empty())
            })
            .or_else(|| environment.namespace.clone())
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())
    }

    /// Features of the flag and of the client configuration, each once, in order.
    pub fn features(&self, config: &ClientConfig) -> Vec<String> {
        let configured = config.get(config::FEATURES).unwrap_or_default();
        let mut features: Vec<String> = Vec::new();
        for name in configured
            .split(',')
            .map(str::trim)
            .chain(self.features.iter().map(|n| n.trim()))
        {
            if !name.is_empty() && !features.iter().any(|known| known == name) {
                features.push(name.to_owned());
            }
        }
        features
    }

    /// When to colour output. `NO_COLOR` gives way to an explicit flag only.
    pub fn color(&self, config: &ClientConfig, environment: &Environment) -> ColorWhen {
        if self.no_color || self.colorized == Some(false) {
            return ColorWhen::Never;
        }
        if let Some(color) = self.color {
            return color;
        }
        if environment.no_color || config.get(config::COLORIZED).as_deref() == Some("false") {
            return ColorWhen::Never;
        }
        ColorWhen::Auto
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(key: &str, value: &str) -> ClientConfig {
        let mut config = ClientConfig::default();
        config.set(key, value);
        config
    }

    #[test]
    fn the_namespace_comes_from_flag_then_file_then_environment() {
        let flag = GlobalArgs {
            namespace: Some("flag".to_owned()),
            ..GlobalArgs::default()
        };
        let none = GlobalArgs::default();
        let file = config(config::NAMESPACE, "file");
        let empty = ClientConfig::default();
        let environment = Environment {
            namespace: Some("env".to_owned()),
            ..Environment::default()
        };
        assert_eq!(flag.namespace(&file, &environment), "flag");
        assert_eq!(none.namespace(&file, &environment), "file");
        assert_eq!(none.namespace(&empty, &environment), "env");
        assert_eq!(
            none.namespace(&empty, &Environment::default()),
            "heptio-ark"
        );
    }

    #[test]
    fn features_of_file_and_flag_add_up() {
        let flags = GlobalArgs {
            features: vec!["B".into(), "C".into()],
            ..GlobalArgs::default()
        };
        assert_eq!(
            flags.features(&config(config::FEATURES, "A, B")),
            ["A", "B", "C"]
        );
    }

    #[test]
    fn an_explicit_flag_beats_no_color() {
        let forbidden = Environment {
            no_color: true,
            ..Environment::default()
        };
        let empty = ClientConfig::default();
        let always = GlobalArgs {
            color: Some(ColorWhen::Always),
            ..GlobalArgs::default()
        };
        assert_eq!(always.color(&empty, &forbidden), ColorWhen::Always);
        assert_eq!(
            GlobalArgs::default().color(&empty, &forbidden),
            ColorWhen::Never
        );
        assert_eq!(
            GlobalArgs::default().color(&empty, &Environment::default()),
            ColorWhen::Auto
        );
    }
}
