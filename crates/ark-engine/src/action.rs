//! What Ark knows of single kinds: one file an action, each a pure function of
//! one object.

pub mod backup;
pub mod restore;
