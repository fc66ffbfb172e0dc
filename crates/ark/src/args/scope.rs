//! Flags that say which objects are meant, shared by backups and restores.

use ark_api::LabelSelector;
use clap::Args;

use super::selector::{AnyOf, any_of, selector};
use super::value;
use crate::error::CommandError;

/// Which objects are meant.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection")]
pub struct ScopeArgs {
    /// Namespaces to include; may hold wildcards
    #[arg(long, value_delimiter = ',', value_name = "NAMES", default_value = "*")]
    pub include_namespaces: Vec<String>,

    /// Namespaces to leave out
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    pub exclude_namespaces: Vec<String>,

    /// Resources to include, such as `pods` or `deployments.apps` [default: all]
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    pub include_resources: Vec<String>,

    /// Resources to leave out
    #[arg(long, value_delimiter = ',', value_name = "RESOURCES")]
    pub exclude_resources: Vec<String>,

    /// Whether cluster-scoped resources are included [default: those that belong to what is included]
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = value::boolean
    )]
    pub include_cluster_resources: Option<bool>,

    /// Only objects with these labels, such as `app=web,tier in (a,b)`
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector)]
    pub selector: Option<LabelSelector>,

    /// Objects that match any of several selectors: `app=web or app=db`
    #[arg(
        long,
        value_name = "SELECTORS",
        value_parser = any_of,
        conflicts_with = "selector"
    )]
    pub or_selector: Option<AnyOf>,
}

impl ScopeArgs {
    /// The alternatives of `--or-selector`.
    pub fn any_of(&self) -> Vec<LabelSelector> {
        self.or_selector
            .as_ref()
            .map(|any| any.0.clone())
            .unwrap_or_default()
    }

    /// Refuses lists that cannot mean anything: the same name on both sides,
    /// or names besides `*`.
    pub fn check(&self) -> Result<(), CommandError> {
        check_pair(
            "namespaces",
            &self.include_namespaces,
            &self.exclude_namespaces,
        )?;
        check_pair(
            "resources",
            &self.include_resources,
            &self.exclude_resources,
        )
    }
}

/// Checks one list of names to include and to leave out.
pub fn check_pair(what: &str, include: &[String], exclude: &[String]) -> Result<(), CommandError> {
    if let Some(name) = include
        .iter()
        .find(|name| *name != "*" && exclude.contains(name))
    {
        let flags = format!("--include-{what} and --exclude-{what}");
        return Err(CommandError::usage(format!("`{name}` is in both {flags}")));
    }
    Ok(())
}
