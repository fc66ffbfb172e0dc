//! A reverse proxy that breaks HTTP/1.1 in the ways real networks and overloaded
//! servers do, by a script that can change while it runs.
//!
//! It stands before any plain `http` endpoint. Requests pass through byte for byte
//! with one change: `Connection: close`, so that each request has a connection of
//! its own and a fault hits exactly one. `Host` stays what the client sent, which
//! is this proxy's address, and so does the signature over it (Signature Version 4
//! servers check the host that they receive, not the one they listen on).

mod connection;
mod message;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset (RST) when the request's head has come; the server
    /// never hears of it.
    Reset,
    /// The connection is reset after this many bytes of the request's body were
    /// passed on (all, if it has fewer); the server sees a request cut short, or a
    /// whole one whose answer gets lost.
    ResetUpload(u64),
    /// The connection is reset after this many bytes of the answer's body.
    ResetDownload(u64),
    /// The connection is closed in order after this many bytes of the answer's body,
    /// while the head promises all of it.
    Truncate(u64),
    /// 500 with S3's `InternalError`; the server never hears of it.
    InternalError,
    /// 503 with S3's `SlowDown`; the server never hears of it.
    SlowDown,
    /// 403 with S3's `AccessDenied`; the server never hears of it.
    AccessDenied,
    /// 501 with S3's `NotImplemented`; the server never hears of it.
    NotImplemented,
    /// The request is passed on without this header (small letters), as to a server that
    /// does not know it. A server that checks signatures refuses such a request.
    Without(&'static str),
    /// The request is passed on so much later, and then as usual.
    Delay(Duration),
}

/// Which requests a fault hits: all parts must match.
#[derive(Debug, Clone)]
pub struct Rule {
    method: Option<String>,
    path: String,
    occurrences: RangeInclusive<usize>,
    fault: Fault,
}

impl Rule {
    /// Every request whose path and query contain `path` (`""`: any).
    pub fn new(path: &str, fault: Fault) -> Self {
        Self {
            method: None,
            path: path.to_owned(),
            occurrences: 1..=usize::MAX,
            fault,
        }
    }

    /// Only requests with this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only the first `count` of the requests that match since the rule was set.
    #[must_use]
    pub fn first(self, count: usize) -> Self {
        self.occurrences(1..=count)
    }

    /// Only the `nth` request that matches, from 1.
    #[must_use]
    pub fn nth(self, nth: usize) -> Self {
        self.occurrences(nth..=nth)
    }

    /// Only these of the requests that match, from 1.
    #[must_use]
    pub fn occurrences(mut self, occurrences: RangeInclusive<usize>) -> Self {
        self.occurrences = occurrences;
        self
    }

    fn matches(&self, request: &Request) -> bool {
        self.method
            .as_ref()
            .is_none_or(|method| *method == request.method)
            && request.target.contains(&self.path)
    }
}

/// A request that the proxy has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `PUT` and so on.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The fault that hit it; delays are not told here.
    pub fault: Option<Fault>,
}

/// A running proxy; stops when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    stopped: AtomicBool,
    script: Mutex<Script>,
}

#[derive(Debug, Default)]
struct Script {
    rules: Vec<(Rule, usize)>,
    requests: Vec<Request>,
}

impl FaultProxy {
    /// Starts before `upstream` (`http://HOST:PORT`), with no fault set.
    pub fn start(upstream: &str) -> io::Result<Self> {
        let upstream = upstream.strip_prefix("http://").ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{upstream} is not http://HOST:PORT"),
            )
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: upstream.trim_end_matches('/').to_owned(),
            stopped: AtomicBool::new(false),
            script: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("fault-proxy".to_owned())
            .spawn(move || accept(&listener, &accepting))?;
        Ok(Self { address, shared })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a rule after the others. Of several that match a request, the first
    /// whose occurrence it is decides; delays add up with it.
    pub fn add(&self, rule: Rule) {
        self.shared.script().rules.push((rule, 0));
    }

    /// Replaces all rules; what they count begins anew. `[]` makes the proxy behave.
    pub fn set(&self, rules: impl IntoIterator<Item = Rule>) {
        self.shared.script().rules = rules.into_iter().map(|rule| (rule, 0)).collect();
    }

    /// Every request so far, in the order in which their heads came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.script().requests.clone()
    }

    /// How many requests had this method (`""`: any) and `path` in path and query.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let counted = |request: &&Request| {
            (method.is_empty() || request.method == method) && request.target.contains(path)
        };
        self.shared.script().requests.iter().filter(counted).count()
    }

    /// How many requests were hit by a fault other than a delay.
    pub fn faults(&self) -> usize {
        self.shared
            .script()
            .requests
            .iter()
            .filter(|request| request.fault.is_some())
            .count()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        // Nothing under the lock can leave the script half changed.
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the request and tells what is to happen to it.
    fn decide(&self, mut request: Request) -> (Duration, Option<Fault>) {
        let mut script = self.script();
        let mut delay = Duration::ZERO;
        for (rule, seen) in &mut script.rules {
            if !rule.matches(&request) {
                continue;
            }
            *seen += 1;
            match rule.fault {
                _ if !rule.occurrences.contains(seen) => {}
                Fault::Delay(more) => delay += more,
                fault => request.fault = request.fault.or(Some(fault)),
            }
        }
        let fault = request.fault;
        script.requests.push(request);
        (delay, fault)
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        let Ok(client) = client else { continue };
        let shared = Arc::clone(shared);
        // A connection that fails is what this proxy is for; its client notices.
        std::thread::spawn(move || connection::serve(client, &shared));
    }
}
