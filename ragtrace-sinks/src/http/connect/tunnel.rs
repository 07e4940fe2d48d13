//! Opens a tunnel through a proxy (RFC 9110, section 9.3.6, `CONNECT`).

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::proxy::Proxy;
use super::stream::Stream;
use crate::http::cause::{Cause, io_message};

/// The longest answer that is accepted from a proxy, in bytes.
const LONGEST: usize = 16 * 1024;

/// Asks a proxy to connect to a host, and returns the connection to that host.
pub(super) async fn open(stream: Stream, proxy: &Proxy, host: &str, port: u16) -> Result<Stream, Cause> {
    let failed = |error: std::io::Error| Cause::passing(format!("proxy {proxy}: {}", io_message(&error)));
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(authorization) = &proxy.authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let mut io = stream.into_io();
    io.write_all(&request).await.map_err(failed)?;
    io.flush().await.map_err(failed)?;

    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        // The answer is read byte by byte, since the bytes after its empty line come from the host.
        match io.read_u8().await {
            Ok(byte) if answer.len() < LONGEST => answer.push(byte),
            Ok(_) => return Err(Cause::passing(format!("proxy {proxy}: its answer is too long"))),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(Cause::passing(format!("proxy {proxy}: it closed the connection without an answer")));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    match status(&answer) {
        Some(200..=299) => Ok(Stream::new(io)),
        Some(407) => Err(Cause::lasting(format!(
            "proxy {proxy}: 407 Proxy Authentication Required: set user and password in its URL, \
             `http://user:password@host:port`"
        ))),
        Some(status @ 400..=499) => Err(Cause::lasting(format!(
            "proxy {proxy}: it refuses to connect to {host}:{port} with {status}: allow it there"
        ))),
        Some(status) => Err(Cause::passing(format!("proxy {proxy}: it cannot connect to {host}:{port}: {status}"))),
        None => Err(Cause::passing(format!("proxy {proxy}: its answer is not HTTP"))),
    }
}

/// Returns the status of an answer such as `HTTP/1.1 200 Connection established`.
fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.split(|&byte| byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    words.next()?.parse().ok()
}
