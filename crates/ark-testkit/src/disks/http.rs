//! Reading a request of HTTP/1.1 and writing its answer, over a plain socket that
//! stays open. Knows nothing of what is asked.

use std::collections::BTreeMap;
use std::io::{self, BufRead, ErrorKind, Read as _, Write};

use serde_json::Value;

/// More than any description of a disk has.
const MAXIMUM_BODY: u64 = 4 << 20;

/// A request.
#[derive(Debug, Default)]
pub(super) struct Call {
    pub(super) method: String,
    /// The path and the query, as they came.
    pub(super) target: String,
    /// The path between its slashes, decoded.
    pub(super) path: Vec<String>,
    /// The decoded query; the last one of a name counts.
    pub(super) query: BTreeMap<String, String>,
    pub(super) host: String,
    pub(super) authorization: Option<String>,
    pub(super) body: String,
    /// Whether the connection ends after the answer.
    pub(super) is_last: bool,
}

impl Call {
    /// Whether it brings a token at all.
    pub(super) fn has_token(&self) -> bool {
        let header = self.authorization.as_deref().unwrap_or_default();
        header
            .split_once(' ')
            .is_some_and(|(kind, token)| kind.eq_ignore_ascii_case("bearer") && !token.is_empty())
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes it whole, in one piece.
    pub(super) fn write(&self, to: &mut impl Write, is_last: bool) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.extend([name, ": ", value.as_str(), "\r\n"]);
        }
        // What has no content may not tell its length either.
        if self.status != 204 {
            head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        if is_last {
            head.push_str("Connection: close\r\n");
        }
        head.push_str("\r\n");
        if self.status != 204 {
            head.push_str(&self.body);
        }
        to.write_all(head.as_bytes())?;
        to.flush()
    }
}

/// The next request, or nothing if the client has hung up.
pub(super) fn read(from: &mut impl BufRead) -> io::Result<Option<Call>> {
    let Some(first) = line(from)? else {
        return Ok(None);
    };
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next())
    else {
        return Err(broken("no request line"));
    };
    let mut call = Call {
        method: method.to_owned(),
        target: target.to_owned(),
        is_last: version == "HTTP/1.0",
        ..Call::default()
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    call.path = path
        .split('/')
        .filter(|part| !part.is_empty())
        .map(|part| decode(part, false))
        .collect();
    call.query = query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| part.split_once('=').unwrap_or((part, "")))
        .map(|(name, value)| (decode(name, true), decode(value, true)))
        .collect();
    call.body = body(from, &mut call)?;
    Ok(Some(call))
}

/// Reads the headers into `call`, and the body as they say.
fn body(from: &mut impl BufRead, call: &mut Call) -> io::Result<String> {
    let mut length = 0;
    let mut is_chunked = false;
    loop {
        let header = line(from)?.ok_or_else(|| broken("it ends within the headers"))?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(':').ok_or_else(|| broken("no header"))?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().map_err(|_| broken("a wrong length"))?,
            "transfer-encoding" => is_chunked = value.eq_ignore_ascii_case("chunked"),
            "connection" => call.is_last = value.eq_ignore_ascii_case("close"),
            "host" => value.clone_into(&mut call.host),
            "authorization" => call.authorization = Some(value.to_owned()),
            _ => {}
        }
    }
    let mut bytes = Vec::new();
    if is_chunked {
        loop {
            let size = line(from)?.ok_or_else(|| broken("it ends between chunks"))?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| broken("a wrong chunk"))?;
            if size == 0 {
                // Trailers say nothing that anybody here asks for.
                while line(from)?.is_some_and(|trailer| !trailer.is_empty()) {}
                break;
            }
            take(from, size, &mut bytes)?;
            line(from)?;
        }
    } else {
        take(from, length, &mut bytes)?;
    }
    String::from_utf8(bytes).map_err(|_| broken("a body that is no text"))
}

fn take(from: &mut impl BufRead, length: u64, to: &mut Vec<u8>) -> io::Result<()> {
    if to.len() as u64 + length > MAXIMUM_BODY {
        return Err(broken("too long a body"));
    }
    if from.take(length).read_to_end(to)? as u64 != length {
        return Err(broken("it ends within the body"));
    }
    Ok(())
}

fn line(from: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Undoes percent-encoding, and pluses for spaces where `is_query`.
fn decode(text: &str, is_query: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| hex::decode(digits).ok());
        rest = after;
        if let Some(escaped) = escaped {
            bytes.extend(escaped);
            rest = &after[2..];
        } else if first == b'+' && is_query {
            bytes.push(b' ');
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn broken(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_owned())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    }
}
