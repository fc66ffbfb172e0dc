//! The end of an upload that was given up, also while the server takes its time.
//!
//! The client's writer must not be cancelled in the middle of a call: it would forget
//! which upload to take back. So its requests fail instead. When the gate closes,
//! those under way end at once and free their bytes, and no other goes out but the
//! one that takes the upload back; no part can arrive after it.

use http::{Method, Request, Response};
use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, HttpTransporter, Operator};
use tokio::sync::watch;

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
}

impl HttpTransport for Gated {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        if request.method() == Method::DELETE {
            return self.inner.fetch(request).await;
        }
        let mut closed = self.closed.clone();
        tokio::select! {
            biased;
            Ok(_) = closed.wait_for(|closed| *closed) => {
                Err(Error::new(ErrorKind::Unexpected, "the upload was given up"))
            }
            answer = self.inner.fetch(request) => answer,
        }
    }
}
