//! Ports on loopback.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, Result};

/// A port that nobody listens on at this moment.
pub(crate) fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// Whether one could listen on that port.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// The port that was used before, if it is still to be had: addresses that people have noted stay true.
pub(crate) fn again_or_free(before: Option<u16>) -> Result<u16> {
    match before {
        Some(port) if is_free(port) => Ok(port),
        _ => free(),
    }
}
