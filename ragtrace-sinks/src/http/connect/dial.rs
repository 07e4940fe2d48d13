//! Opens TCP connections to a named host, and connections to a socket in the file system.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::stream::Stream;
use crate::http::cause::{Cause, io_message};

/// The time for which one address is tried alone ("Happy Eyeballs", RFC 8305, section 5).
const ALONE: Duration = Duration::from_millis(250);

/// Connects to the first address of a host that answers.
pub(super) async fn host(host: &str, port: u16) -> Result<Stream, Cause> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((name, port)).await;
    let addresses: Vec<_> = match found {
        Ok(addresses) => in_turns(addresses.collect()),
        Err(error) => return Err(Cause::passing(format!("cannot find the host `{name}`: {error}"))),
    };
    if addresses.is_empty() {
        return Err(Cause::passing(format!("the host `{name}` has no address")));
    }
    let mut attempts = JoinSet::new();
    let mut waiting = addresses.into_iter();
    let mut failures: Vec<(String, Vec<SocketAddr>)> = Vec::new();
    loop {
        let next = waiting.next();
        let patience = if next.is_some() { ALONE } else { Duration::MAX };
        if let Some(address) = next {
            attempts.spawn(async move { (address, TcpStream::connect(address).await) });
        }
        match timeout(patience, attempts.join_next()).await {
            Ok(Some(Ok((_, Ok(stream))))) => return Ok(ready(stream)),
            Ok(Some(Ok((address, Err(error))))) => note(&mut failures, address, &error),
            // The time for this address alone is over, or the runtime ends: the next address is
            // tried beside it.
            Ok(Some(Err(_))) | Err(_) => {}
            Ok(None) => return Err(Cause::passing(told(&failures))),
        }
    }
}

/// Returns the addresses with the two families alternating, beginning with the resolver's first
/// one.
fn in_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let starts_with_6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == starts_with_6);
    let mut second = second.into_iter();
    let mut turns: Vec<_> = first.into_iter().flat_map(|address| [Some(address), second.next()]).flatten().collect();
    turns.extend(second);
    turns
}

fn ready(stream: TcpStream) -> Stream {
    // Without this option the connection is only slower.
    let _ = stream.set_nodelay(true);
    Stream::new(stream)
}

fn note(failures: &mut Vec<(String, Vec<SocketAddr>)>, address: SocketAddr, error: &io::Error) {
    let message = io_message(error);
    match failures.iter_mut().find(|(known, _)| *known == message) {
        Some((_, addresses)) => addresses.push(address),
        None => failures.push((message, vec![address])),
    }
}

/// Returns the failures, each with its addresses: `connection refused (127.0.0.1:4318,
/// [::1]:4318)`.
fn told(failures: &[(String, Vec<SocketAddr>)]) -> String {
    let told = failures.iter().map(|(message, addresses)| {
        let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        format!("{message} ({})", addresses.join(", "))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Connects to a socket in the file system.
#[cfg(unix)]
pub(super) async fn socket(path: &str) -> Result<Stream, Cause> {
    match tokio::net::UnixStream::connect(path).await {
        Ok(stream) => Ok(Stream::new(stream)),
        Err(error) => Err(Cause::passing(format!("{} ({path})", io_message(&error)))),
    }
}
