//! What a backup or restore is about: namespaces, kinds, labels. All pure.
//!
//! Lists of includes and excludes follow Velero's rules (`*`, globs, excludes
//! win, an empty include list means everything).

mod glob;
mod label;
mod names;
mod resource;
mod rules;

pub use glob::{Glob, GlobError};
pub use label::{Join, LabelFilter};
pub use names::IncludeExclude;
pub use resource::ResourceFilter;
pub use rules::{KindRules, Selection};
