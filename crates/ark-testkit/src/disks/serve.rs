//! The server's threads: one that takes connections, one for each of them. Writes
//! down what is asked, lets go wrong what shall, and asks the cloud meant for the rest.

use std::io::{self, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use super::http::{self, Call, Reply};
use super::record::{Deed, Request};
use super::state::State;
use super::{arm, gce};

/// Serves `listener` until the process ends.
pub(super) fn start(listener: TcpListener, state: Arc<Mutex<State>>) -> io::Result<()> {
    std::thread::Builder::new()
        .name("disk-cloud".to_owned())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                // Without a thread the connection is dropped: the client sees it.
                let _ = std::thread::Builder::new()
                    .name("disk-cloud-connection".to_owned())
                    // Whoever breaks off sees it, there is no one else to tell.
                    .spawn(move || drop(serve(&stream, &state)));
            }
        })?;
    Ok(())
}

fn serve(stream: &TcpStream, state: &Mutex<State>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(call) = http::read(&mut reader)? {
        let reply = answer(
            &mut state.lock().unwrap_or_else(PoisonError::into_inner),
            &call,
        );
        let Some(reply) = reply else { break };
        reply.write(&mut writer, call.is_last)?;
        if call.is_last {
            break;
        }
    }
    Ok(())
}

/// The answer, or nothing if it gets lost.
fn answer(state: &mut State, call: &Call) -> Option<Reply> {
    state.log.push(Request {
        method: call.method.clone(),
        target: call.target.clone(),
        authorization: call.authorization.clone(),
        body: call.body.clone(),
    });
    let mut faults = state.faults.iter_mut();
    let deed = faults.find_map(|fault| {
        fault
            .strikes(&call.method, &call.target)
            .then(|| fault.deed.clone())
    });
    match deed {
        None => Some(ask(state, call)),
        Some(Deed::Lose) => {
            ask(state, call);
            None
        }
        Some(Deed::Refuse {
            status,
            body,
            retry_after,
        }) => {
            let mut reply = refuse(status, call);
            if let Some(body) = body {
                reply.body = body;
            }
            if let Some(seconds) = retry_after {
                reply = reply.with("Retry-After", seconds.to_string());
            }
            Some(reply)
        }
    }
}

fn is_gce(call: &Call) -> bool {
    call.path.first().is_some_and(|first| first == "compute")
}

fn ask(state: &mut State, call: &Call) -> Reply {
    if is_gce(call) {
        gce::answer(state, call)
    } else {
        arm::answer(state, call)
    }
}

fn refuse(status: u16, call: &Call) -> Reply {
    if is_gce(call) {
        gce::refuse(status)
    } else {
        arm::refuse(status)
    }
}
