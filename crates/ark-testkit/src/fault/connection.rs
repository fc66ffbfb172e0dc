//! One connection through the proxy: one request, one answer, perhaps one fault.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

use super::message::{Message, drain};
use super::{Fault, Request, Shared};

/// How long a client may keep silent while it sends, or open after its answer.
const LINGER: Duration = Duration::from_mins(1);

/// Serves a client; errors end the connection and need no other answer.
pub(super) fn serve(mut client: TcpStream, shared: &Shared) {
    // Whoever gets half of what he asked for sees it, there is no one else to tell.
    let _ = exchange(&mut client, shared);
}

fn exchange(client: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    let Some(message) = Message::read(client)? else {
        return Ok(());
    };
    let (method, target) = message.first_line();
    let request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        authorization: message.header("authorization").map(str::to_owned),
        fault: None,
    };
    let (delay, fault) = shared.decide(request);
    std::thread::sleep(delay);
    match fault {
        Some(Fault::Reset) => reset(client),
        Some(Fault::InternalError) => refuse(
            client,
            &message,
            "500 Internal Server Error",
            "InternalError",
        ),
        Some(Fault::AccessDenied) => refuse(client, &message, "403 Forbidden", "AccessDenied"),
        Some(Fault::NotImplemented) => {
            refuse(client, &message, "501 Not Implemented", "NotImplemented")
        }
        Some(Fault::Without(header)) => {
            let message = message.without(header);
            forward(client, &message, &shared.upstream, u64::MAX)?.finish(client)
        }
        Some(Fault::SlowDown) => refuse(client, &message, "503 Slow Down", "SlowDown"),
        Some(Fault::ResetUpload(limit)) => cut_upload(client, &message, &shared.upstream, limit),
        Some(Fault::ResetDownload(limit)) => {
            forward(client, &message, &shared.upstream, limit)?.reset(client)
        }
        Some(Fault::Truncate(limit)) => {
            forward(client, &message, &shared.upstream, limit)?.finish(client)
        }
        Some(Fault::Delay(_)) | None => {
            forward(client, &message, &shared.upstream, u64::MAX)?.finish(client)
        }
    }
}

/// Makes the close that follows an RST instead of a FIN.
fn reset(client: &TcpStream) -> io::Result<()> {
    socket2::SockRef::from(client).set_linger(Some(Duration::ZERO))
}

/// Ends our side and lets the client take in the answer before the socket goes.
fn close(client: &mut TcpStream) -> io::Result<()> {
    client.shutdown(Shutdown::Write)?;
    client.set_read_timeout(Some(LINGER))?;
    io::copy(client, &mut io::sink()).map(drop)
}

fn refuse(client: &mut TcpStream, message: &Message, status: &str, code: &str) -> io::Result<()> {
    if message.header("expect").is_none() {
        drain(message, client)?;
    }
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>\
         <Message>{code}, as the test asked for.</Message></Error>"
    );
    // The answer to HEAD has no body.
    let sent = if message.first_line().0 == "HEAD" {
        ""
    } else {
        body.as_str()
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{sent}",
        body.len()
    )?;
    close(client)
}

fn cut_upload(
    client: &mut TcpStream,
    message: &Message,
    upstream: &str,
    limit: u64,
) -> io::Result<()> {
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(message.closing_head().as_bytes())?;
    let length = match message.body() {
        super::message::Body::Sized(length) => length,
        super::message::Body::Chunked => u64::MAX,
    };
    let mut body = message
        .body_start
        .as_slice()
        .chain(&mut *client)
        .take(limit.min(length));
    io::copy(&mut body, &mut server)?;
    if length <= limit {
        // The server has a whole request: it is to act on it before we go.
        Message::read(&mut server)?;
    }
    reset(client)
}

/// A request that is being passed on in a thread, beside its answer, which may
/// come before its end.
struct Upload {
    thread: JoinHandle<()>,
    server: TcpStream,
}

impl Upload {
    /// Lets the client take in the answer and close before the sockets go.
    fn finish(self, client: &mut TcpStream) -> io::Result<()> {
        let _ = self.server.shutdown(Shutdown::Both);
        client.shutdown(Shutdown::Write)?;
        let _ = self.thread.join();
        // What the server no longer wanted.
        io::copy(client, &mut io::sink()).map(drop)
    }

    fn reset(self, client: &TcpStream) -> io::Result<()> {
        // The thread's handles would keep the connection open.
        let _ = client.shutdown(Shutdown::Read);
        let _ = self.server.shutdown(Shutdown::Both);
        let _ = self.thread.join();
        reset(client)
    }
}

/// Passes the request on and up to `limit` bytes of the answer's body back. What is
/// missing of the answer when the server fails, the client misses as well.
fn forward(
    client: &mut TcpStream,
    message: &Message,
    upstream: &str,
    limit: u64,
) -> io::Result<Upload> {
    client.set_read_timeout(Some(LINGER))?;
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(message.closing_head().as_bytes())?;
    server.write_all(&message.body_start)?;
    let mut from = client.try_clone()?;
    let mut to = server.try_clone()?;
    let thread = std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
    });
    let _ = answer(client, &mut server, limit);
    Ok(Upload { thread, server })
}

fn answer(client: &mut TcpStream, server: &mut TcpStream, limit: u64) -> io::Result<()> {
    let mut bytes = Vec::new();
    let message = loop {
        let message = Message::read_after(bytes, server)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        // "100 Continue" comes before the answer proper.
        if !message.first_line().1.starts_with('1') {
            break message;
        }
        client.write_all(message.head().as_bytes())?;
        bytes = message.body_start;
    };
    client.write_all(message.closing_head().as_bytes())?;
    let mut body = message.body_start.as_slice().chain(server).take(limit);
    io::copy(&mut body, client).map(drop)
}
