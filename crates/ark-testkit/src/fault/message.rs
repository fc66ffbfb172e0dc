//! As much of HTTP/1.1 messages as the proxy must understand.

use std::io::{self, Read};

/// More than any client or server under test sends.
const HEAD_LIMIT: usize = 64 * 1024;

/// The head of a request or an answer, and the bytes of the body that came with it.
pub(super) struct Message {
    head: String,
    pub(super) body_start: Vec<u8>,
}

/// How a request's body ends.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Body {
    Sized(u64),
    Chunked,
}

impl Message {
    /// Reads to the end of the head; `None` when the peer closes before one begins.
    pub(super) fn read(stream: &mut impl Read) -> io::Result<Option<Self>> {
        Self::read_after(Vec::new(), stream)
    }

    /// The same, with bytes that came already.
    pub(super) fn read_after(
        mut bytes: Vec<u8>,
        stream: &mut impl Read,
    ) -> io::Result<Option<Self>> {
        let mut buffer = [0; 8192];
        loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                let body_start = bytes.split_off(end + 4);
                let head =
                    String::from_utf8(bytes).map_err(|_| malformed("a head not in UTF-8"))?;
                return Ok(Some(Self { head, body_start }));
            }
            if bytes.len() > HEAD_LIMIT {
                return Err(malformed("a head without end"));
            }
            match stream.read(&mut buffer)? {
                0 if bytes.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }

    /// The parts of the first line.
    pub(super) fn first_line(&self) -> (&str, &str) {
        let mut parts = self.head.split([' ', '\r']);
        (parts.next().unwrap_or(""), parts.next().unwrap_or(""))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(super) fn body(&self) -> Body {
        match self.header("transfer-encoding") {
            Some(_) => Body::Chunked,
            None => Body::Sized(
                self.header("content-length")
                    .and_then(|text| text.parse().ok())
                    .unwrap_or(0),
            ),
        }
    }

    /// The head as it came, but the last message of its connection.
    pub(super) fn closing_head(&self) -> String {
        let mut head = String::with_capacity(self.head.len() + 20);
        for line in self.head.trim_end().split("\r\n") {
            let name = line.split(':').next().unwrap_or("");
            if !name.eq_ignore_ascii_case("connection") && !name.eq_ignore_ascii_case("keep-alive")
            {
                head.push_str(line);
                head.push_str("\r\n");
            }
        }
        head.push_str("Connection: close\r\n\r\n");
        head
    }

    /// The same without a header.
    pub(super) fn without(mut self, name: &str) -> Self {
        let lines = self.head.split_inclusive("\r\n").filter(|line| {
            let found = line.split_once(':').map_or("", |(found, _)| found);
            !found.eq_ignore_ascii_case(name)
        });
        self.head = lines.collect();
        self
    }

    /// The head as it came.
    pub(super) fn head(&self) -> &str {
        &self.head
    }
}

/// Reads a request's body to its end, so that an answer without looking at it does
/// not meet a client that still sends.
pub(super) fn drain(message: &Message, stream: &mut impl Read) -> io::Result<()> {
    let mut body = message.body_start.as_slice().chain(stream);
    match message.body() {
        Body::Sized(length) => drop(io::copy(&mut body.take(length), &mut io::sink())?),
        Body::Chunked => loop {
            let line = read_line(&mut body)?;
            let size = line.split(';').next().unwrap_or("").trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| malformed("a chunk's size"))?;
            if size == 0 {
                // Trailers, then an empty line.
                while !read_line(&mut body)?.is_empty() {}
                break;
            }
            io::copy(&mut (&mut body).take(size), &mut io::sink())?;
            read_line(&mut body)?;
        },
    }
    Ok(())
}

fn read_line(stream: &mut impl Read) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < HEAD_LIMIT {
        stream.read_exact(&mut byte)?;
        match byte[0] {
            b'\n' => return Ok(String::from_utf8_lossy(&line).trim_end().to_owned()),
            other => line.push(other),
        }
    }
    Err(malformed("a line without end"))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> (Message, &[u8]) {
        let mut rest = text.as_bytes();
        (Message::read(&mut rest).unwrap().unwrap(), rest)
    }

    #[test]
    fn a_head_is_read_and_closed() {
        let text = "PUT /b/k?x= HTTP/1.1\r\nHost: a:1\r\nconnection: keep-alive\r\n\
                    Content-Length: 3\r\n\r\nabc";
        let (message, _) = message(text);
        assert_eq!(message.first_line(), ("PUT", "/b/k?x="));
        assert_eq!(message.body(), Body::Sized(3));
        assert_eq!(message.body_start, b"abc");
        assert_eq!(
            message.closing_head(),
            "PUT /b/k?x= HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
        );
        let message = message.without("host");
        assert_eq!(message.header("host"), None);
        assert_eq!(message.header("content-length"), Some("3"));
    }

    #[test]
    fn bodies_are_drained_to_their_end_and_no_further() {
        for (header, body) in [
            ("Content-Length: 5", "12345"),
            (
                "Transfer-Encoding: chunked",
                "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n",
            ),
        ] {
            let head = format!("PUT / HTTP/1.1\r\n{header}\r\n\r\n");
            let (message, _) = message(&head);
            let stream = format!("{body}REST");
            let mut stream = stream.as_bytes();
            drain(&message, &mut stream).unwrap();
            assert_eq!(stream, b"REST", "{header}");
        }
    }
}
