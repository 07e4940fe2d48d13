//! A connection, whatever transport it uses.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::task::{Context, Poll};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// A bidirectional stream of bytes.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A connection in the pool.
pub(in crate::http) struct Stream {
    io: TokioIo<Box<dyn Io>>,
    is_http2: bool,
    is_proxied: bool,
    used: WasUsed,
}

/// `true` after a connection has given an answer, so that a second use is known as a reuse.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct WasUsed(pub(in crate::http) Arc<AtomicBool>);

impl Stream {
    pub(super) fn new(io: impl Io + 'static) -> Self {
        Self { io: TokioIo::new(Box::new(io)), is_http2: false, is_proxied: false, used: WasUsed::default() }
    }

    /// Sets whether the server has chosen HTTP/2.
    pub(super) fn http2(self, is_http2: bool) -> Self {
        Self { is_http2, ..self }
    }

    /// Marks that a proxy reads the requests, which need absolute URLs then.
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
