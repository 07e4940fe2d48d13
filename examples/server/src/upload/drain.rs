//! Reading on after an answer was given early.
//!
//! A server that answers before it has read the request, and then closes the connection, resets it:
//! the answer may be lost on its way, and the client sees a broken connection instead of "too
//! large". So what is left of a body that nobody wants any more is read and thrown away, up to a
//! bound.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt};

/// How much is read on, in bytes, and for how long.
const BYTES: usize = 256 << 20;
const TIME: Duration = Duration::from_secs(5);

/// Has the request's body read on when its handler drops it.
pub(crate) async fn drained(request: Request, next: Next) -> Response {
    // A client that asks first whether to send its body at all sends none after such an answer.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| {
        let rest = Some(body.into_data_stream());
        Body::from_stream(Drained { rest, is_wanted: !asks_first })
    });
    next.run(request).await
}

struct Drained {
    /// `None` at the end.
    rest: Option<BodyDataStream>,
    /// True if the client sends it in any case.
    is_wanted: bool,
}

impl Stream for Drained {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.is_wanted = true;
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let next = std::task::ready!(rest.poll_next_unpin(cx));
        if !matches!(next, Some(Ok(_))) {
            self.rest = None;
        }
        Poll::Ready(next)
    }
}

impl Drop for Drained {
    fn drop(&mut self) {
        let Some(mut rest) = self.rest.take().filter(|_| self.is_wanted) else { return };
        // Where the runtime is at its end, so is the connection.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(TIME, async move {
                let mut left = BYTES;
                while let Some(Ok(chunk)) = rest.next().await {
                    let Some(less) = left.checked_sub(chunk.len()) else { break };
                    left = less;
                }
            }));
        }
    }
}
