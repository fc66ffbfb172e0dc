//! Server status requests: who runs here, in which version.

use std::sync::Arc;
use std::time::Duration;

use ark_api::{ServerStatusRequest, ServerStatusRequestPhase, Time};
use ark_kube::Next;
use jiff::{SignedDuration, Timestamp};

use super::ReconcileError;
use crate::built_in;
use crate::context::Context;

/// How long an answer stays.
const KEPT: Duration = Duration::from_mins(1);

/// Answers a request, or removes one whose answer was read long ago.
pub(crate) async fn reconcile(
    context: Arc<Context>,
    request: Arc<ServerStatusRequest>,
) -> Result<Next, ReconcileError> {
    let name = request.metadata.name.as_deref().unwrap_or_default();
    if *request.phase() == ServerStatusRequestPhase::Processed {
        let Some(left) = time_left(&request, context.now()) else {
            context.api.status_requests.delete(name).await?;
            return Ok(Next::OnChange);
        };
        return Ok(Next::After(left));
    }
    let mut answered = ServerStatusRequest::clone(&request);
    let status = answered.status.get_or_insert_default();
    status.phase = Some(ServerStatusRequestPhase::Processed);
    status.processed_timestamp = Some(Time(context.now()));
    status.plugins = built_in::list();
    status.server_version = format!("v{}", env!("CARGO_PKG_VERSION"));
    context
        .api
        .status_requests
        .patch(name, &request, &answered)
        .await?;
    Ok(Next::After(KEPT))
}

fn time_left(request: &ServerStatusRequest, now: Timestamp) -> Option<Duration> {
    let processed = request.status.as_ref()?.processed_timestamp.as_ref()?.0;
    let left = SignedDuration::try_from(KEPT).ok()? - now.duration_since(processed);
    if left <= SignedDuration::ZERO {
        None
    } else {
        Duration::try_from(left).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stays_a_minute() {
        let mut request = ServerStatusRequest::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(time_left(&request, at(0)), None);
        request.status.get_or_insert_default().processed_timestamp = Some(Time(at(100)));
        assert_eq!(time_left(&request, at(110)), Some(Duration::from_secs(50)));
        assert_eq!(time_left(&request, at(160)), None);
    }
}
