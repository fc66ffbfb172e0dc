//! One HTTP request at a time over a plain socket: enough to see whether a server
//! answers, without an HTTP client in everybody's build.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// What `http://AUTHORITY/…` answers to somebody who brings nothing but the URL.
pub fn get(url: &str) -> Result<Answer> {
    let rest = url
        .strip_prefix("http://")
        .with_context(|| format!("`{url}` is not a URL of plain HTTP"))?;
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let headers = [("Host".to_owned(), authority.to_owned())];
    request(authority, "GET", target, &headers, b"")
}

/// A request to `http://AUTHORITY` + `target`. Speaks HTTP/1.0, so that the body
/// comes whole and without chunks and ends with the connection.
pub fn request(
    authority: &str,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Result<Answer> {
    let mut stream =
        TcpStream::connect(authority).with_context(|| format!("cannot connect to {authority}"))?;
    stream.set_read_timeout(Some(Duration::from_mins(1)))?;
    let mut head = format!(
        "{method} {target} HTTP/1.0\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream
        .read_to_end(&mut answer)
        .with_context(|| format!("{authority} breaks off"))?;
    parse(&answer).with_context(|| format!("{authority} does not answer {method} {target} in HTTP"))
}

fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer {
        status,
        body: answer[end + 4..].to_vec(),
    })
}
