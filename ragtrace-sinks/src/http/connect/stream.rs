//! A connection, of whatever it is made.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// A stream of bytes to a server and back.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection of the pool's.
pub(in crate::http) struct Stream {
    io: TokioIo<Box<dyn Io>>,
    is_http2: bool,
    is_proxied: bool,
    used: WasUsed,
}

/// True once a connection has given an answer: it was kept when it is used again.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct WasUsed(pub(in crate::http) Arc<AtomicBool>);

impl Stream {
    pub(super) fn new(io: impl Io + 'static) -> Self {
        Self { io: TokioIo::new(Box::new(io)), is_http2: false, is_proxied: false, used: WasUsed::default() }
    }

    /// Says that the server wants HTTP/2.
    pub(super) fn http2(self, is_http2: bool) -> Self {
        Self { is_http2, ..self }
    }

    /// Says that a proxy reads the requests, which have whole URLs then.
    pub(super) fn proxied(self) -> Self {
        Self { is_proxied: true, ..self }
    }

    pub(super) fn into_io(self) -> Box<dyn Io> {
        self.io.into_inner()
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.is_proxied).extra(self.used.clone());
        if self.is_http2 { connected.negotiated_h2() } else { connected }
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
    }
}
