//! An object of unknown length, in bounded memory.
//!
//! What the caller writes is copied into parts of [`Tuning::part_size`] bytes. Each
//! part holds one of [`Tuning::parts_in_memory`] permits until nobody needs its bytes
//! any more, so the bound is kept by construction, not by hope. An object smaller
//! than one part goes out as a single `PUT`.
//!
//! Of several uploads that create one key exactly one succeeds where the server
//! completes an upload in one step, as S3 does. Servers that look first and complete
//! then (SeaweedFS does) can let several succeed that end in the same instant; what
//! must be exclusive on them is an object within one part.
//!
//! The client's writer lives in a task of its own. A caller that is cancelled in the
//! middle of a call therefore cannot leave it half-way: the task sees the handle go
//! and takes back what was sent. Only a process that dies leaves parts behind, never
//! seen as an object; a lifecycle rule for incomplete uploads clears them.

use std::sync::Arc;

use ark_engine::port::{PutMode, StoreError, StoreErrorKind, Upload};
use async_trait::async_trait;
use bytes::Bytes;
use opendal::options::WriteOptions;
use opendal::{Error, Operator, Writer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::classify::classify;
use crate::gate::{ClosesOnDrop, Gate};
use crate::mark::{Mark, settle};
use crate::missing::explain;
use crate::tuning::Tuning;

/// Parts that S3 takes for one object.
const MOST_PARTS: usize = 10_000;

/// The handle that the caller writes to.
pub(crate) struct PartedUpload {
    key: String,
    part_size: usize,
    parts: usize,
    permits: Arc<Semaphore>,
    filling: Option<Part>,
    /// Set while a call is under way: seen by the next one, it was cancelled, and
    /// bytes may be lost.
    interrupted: bool,
    /// Both end what the task does when they are dropped: its requests, its loop.
    gate: ClosesOnDrop,
    sender: mpsc::Sender<Message>,
    /// `None` once its end was told.
    task: Option<JoinHandle<Result<(), StoreError>>>,
}

/// What is to be written, and under which condition.
pub(crate) struct Write {
    pub(crate) mark: Mark,
    pub(crate) mode: PutMode,
    pub(crate) options: WriteOptions,
}

enum Message {
    Part(Bytes),
    Finish,
}

/// Bytes of one part, and the right to hold them.
struct Part {
    bytes: Vec<u8>,
    _permit: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl PartedUpload {
    /// Starts; nothing is sent before the first part is full.
    pub(crate) async fn start(
        client: &Operator,
        key: &str,
        write: Write,
        tuning: &Tuning,
    ) -> Result<Self, StoreError> {
        let Write {
            mark,
            mode,
            mut options,
        } = write;
        options.concurrent = tuning.parts_in_flight.max(1);
        let (gate, gated) = Gate::before(client);
        let writer = gated
            .writer_options(key, options)
            .await
            .map_err(|error| classify("upload", key, &error))?;
        let (sender, receiver) = mpsc::channel(1);
        let sending = Sending {
            client: client.clone(),
            key: key.to_owned(),
            mark,
            mode,
            gate: gate.clone(),
        };
        Ok(Self {
            key: key.to_owned(),
            part_size: tuning.part_size.max(1),
            parts: 0,
            permits: Arc::new(Semaphore::new(tuning.parts_in_memory())),
            filling: None,
            interrupted: false,
            gate: ClosesOnDrop(gate),
            sender,
            task: Some(tokio::spawn(sending.run(writer, receiver))),
        })
    }

    async fn next_part(&mut self) -> Result<Part, StoreError> {
        if self.parts == MOST_PARTS {
            return Err(self.error(
                StoreErrorKind::TooLarge,
                "S3 takes 10,000 parts for one object; larger parts (`uploadPartSizeBytes`) make it fit",
            ));
        }
        self.parts += 1;
        let permits = Arc::clone(&self.permits);
        let permit = permits
            .acquire_owned()
            .await
            .map_err(|_| self.error(StoreErrorKind::Other, "the upload is closed"))?;
        Ok(Part {
            // Pages that are never written to cost nothing; growing would cost double.
            bytes: Vec::with_capacity(self.part_size),
            _permit: permit,
        })
    }

    /// Hands a message to the task; if that has ended, tells why.
    async fn send(&mut self, message: Message) -> Result<(), StoreError> {
        match self.sender.send(message).await {
            Ok(()) => Ok(()),
            Err(_) => {
                Err(self.end().await.err().unwrap_or_else(|| {
                    self.error(StoreErrorKind::Other, "written to after its end")
                }))
            }
        }
    }

    fn check_whole(&self) -> Result<(), StoreError> {
        if self.interrupted && self.task.is_some() {
            return Err(self.error(
                StoreErrorKind::Other,
                "a write was cancelled half-way; the upload cannot go on",
            ));
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), StoreError> {
        let Some(task) = self.task.take() else {
            return Err(self.error(StoreErrorKind::Other, "the upload has failed before"));
        };
        task.await
            .map_err(|error| self.error(StoreErrorKind::Other, &error.to_string()))?
    }

    fn error(&self, kind: StoreErrorKind, message: &str) -> StoreError {
        StoreError {
            kind,
            operation: "upload",
            key: self.key.clone(),
            message: message.to_owned(),
        }
    }
}

#[async_trait]
impl Upload for PartedUpload {
    async fn write(&mut self, chunk: Bytes) -> Result<(), StoreError> {
        self.check_whole()?;
        self.interrupted = true;
        let mut rest = &chunk[..];
        while !rest.is_empty() {
            let mut part = match self.filling.take() {
                Some(part) => part,
                None => self.next_part().await?,
            };
            let (now, later) = rest.split_at(rest.len().min(self.part_size - part.bytes.len()));
            part.bytes.extend_from_slice(now);
            rest = later;
            if part.bytes.len() < self.part_size {
                self.filling = Some(part);
            } else {
                self.send(Message::Part(Bytes::from_owner(part))).await?;
            }
        }
        self.interrupted = false;
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        self.check_whole()?;
        if let Some(part) = self.filling.take() {
            self.send(Message::Part(Bytes::from_owner(part))).await?;
        }
        self.send(Message::Finish).await?;
        self.end().await
    }

    async fn abort(self: Box<Self>) -> Result<(), StoreError> {
        let Self {
            gate, sender, task, ..
        } = *self;
        drop(gate);
        drop(sender);
        if let Some(task) = task {
            // An earlier failure was told by the call that met it.
            let _ = task.await;
        }
        Ok(())
    }
}

/// The task's own half.
struct Sending {
    client: Operator,
    key: String,
    mark: Mark,
    mode: PutMode,
    gate: Gate,
}

impl Sending {
    async fn run(
        self,
        mut writer: Writer,
        mut messages: mpsc::Receiver<Message>,
    ) -> Result<(), StoreError> {
        while let Some(message) = messages.recv().await {
            let result = match message {
                Message::Part(bytes) => writer.write(bytes).await,
                Message::Finish => return self.close(writer).await,
            };
            if let Err(error) = result {
                self.take_back(writer).await;
                return Err(explain(&self.client, classify("upload", &self.key, &error)).await);
            }
        }
        self.take_back(writer).await;
        Ok(())
    }

    async fn close(&self, mut writer: Writer) -> Result<(), StoreError> {
        let Err(error) = writer.close().await else {
            return Ok(());
        };
        let settled = settle(
            &self.client,
            ("upload", &self.key),
            (&self.mark, self.mode),
            error,
        )
        .await;
        if settled.is_err() {
            self.take_back(writer).await;
        }
        settled
    }

    async fn take_back(&self, mut writer: Writer) {
        // Or parts still under way could arrive after it.
        self.gate.close();
        if let Err(error) = writer.abort().await {
            self.note_leftover(&error);
        }
    }

    fn note_leftover(&self, error: &Error) {
        tracing::warn!(key = self.key, %error, "parts of an unfinished upload stay in the bucket, unseen");
    }
}
