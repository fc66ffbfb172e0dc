//! Flags that say which existing objects a verb is about.

use ark_api::LabelSelector;
use clap::Args;
use clap_complete::ArgValueCandidates;

use super::selector::{selector, to_text};
use crate::live;

/// Names, all, or a selector: for verbs that change things.
#[derive(Debug, Clone, Default, Args)]
#[group(id = "which", required = true, multiple = false)]
pub struct WhichArgs {
    /// Names
    #[arg(add = ArgValueCandidates::new(live::names))]
    pub names: Vec<String>,

    /// All there are
    #[arg(long)]
    pub all: bool,

    /// Those with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector)]
    selector: Option<LabelSelector>,
}

/// Names or a selector, else all: for verbs that only look.
#[derive(Debug, Clone, Default, Args)]
#[group(multiple = false)]
pub struct LookArgs {
    /// Names [default: all]
    #[arg(add = ArgValueCandidates::new(live::names))]
    pub names: Vec<String>,

    /// Those with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = selector)]
    selector: Option<LabelSelector>,
}

impl WhichArgs {
    /// The selector in the API's text form.
    pub fn selector(&self) -> Option<String> {
        self.selector.as_ref().map(to_text)
    }
}

impl LookArgs {
    /// The selector in the API's text form.
    pub fn selector(&self) -> Option<String> {
        self.selector.as_ref().map(to_text)
    }
}
