//! Making and opening a repository.

use std::sync::Arc;

use ark_engine::port::{Store, StoreErrorKind};
use rustic_core::{
    ConfigOptions, Credentials, FileType, OpenStatus, ReadBackend as _, RepositoryBackends,
    RepositoryOptions, WriteBackend as _,
};

use super::bucket::Bucket;
use super::control::{Bars, Control};
use super::error::FileError;
use super::key::{self, MasterKey, Password};

/// Data in a pack, and directories in a pack. Both stay small however much there is, and
/// below the 40 MiB that a store without uploads in parts takes.
const DATA_PACK: &str = "24 MiB";
const TREE_PACK: &str = "4 MiB";

/// A repository that is open: where it is, and what decrypts it. Cheap to clone; holds
/// nothing open and no memory.
#[derive(Clone)]
pub struct Repository {
    store: Arc<dyn Store>,
    prefix: String,
    master: MasterKey,
}

/// One as the library has it, ready to be asked.
pub(super) type Opened = rustic_core::Repository<OpenStatus>;

impl Repository {
    /// Opens the repository below `prefix` (`restic/shop/`), or makes it. Of several who
    /// make it at the same time one does, and the others open that.
    pub async fn open_or_create(
        store: Arc<dyn Store>,
        prefix: &str,
        password: &Password,
    ) -> Result<Self, FileError> {
        match Self::open(store.clone(), prefix, password).await {
            Err(FileError::NoRepository(_)) => {}
            result => return result,
        }
        match Self::create(store.clone(), prefix, password).await {
            Ok(made) => Ok(made),
            Err(error) => match Self::open(store, prefix, password).await {
                Err(FileError::NoRepository(_)) => Err(error),
                result => result,
            },
        }
    }

    /// Opens the repository below `prefix`.
    pub async fn open(
        store: Arc<dyn Store>,
        prefix: &str,
        password: &Password,
    ) -> Result<Self, FileError> {
        let (prefix, password) = (prefix.to_owned(), password.clone());
        blocking(&Control::default(), move |control| {
            let bucket = || Bucket::new(store.clone(), prefix.clone(), control.cancel.clone());
            if bucket().list(FileType::Config)?.is_empty() {
                return Err(FileError::NoRepository(prefix));
            }
            let keys = bucket().list(FileType::Key)?;
            let credentials = Credentials::password(password.text());
            // Who died while making a repository left a key that opens nothing. It may
            // have this password, too, so each key is tried to the end.
            let mut unfit = None;
            for id in &keys {
                let alone = library(bucket().with_key(*id), &control)?;
                match alone.open(&credentials) {
                    Ok(repository) => {
                        let master = MasterKey(repository.key());
                        let (store, prefix) = (store.clone(), prefix.clone());
                        return Ok(Self {
                            store,
                            prefix,
                            master,
                        });
                    }
                    Err(error) if error.is_incorrect_password() => {}
                    Err(error) => match FileError::from(error) {
                        other @ FileError::Other(_) => unfit = Some(other),
                        serious => return Err(serious),
                    },
                }
            }
            let keys = keys.len();
            Err(unfit.unwrap_or(FileError::WrongPassword { prefix, keys }))
        })
        .await
    }

    /// The same with the master key, without a password.
    pub async fn open_with_master_key(
        store: Arc<dyn Store>,
        prefix: &str,
        master: MasterKey,
    ) -> Result<Self, FileError> {
        let here = Self {
            store,
            prefix: prefix.to_owned(),
            master,
        };
        let tried = here.clone();
        blocking(&Control::default(), move |control| {
            if tried.bucket(&control).list(FileType::Config)?.is_empty() {
                return Err(FileError::NoRepository(tried.prefix));
            }
            tried.open_now(&control).map(|_| ())
        })
        .await?;
        Ok(here)
    }

    async fn create(
        store: Arc<dyn Store>,
        prefix: &str,
        password: &Password,
    ) -> Result<Self, FileError> {
        let (prefix, password) = (prefix.to_owned(), password.clone());
        blocking(&Control::default(), move |control| {
            let bucket = || Bucket::new(store.clone(), prefix.clone(), control.cancel.clone());
            let credentials = Credentials::password(password.text());
            let before = bucket().list(FileType::Key)?;
            let new = library(bucket(), &control)?;
            let made = new.init(&credentials, &key::options(), &config()?);
            let error = match made {
                Ok(repository) => {
                    let master = MasterKey(repository.key());
                    return Ok(Self {
                        store,
                        prefix,
                        master,
                    });
                }
                Err(error) => FileError::from(error),
            };
            if matches!(&error, FileError::Store(error) if error.kind == StoreErrorKind::AlreadyExists)
            {
                // Somebody else was first, and our key is of no use to anybody.
                for id in bucket().list(FileType::Key)? {
                    let alone = library(bucket().with_key(id), &control)?;
                    if !before.contains(&id) && alone.open(&credentials).is_err() {
                        bucket().remove(FileType::Key, &id, false)?;
                    }
                }
            }
            Err(error)
        })
        .await
    }

    /// What decrypts this repository.
    pub fn master_key(&self) -> &MasterKey {
        &self.master
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn bucket(&self, control: &Control) -> Arc<Bucket> {
        let bucket = Bucket::new(self.store(), self.prefix.clone(), control.cancel.clone());
        Arc::new(bucket)
    }

    /// Opens it as the library has it; blocks.
    pub(super) fn open_now(&self, control: &Control) -> Result<(Arc<Bucket>, Opened), FileError> {
        let bucket = self.bucket(control);
        let credentials = Credentials::Masterkey(self.master.0.clone());
        let opened = library(bucket.clone(), control)?.open(&credentials)?;
        Ok((bucket, opened))
    }
}

/// How a repository of ours is made.
fn config() -> Result<ConfigOptions, FileError> {
    let size = |text: &str| FileError::Other(format!("`{text}` is no size"));
    let mut options = ConfigOptions::default();
    options.set_datapack_size = Some(DATA_PACK.parse().map_err(|_| size(DATA_PACK))?);
    options.set_treepack_size = Some(TREE_PACK.parse().map_err(|_| size(TREE_PACK))?);
    options.set_datapack_growfactor = Some(0);
    options.set_treepack_growfactor = Some(0);
    Ok(options)
}

fn library(
    bucket: impl Into<Arc<Bucket>>,
    control: &Control,
) -> Result<rustic_core::Repository<()>, FileError> {
    let options = RepositoryOptions::default().no_cache(true);
    let backends = RepositoryBackends::new(bucket.into(), None);
    let bars = Bars(control.progress.clone());
    Ok(rustic_core::Repository::new_with_progress(
        &options, &backends, bars,
    )?)
}

/// Runs work that blocks on a thread for that; when this future is dropped, it is told
/// to stop.
pub(super) async fn blocking<T: Send + 'static>(
    control: &Control,
    work: impl FnOnce(Control) -> Result<T, FileError> + Send + 'static,
) -> Result<T, FileError> {
    let control = Control {
        cancel: control.cancel.child_token(),
        progress: control.progress.clone(),
    };
    let dropped = control.cancel.clone().drop_guard();
    let result = tokio::task::spawn_blocking(move || work(control)).await;
    dropped.disarm();
    result.unwrap_or_else(|error| {
        let panic = error.try_into_panic().ok();
        let said = panic.as_ref().and_then(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            text.or_else(|| panic.downcast_ref::<&str>().copied())
        });
        Err(FileError::Damaged(format!(
            "what is in it cannot be understood: {}",
            said.unwrap_or("no reason given")
        )))
    })
}
