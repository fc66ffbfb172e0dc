//! Who Ark is to the clouds: credentials as users have them, and the HTTP client that
//! they are used with. Object storage (`ark-store`) and snapshots of disks
//! (`ark-volume`) share it, so that one credentials file works for both.
//!
//! Nothing here knows of buckets, disks or Kubernetes.
//!
//! | file | concern |
//! |---|---|
//! | [`config`] | config keys of a location and their forms |
//! | [`credentials`] | what a location may say of credentials, and its file's text |
//! | [`tls`] | the one crypto provider, roots, the HTTP client |
//! | [`http`] | requests of the credentials' own: token services, metadata servers |
//! | [`gcp`] | credentials of Google |
//! | [`aws`] | credentials of AWS, and other addresses for its services |
//! | [`azure`] | credentials and tokens of Azure, and its clouds |

pub mod aws;
pub mod azure;
pub mod config;
pub mod credentials;
pub mod gcp;
pub mod http;
pub mod tls;

pub use config::{Config, ConfigError};
pub use credentials::Credentials;
pub use tls::install_tls;
