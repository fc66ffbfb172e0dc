//! Who we are to Azure: the credentials file, the clouds, tokens for Azure's management.

mod certificate;
mod file;
mod place;
mod token;

pub use file::File;
pub use place::{Place, place};
pub use token::{Owner, TokenError, Tokens, answer};
