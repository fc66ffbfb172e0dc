//! Free loopback ports for programs that must be told theirs.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context as _, Result};

/// Ports that were free a moment ago, each another one. Somebody else may take one
/// before the program listens; whoever starts it must try again then.
pub(crate) fn free<const N: usize>() -> Result<[u16; N]> {
    let mut ports = [0; N];
    // All are held until the last is found, or one could come twice.
    let mut held = Vec::with_capacity(N);
    for port in &mut ports {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free loopback port")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Whether a program's log says that a port was taken by somebody else.
pub(crate) fn clash(log: &str) -> bool {
    log.contains("address already in use")
}
