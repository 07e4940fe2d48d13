//! Reads the rest of a request after an early answer.
//!
//! If a server answers before it has read the whole request, and then closes the connection, it
//! resets the connection. The answer may then be lost, and the client sees a broken connection
//! instead of "too large". So the rest of a body that is no longer needed is read and thrown away,
//! up to a limit.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt};

/// The most bytes that are read and thrown away. `TIME` is the longest time for that.
const BYTES: usize = 256 << 20;
const TIME: Duration = Duration::from_secs(5);

/// Makes the rest of a request's body be read when its handler drops it.
pub(crate) async fn drained(request: Request, next: Next) -> Response {
    // A client that asks first whether to send its body sends none after such an answer.
    let asks_first = request.headers().contains_key(header::EXPECT);
    let request = request.map(|body| {
        let rest = Some(body.into_data_stream());
        Body::from_stream(Drained { rest, is_wanted: !asks_first })
    });
    next.run(request).await
}

struct Drained {
    /// `None` at the end of the body.
    rest: Option<BodyDataStream>,
    /// `true` if the client sends the body without waiting for permission.
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
        // Without a runtime, the connection ends too.
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
