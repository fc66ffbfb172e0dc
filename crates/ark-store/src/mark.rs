//! Telling one's own write from another's.
//!
//! A conditional create whose answer got lost is sent again and then refused,
//! because the object exists: one's own. The same holds for the call that completes
//! an upload, which is refused when it was carried out before. So each write carries
//! a random mark in the object's user metadata (`x-amz-meta-arkwrite`), and a
//! refused one is settled by reading the mark of the object that is there. Equal
//! size or content would not do: another writer may have written the same bytes, and
//! then this one must lose.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use ark_engine::port::{PutMode, StoreError, StoreErrorKind};
use opendal::options::{StatOptions, WriteOptions};
use opendal::{Error, ErrorKind, Metadata, Operator};

use crate::classify::classify;
use crate::missing::bucket_error;

/// Azure takes names of variables alone.
const METADATA_KEY: &str = "arkwrite";

/// A random name for one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl Mark {
    /// 128 bits from the operating system's randomness, which keys the hashers.
    pub(crate) fn new() -> Self {
        let [high, low] =
            [RandomState::new(), RandomState::new()].map(|keys| keys.hash_one(METADATA_KEY));
        Self(format!("{high:016x}{low:016x}"))
    }

    /// Options of the write: condition and mark.
    pub(crate) fn options(&self, mode: PutMode) -> WriteOptions {
        WriteOptions {
            if_not_exists: mode == PutMode::Create,
            user_metadata: Some(HashMap::from([(METADATA_KEY.to_owned(), self.0.clone())])),
            ..WriteOptions::default()
        }
    }

    fn is_on(&self, object: &Metadata) -> bool {
        object
            .user_metadata()
            .and_then(|metadata| metadata.get(METADATA_KEY).map(|mark| mark == self.0))
            .unwrap_or(false)
    }
}

/// A write that was refused: by whom the object is there, if it is.
///
/// # Errors
/// [`StoreErrorKind::AlreadyExists`] when it is another's, [`StoreErrorKind::Unavailable`]
/// when another's write came between and is gone again, and what else was wrong.
pub(crate) async fn settle(
    client: &Operator,
    (operation, key): (&'static str, &str),
    (mark, mode): (&Mark, PutMode),
    error: Error,
) -> Result<(), StoreError> {
    let refused = matches!(
        error.kind(),
        ErrorKind::ConditionNotMatch | ErrorKind::AlreadyExists | ErrorKind::Conflict
    );
    // An upload that is completed already is not known any more.
    if !refused && error.kind() != ErrorKind::NotFound {
        return Err(classify(operation, key, &error));
    }
    match client.stat_options(key, StatOptions::default()).await {
        Ok(object) if mark.is_on(&object) => Ok(()),
        Ok(_) if refused && mode == PutMode::Create => Err(StoreError {
            kind: StoreErrorKind::AlreadyExists,
            operation,
            key: key.to_owned(),
            message: "the object exists already".to_owned(),
        }),
        Err(gone) if refused && gone.kind() == ErrorKind::NotFound => Err(StoreError {
            kind: StoreErrorKind::Unavailable,
            ..classify(operation, key, &error)
        }),
        Err(unseen) if unseen.kind() != ErrorKind::NotFound => {
            Err(classify(operation, key, &unseen))
        }
        _ if !refused && let Some(missing) = bucket_error(client, operation, key).await => {
            Err(missing)
        }
        _ => Err(StoreError {
            // Not "no such object": it is the upload that is unknown.
            kind: if refused {
                StoreErrorKind::Unavailable
            } else {
                StoreErrorKind::Other
            },
            ..classify(operation, key, &error)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_differ_and_are_recognised() {
        let (one, two) = (Mark::new(), Mark::new());
        assert_ne!(one, two);
        assert_eq!(one.0.len(), 32);
        let mut object = opendal::MetadataBuilder::file(1);
        object.user_metadata(one.options(PutMode::Create).user_metadata.unwrap());
        let object = object.build();
        assert!(one.is_on(&object) && !two.is_on(&object));
    }
}
