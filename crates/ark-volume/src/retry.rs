//! Waiting out what passes: throttling, broken connections, servers that are busy.

use std::time::Duration;

use ark_engine::port::DiskError;
use tokio::time::{Instant, sleep};

/// The first pause; each is twice the one before.
const FIRST: Duration = Duration::from_millis(200);
/// No pause is longer, whatever the server asks for.
const LONGEST: Duration = Duration::from_secs(30);
/// When the time for one call is over, its last error is told.
const BUDGET: Duration = Duration::from_mins(2);

/// Calls until the call succeeds, fails for good, or has no more time.
///
/// `call` is given whether it was called before: a call that writes looks then what
/// became of the one whose answer was lost.
pub(crate) async fn retry<T, F>(mut call: impl FnMut(bool) -> F) -> Result<T, DiskError>
where
    F: Future<Output = Result<T, DiskError>>,
{
    let begun = Instant::now();
    let mut pause = FIRST;
    let mut again = false;
    loop {
        let error = match call(again).await {
            Err(error) if error.is_retryable() => error,
            result => return result,
        };
        let wait = error.retry_after.map_or(pause, |asked| asked.max(pause));
        let wait = wait.min(LONGEST);
        if begun.elapsed() + wait > BUDGET {
            return Err(error);
        }
        tracing::debug!(%error, ?wait, "trying again");
        sleep(wait).await;
        pause = (pause * 2).min(LONGEST);
        again = true;
    }
}

#[cfg(test)]
mod tests {
    use ark_engine::port::DiskErrorKind;

    use super::*;

    fn error(kind: DiskErrorKind) -> DiskError {
        DiskError {
            kind,
            operation: "a call".to_owned(),
            message: "no".to_owned(),
            retry_after: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_waited_out_and_what_stays_is_not() {
        let mut calls = 0;
        let answer = retry(|again| {
            calls += 1;
            assert_eq!(again, calls > 1);
            std::future::ready(match calls {
                1 | 2 => Err(error(DiskErrorKind::Throttled)),
                _ => Ok(calls),
            })
        });
        assert_eq!(answer.await.unwrap(), 3);
        let begun = Instant::now();
        let denied = || Err::<(), _>(error(DiskErrorKind::Denied));
        let answer = retry(|_| std::future::ready(denied())).await;
        assert_eq!(answer.unwrap_err().kind, DiskErrorKind::Denied);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        let down = || Err::<(), _>(error(DiskErrorKind::Unavailable));
        retry(|_| std::future::ready(down())).await.unwrap_err();
        let waited = begun.elapsed();
        assert!(waited > BUDGET / 2 && waited <= BUDGET, "{waited:?}");
    }
}
