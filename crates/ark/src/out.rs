//! What people and programs see: the only module that writes to a terminal.
//!
//! Standard output is data ([`printer`]), standard error is talk ([`talk`]).

pub mod describe;
pub mod document;
pub mod human;
pub mod printer;
pub mod progress;
pub mod style;
pub mod table;
pub mod talk;
pub mod warnings;
