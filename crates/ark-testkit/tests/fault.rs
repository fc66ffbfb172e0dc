//! Each fault of the proxy, seen with a plain socket before a tiny origin server.

#![cfg(test)]

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ark_testkit::fault::{Fault, FaultProxy, Rule};

/// Answers every request with ten bytes and tells what body it got.
struct Origin {
    url: String,
    bodies: mpsc::Receiver<Vec<u8>>,
}

impl Origin {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, bodies) = mpsc::channel();
        // Ends when the test does: its listener is never closed before.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if sender.send(Self::answer(stream.unwrap())).is_err() {
                    break;
                }
            }
        });
        Self { url, bodies }
    }

    fn answer(mut stream: TcpStream) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.split("Content-Length: ").nth(1).map_or(0, |rest| {
                    rest.lines().next().unwrap().parse::<usize>().unwrap()
                });
                if body.len() >= length {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
                    let _ = stream.write_all(answer);
                    return body.as_bytes().to_vec();
                }
            }
            match stream.read(&mut buffer) {
                Ok(0) | Err(_) => {
                    return text
                        .split_once("\r\n\r\n")
                        .map_or("", |(_, body)| body)
                        .into();
                }
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

fn send(proxy: &FaultProxy, method: &str, body: &str) -> (String, io::Result<()>) {
    let url = proxy.url();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let head = format!(
        "{method} /bucket/key HTTP/1.1\r\nHost: bucket.test\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(format!("{head}{body}").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).map(drop);
    (String::from_utf8(answer).unwrap(), end)
}

fn proxied(rules: impl IntoIterator<Item = Rule>) -> (Origin, FaultProxy) {
    let origin = Origin::start();
    let proxy = FaultProxy::start(&origin.url).unwrap();
    proxy.set(rules);
    (origin, proxy)
}

#[test]
fn without_rules_it_passes_everything() {
    let (origin, proxy) = proxied([]);
    let (answer, end) = send(&proxy, "PUT", "hello");
    end.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("0123456789"), "{answer}");
    assert_eq!(origin.bodies.recv().unwrap(), b"hello");
    assert_eq!(proxy.count("PUT", "/bucket/key"), 1);
}

#[test]
fn a_reset_comes_before_the_answer_and_before_the_server_hears() {
    let (origin, proxy) = proxied([Rule::new("/bucket", Fault::Reset).method("GET").nth(1)]);
    let (answer, end) = send(&proxy, "GET", "");
    assert_eq!(answer, "");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(origin.bodies.try_recv().is_err());
    let (answer, _) = send(&proxy, "GET", "");
    assert!(
        answer.ends_with("0123456789"),
        "only the first is hit: {answer}"
    );
}

#[test]
fn a_download_is_reset_after_its_bytes() {
    let (_origin, proxy) = proxied([Rule::new("", Fault::ResetDownload(4))]);
    let (_, end) = send(&proxy, "GET", "");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn an_upload_is_reset_after_its_bytes() {
    let (origin, proxy) = proxied([Rule::new("", Fault::ResetUpload(3)).first(1)]);
    let (_, end) = send(&proxy, "PUT", "hello");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(origin.bodies.recv().unwrap(), b"hel");
}

#[test]
fn an_upload_may_arrive_whole_and_its_answer_get_lost() {
    let (origin, proxy) = proxied([Rule::new("", Fault::ResetUpload(u64::MAX))]);
    let (_, end) = send(&proxy, "PUT", "hello");
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(origin.bodies.recv().unwrap(), b"hello");
}

#[test]
fn a_truncated_answer_promises_more_than_comes() {
    let (_origin, proxy) = proxied([Rule::new("", Fault::Truncate(4))]);
    let (answer, end) = send(&proxy, "GET", "");
    end.unwrap();
    assert!(answer.contains("Content-Length: 10\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n0123"), "{answer}");
}

#[test]
fn refusals_are_those_of_s3_and_leave_the_server_alone() {
    let (origin, proxy) = proxied([
        Rule::new("", Fault::SlowDown).nth(1),
        Rule::new("", Fault::InternalError).nth(2),
    ]);
    let body = "x".repeat(100_000);
    let (answer, _) = send(&proxy, "PUT", &body);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("<Code>SlowDown</Code>"), "{answer}");
    let (answer, _) = send(&proxy, "PUT", &body);
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(origin.bodies.try_recv().is_err());
    assert_eq!(proxy.faults(), 2);
}

#[test]
fn a_delay_adds_to_the_answer_and_rules_can_go() {
    let wait = Duration::from_millis(300);
    let (_origin, proxy) = proxied([Rule::new("/bucket", Fault::Delay(wait))]);
    let started = Instant::now();
    let (answer, _) = send(&proxy, "GET", "");
    assert!(answer.ends_with("0123456789"), "{answer}");
    assert!(started.elapsed() >= wait);
    proxy.set([]);
    let started = Instant::now();
    send(&proxy, "GET", "").1.unwrap();
    assert!(started.elapsed() < wait);
}
