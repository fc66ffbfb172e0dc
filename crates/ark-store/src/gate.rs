//! The end of an upload that was given up, also while the server takes its time.
//!
//! The client's writer must not be cancelled in the middle of a call: it would forget
//! which upload to take back. So its requests fail instead. When the gate closes,
//! those under way end at once and free their bytes, and no other goes out but the
//! one that takes the upload back. The one that begins the upload has no bytes to free
//! and is waited for: its answer names what is to be taken back. What the server got
//! of those that ended so is not known. A part that it is still writing is kept in
//! spite of the first time that the upload is taken back (the S3 API's
//! `AbortMultipartUpload` says so), so if there may be any, that is done again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, Response};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, HttpTransporter, Operator};
use tokio::sync::watch;

/// When to take an upload back once more.
const LATE_PARTS: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];

/// Ends what goes through it, once closed.
#[derive(Clone)]
pub(crate) struct Gate(watch::Sender<bool>);

impl Gate {
    /// An open gate, and the same client behind it.
    pub(crate) fn before(client: &Operator) -> (Self, Operator) {
        let (sender, closed) = watch::channel(false);
        let context = client.base_context();
        let gated = Gated {
            inner: context.http_transport().clone(),
            closed,
            unanswered: AtomicUsize::new(0),
        };
        let context = context.with_http_transport(HttpTransporter::new(gated));
        (Self(sender), client.clone().with_context(context))
    }

    pub(crate) fn close(&self) {
        self.0.send_replace(true);
    }
}

/// Closes a gate when dropped.
pub(crate) struct ClosesOnDrop(pub(crate) Gate);

impl Drop for ClosesOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Gated {
    inner: HttpTransporter,
    closed: watch::Receiver<bool>,
    unanswered: AtomicUsize,
}

impl Gated {
    /// A request that fails, or is dropped before its answer, stays in the count.
    async fn send(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        let answer = self.inner.fetch(request).await?;
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
        Ok(answer)
    }

    async fn take_back(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let answer = self.inner.fetch(request.clone()).await?;
        if self.unanswered.load(Ordering::Relaxed) > 0 {
            for pause in LATE_PARTS {
                tokio::time::sleep(pause).await;
                self.inner.fetch(request.clone()).await?;
            }
        }
        Ok(answer)
    }
}

impl HttpTransport for Gated {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        if request.method() == Method::DELETE {
            return self.take_back(request).await;
        }
        let given_up = || Error::new(ErrorKind::Unexpected, "the upload was given up");
        let mut closed = self.closed.clone();
        if *closed.borrow() {
            return Err(given_up());
        }
        if request.body().is_empty() {
            return self.inner.fetch(request).await;
        }
        tokio::select! {
            biased;
            Ok(_) = closed.wait_for(|closed| *closed) => Err(given_up()),
            answer = self.send(request) => answer,
        }
    }
}
