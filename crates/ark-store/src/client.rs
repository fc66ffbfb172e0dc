//! What every client has around it: limits of time, repetitions, our transport.

use opendal::layers::{RetryEvent, RetryLayer, TimeoutLayer};
use opendal::{HttpTransporter, OperationContext, Operator};

use crate::tuning::Tuning;

/// The order matters: an attempt times out, and then is made again. The other way
/// round a timeout would take a repetition's state away.
pub(crate) fn layered(client: Operator, transport: HttpTransporter, tuning: &Tuning) -> Operator {
    client
        .with_context(OperationContext::new().with_http_transport(transport))
        .layer(
            TimeoutLayer::new()
                .with_timeout(tuning.call_timeout)
                .with_io_timeout(tuning.transfer_timeout),
        )
        .layer(
            RetryLayer::new()
                .with_max_times(tuning.retries)
                .with_min_delay(tuning.first_delay)
                .with_max_delay(tuning.longest_delay)
                .with_jitter()
                .with_notify(|event: RetryEvent<'_>| note_retry(&event)),
        )
}

fn note_retry(event: &RetryEvent<'_>) {
    tracing::warn!(
        operation = %event.op,
        attempt = event.attempt,
        wait_seconds = event.retry_after.as_secs_f64(),
        error = %event.err,
        "the object store failed; trying again"
    );
}
