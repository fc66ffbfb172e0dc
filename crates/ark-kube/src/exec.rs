//! Commands in containers, over the API server's exec endpoint.
//!
//! The endpoint is a WebSocket: the first byte of each message names a channel, 1
//! for standard output, 2 for standard error, 3 for the final `Status`
//! (`v5.channel.k8s.io`, and `v4` of servers before 1.30). Authentication, TLS and
//! impersonation are those of every other call.

mod handshake;
mod status;

use std::time::Duration;

use ark_engine::port::{ClusterError, ClusterErrorKind, ExecCommand, ExecEnd, Execution};
use bytes::Bytes;
use futures::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use url::form_urlencoded::Serializer;

use crate::connect::Connection;
use crate::throttle::{Class, Outcome};
use crate::{builtin, path};

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const STATUS: u8 = 3;
/// A silent connection is kept open by this; load balancers cut idle ones.
const PING: Duration = Duration::from_secs(30);
/// A server that says nothing of how long to wait is asked again after this.
const DEFAULT_WAIT: Duration = Duration::from_secs(1);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Runs the command to its end, or to its timeout.
pub(crate) async fn run(
    connection: &Connection,
    command: &ExecCommand<'_>,
) -> Result<Execution, ClusterError> {
    let deadline = Instant::now() + command.timeout;
    let operation = format!(
        "exec in pods {}/{}, container {}",
        command.namespace, command.pod, command.container
    );
    let Ok(opened) = timeout_at(deadline, open(connection, command, &operation)).await else {
        return Err(ClusterError {
            kind: ClusterErrorKind::Unavailable,
            operation,
            message: format!("not started within {} s", command.timeout.as_secs_f64()),
            retry_after: None,
        });
    };
    let mut socket = opened?;
    let mut execution = Execution::default();
    let end = timeout_at(deadline, follow(&mut socket, &mut execution)).await;
    execution.end = end.unwrap_or(ExecEnd::TimedOut);
    // A goodbye that cannot be said changes nothing; the connection closes anyway.
    let _ = tokio::time::timeout(Duration::from_secs(1), socket.close(None)).await;
    Ok(execution)
}

/// Opens the socket; waits while the server throttles, since nothing was begun.
async fn open(
    connection: &Connection,
    command: &ExecCommand<'_>,
    operation: &str,
) -> Result<Socket, ClusterError> {
    let path = exec_path(command);
    loop {
        let permit = connection.throttle().acquire().await;
        let result = handshake::open(connection, &path, operation).await;
        let throttled = match &result {
            Err(error) if error.kind == ClusterErrorKind::Throttled => {
                Some(error.retry_after.unwrap_or(DEFAULT_WAIT))
            }
            _ => None,
        };
        permit.finish(
            Class::Bulk,
            match &result {
                _ if throttled.is_some() => Outcome::Throttled,
                Err(error) if error.kind == ClusterErrorKind::Unavailable => Outcome::Failed,
                _ => Outcome::Answered,
            },
        );
        match throttled {
            Some(pause) => sleep(pause).await,
            None => return result,
        }
    }
}

fn exec_path(command: &ExecCommand<'_>) -> String {
    let pod = path::object(&builtin::pods(), Some(command.namespace), command.pod);
    let mut query = Serializer::new(String::new());
    query.append_pair("container", command.container);
    query.append_pair("stdout", "true");
    query.append_pair("stderr", "true");
    for word in command.command {
        query.append_pair("command", word);
    }
    format!("{pod}/exec?{}", query.finish())
}

/// Reads messages until the status comes or the connection ends.
async fn follow(socket: &mut Socket, execution: &mut Execution) -> ExecEnd {
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset();
    loop {
        let message = tokio::select! {
            message = socket.next() => message,
            _ = ping.tick() => match socket.send(Message::Ping(Bytes::new())).await {
                Ok(()) => continue,
                Err(error) => return lost(&error),
            },
        };
        let data = match message {
            Some(Ok(Message::Binary(data))) => data,
            Some(Ok(_)) => continue,
            Some(Err(error)) => return lost(&error),
            None => {
                return ExecEnd::Failed(
                    "the connection was closed before the command's end was told".to_owned(),
                );
            }
        };
        match data.split_first() {
            Some((&STDOUT, output)) => execution.stdout.push(output),
            Some((&STDERR, output)) => execution.stderr.push(output),
            Some((&STATUS, status)) if !status.is_empty() => return status::end(status),
            _ => {}
        }
    }
}

fn lost(error: &tokio_tungstenite::tungstenite::Error) -> ExecEnd {
    ExecEnd::Failed(format!("the connection to the command broke: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_command_stay_apart() {
        let command = ["sh".to_owned(), "-c".to_owned(), "a && b?".to_owned()];
        let path = exec_path(&ExecCommand {
            namespace: "shop",
            pod: "db-0",
            container: "db",
            command: &command,
            timeout: Duration::from_secs(1),
        });
        assert_eq!(
            path,
            "/api/v1/namespaces/shop/pods/db-0/exec?container=db&stdout=true&stderr=true\
             &command=sh&command=-c&command=a+%26%26+b%3F"
        );
    }
}
