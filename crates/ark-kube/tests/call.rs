//! What is repeated and what is not, against a server that plays a script.

#![expect(
    clippy::unwrap_used,
    reason = "what goes wrong in a test shall end it, also outside the test function"
)]

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ark_engine::port::{
    ApiResource, Cluster as _, ClusterError, ClusterErrorKind, CreateOptions, Target,
};
use ark_kube::{ConnectOptions, Connection};
use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const POD: &str = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}"#;

/// One answer of the script.
#[derive(Clone)]
enum Answer {
    /// Status line, further header lines, body.
    Full(&'static str, &'static str, &'static str),
    /// The connection is closed after the request.
    Nothing,
    /// Half of the pod.
    Half,
    /// Silence.
    Hang,
}

const OK: Answer = Answer::Full("200 OK", "", POD);

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// Plays the script, a connection an answer; answers 404 after its end.
async fn serve(listener: TcpListener, script: Vec<Answer>, heard: Heard) {
    let mut script = VecDeque::from(script);
    while let Ok((stream, _)) = listener.accept().await {
        let end = Answer::Full("404 Not Found", "", "the script is over");
        let answer = script.pop_front().unwrap_or(end);
        tokio::spawn(play(stream, answer, heard.clone()));
    }
}

async fn play(mut stream: TcpStream, answer: Answer, heard: Heard) {
    let mut request = Vec::new();
    // Requests here are small, so the body comes right behind the head.
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap() == 0 {
            return;
        }
    }
    heard
        .0
        .lock()
        .unwrap()
        .push(String::from_utf8(request).unwrap());
    let (status, headers, body, length) = match answer {
        Answer::Full(status, headers, body) => (status, headers, body, body.len()),
        Answer::Half => ("200 OK", "", &POD[..20], POD.len()),
        Answer::Nothing => return,
        Answer::Hang => return tokio::time::sleep(Duration::from_mins(1)).await,
    };
    let text = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// A server with a script, and a connection to it.
async fn scripted(script: Vec<Answer>) -> (Connection, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    tokio::spawn(serve(listener, script, heard.clone()));
    (connect(port, Duration::from_secs(10)).await, heard)
}

async fn connect(port: u16, patience: Duration) -> Connection {
    connect_for(port, patience, Duration::from_millis(500)).await
}

async fn connect_for(port: u16, patience: Duration, call_timeout: Duration) -> Connection {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let cluster = format!("{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}");
    writeln!(
        file,
        "{{apiVersion: v1, kind: Config, current-context: x, clusters: [{cluster}], \
         users: [{{name: u, user: {{token: t}}}}], contexts: [{{name: x, context: {{cluster: c, user: u}}}}]}}"
    )
    .unwrap();
    let options = ConnectOptions {
        kubeconfig: Some(file.path().to_owned()),
        user_agent: "ark/test".to_owned(),
        call_timeout,
        patience,
        ..ConnectOptions::default()
    };
    Connection::from_options(&options).await.unwrap()
}

fn pods() -> ApiResource {
    ApiResource {
        group: String::new(),
        version: "v1".to_owned(),
        plural: "pods".to_owned(),
        singular: "pod".to_owned(),
        kind: "Pod".to_owned(),
        namespaced: true,
        verbs: Vec::new(),
        short_names: Vec::new(),
        preferred: true,
    }
}

async fn read(connection: &Connection) -> Result<bool, ClusterError> {
    let resource = pods();
    let target = Target {
        resource: &resource,
        namespace: Some("n"),
        name: "a",
    };
    connection.get(target).await.map(|found| found.is_some())
}

async fn write(connection: &Connection) -> Result<(), ClusterError> {
    let body = Bytes::from_static(POD.as_bytes());
    let options = CreateOptions::default();
    connection
        .create(&pods(), Some("n"), body, options)
        .await
        .map(drop)
}

#[tokio::test]
async fn reads_are_repeated_after_any_passing_failure() {
    let broken = Answer::Full("500 Internal Server Error", "", "oops");
    let (connection, heard) = scripted(vec![
        broken,
        Answer::Nothing,
        Answer::Half,
        Answer::Hang,
        OK,
    ])
    .await;
    assert!(read(&connection).await.unwrap());
    assert_eq!(heard.count(), 5);
    let first = heard.0.lock().unwrap()[0].to_lowercase();
    assert!(
        first.starts_with("get /api/v1/namespaces/n/pods/a http/1.1"),
        "{first}"
    );
    assert!(first.contains("user-agent: ark/test\r\n"), "{first}");
    assert!(!first.contains("accept-encoding"), "{first}");
}

#[tokio::test]
async fn writes_whose_fate_is_unknown_are_not_repeated() {
    let broken = Answer::Full("500 Internal Server Error", "", "oops");
    let busy = Answer::Full("503 Service Unavailable", "", "");
    for answer in [broken, busy, Answer::Nothing, Answer::Half, Answer::Hang] {
        let (connection, heard) = scripted(vec![answer, OK]).await;
        let error = write(&connection).await.unwrap_err();
        assert_eq!(error.kind, ClusterErrorKind::Unavailable, "{error}");
        assert_eq!(error.operation, "create pods n/a");
        assert_eq!(heard.count(), 1);
    }
}

#[tokio::test]
async fn throttled_writes_wait_as_long_as_the_server_says() {
    let wait = Answer::Full("429 Too Many Requests", "Retry-After: 1\r\n", "");
    let (connection, heard) = scripted(vec![wait.clone(), wait, OK]).await;
    let start = Instant::now();
    write(&connection).await.unwrap();
    assert!(
        start.elapsed() >= Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(heard.count(), 3);
    assert!(
        connection.concurrency() < 16,
        "{}",
        connection.concurrency()
    );
}

#[tokio::test]
async fn a_wait_beyond_the_patience_is_left_to_the_caller() {
    let wait = Answer::Full("429 Too Many Requests", "Retry-After: 30\r\n", "");
    let (connection, heard) = scripted(vec![wait, OK]).await;
    let start = Instant::now();
    let error = write(&connection).await.unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::Throttled);
    assert_eq!(error.retry_after, Some(Duration::from_secs(30)));
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(heard.count(), 1);
}

#[tokio::test]
async fn refusals_are_final() {
    let no = Answer::Full("403 Forbidden", "", "no");
    let (connection, heard) = scripted(vec![no, OK]).await;
    assert_eq!(
        read(&connection).await.unwrap_err().kind,
        ClusterErrorKind::Forbidden
    );
    assert_eq!(heard.count(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_object_is_malformed_and_not_quoted() {
    let secret = Answer::Full("200 OK", "", r#"{"data": "c2VjcmV0"}"#);
    let (connection, _) = scripted(vec![secret]).await;
    let error = read(&connection).await.unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::Malformed);
    assert!(!error.to_string().contains("c2VjcmV0"), "{error}");
}

#[tokio::test]
async fn a_write_that_found_no_server_is_sent_when_there_is_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let connection = connect(address.port(), Duration::from_secs(10)).await;
    let heard = Heard::default();
    let later = heard.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        serve(TcpListener::bind(address).await.unwrap(), vec![OK], later).await;
    });
    write(&connection).await.unwrap();
    assert_eq!(heard.count(), 1);
}

#[tokio::test]
async fn a_server_that_never_comes_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let connection = connect(port, Duration::from_millis(500)).await;
    let error = read(&connection).await.unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::Unavailable);
    let expected = format!("no answer from the API server at http://127.0.0.1:{port}: ");
    assert!(error.message.starts_with(&expected), "{error}");
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_connection_apart_does_not_wait_behind_the_others() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connection = connect_for(port, Duration::ZERO, Duration::from_mins(1)).await;
    let places = connection.concurrency();
    let heard = Heard::default();
    let mut script = vec![Answer::Hang; places];
    script.extend([OK, Answer::Hang]);
    tokio::spawn(serve(listener, script, heard.clone()));
    // One more than there are places.
    for _ in 0..=places {
        let connection = connection.clone();
        tokio::spawn(async move { read(&connection).await });
    }
    while heard.count() < places {
        tokio::task::yield_now().await;
    }

    let apart = connection.apart(Duration::from_millis(500)).unwrap();
    assert!(read(&apart).await.unwrap());
    assert_eq!(heard.count(), places + 1, "the last one waits for a place");
    let error = read(&apart).await.unwrap_err();
    assert_eq!(error.kind, ClusterErrorKind::Unavailable);
    assert!(error.message.contains("no answer"), "{error}");
}
