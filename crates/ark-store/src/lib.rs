//! Object storage behind [`ark_engine::port::Store`]: a directory, S3 with
//! everything that speaks its protocol, Google Cloud Storage, and Azure Blob Storage.
//!
//! Nobody outside this crate names `opendal`; its breaking releases stay in here.
//! This crate does not read the environment (the credential chain of the S3 client
//! does, where a location asks for ambient credentials), prints nothing and knows
//! nothing of Kubernetes.
//!
//! | file | concern |
//! |---|---|
//! | [`location`] | what a location is: plain values, names of buckets, prefixes |
//! | [`mod@open`] | a location or a URL → a store |
//! | [`tuning`] | sizes of parts, retries, timeouts |
//! | `key` | which keys are allowed, for every backend |
//! | `tls` | the HTTP client of a location |
//! | `transport` | `Retry-After`, certificate errors |
//! | `client` | limits of time and repetitions around every client |
//! | `s3`, `s3::settings` | S3: client, config keys; who we are is in [`ark_cloud::aws`] |
//! | `gcs`, `gcs::…` | Google Cloud Storage: the same, and its transport |
//! | `azure`, `azure::…` | Azure Blob Storage: the same |
//! | `signing` | URLs that let others read one object |
//! | `remote` | the trait over a remote bucket |
//! | `upload` | objects of unknown length in bounded memory |
//! | `gate` | giving up an upload while the server takes its time |
//! | `mark` | telling one's own write from another's after a lost answer |
//! | `missing` | a bucket that is not there, told from an object that is not |
//! | [`fetch`](fetch()) | what a signed URL names → bytes |
//! | `classify` | a client error → what can be done about it |
//! | `fs`, `fs::walk`, `fs::write` | the trait over a directory |
//! | [`heptio`] | the layout of Heptio Ark 0.3 to 0.9, seen in today's |
//! | [`probe`] | whether a bucket holds backups and nothing else |
//! | `capability` | what a store can do, found out by trying |
//! | `careful` | ways around what it lacks |
//! | `conformance` | what every backend must do, as functions (feature `conformance`) |

mod azure;
mod capability;
mod careful;
mod classify;
mod client;
#[cfg(feature = "conformance")]
pub mod conformance;
mod fetch;
mod fs;
mod gate;
mod gcs;
pub mod heptio;
mod key;
pub mod location;
mod mark;
mod missing;
pub mod open;
pub mod probe;
mod remote;
mod s3;
mod signing;
mod tls;
mod transport;
pub mod tuning;
mod upload;

pub use ark_cloud::Credentials;
pub use capability::{Lack, Tried, TryError, open_tried};
pub use fetch::{FetchError, FetchOptions, Fetching, begin, fetch};
pub use location::Location;
pub use open::{OpenError, open, open_url};
pub use probe::{LayoutError, check_layout};
pub use tls::install_tls;
pub use tuning::Tuning;
