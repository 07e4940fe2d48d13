//! Sends a trace as server-sent events while it runs.
//!
//! The stream may be opened before its trace begins: a page picks the id, opens the stream, and
//! then sends the request. The stream ends when the roots of the trace have ended and no record has
//! come for a moment, since records of other threads may come after the root's. A client that comes
//! back with the id of the last event it has seen continues from there. If that event was the end,
//! the answer is 204, since otherwise an `EventSource` would reconnect for ever.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use ragtrace::TraceId;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::ask::{KEEP_ALIVE, event};
use super::caller::Caller;
use super::problem::Problem;
use super::trace_id::{TraceInPath, foreign, unknown};
use crate::app::App;
use crate::live::{Ended, Happening, Reading};
use crate::run_view::millis;

/// The longest wait for a trace to begin.
const BEGINNING: Duration = Duration::from_mins(1);
/// The time without records after the end of a trace's roots, after which the stream ends.
const QUIET: Duration = Duration::from_millis(250);
/// The longest wait for runs that continue after the roots have ended, in detached tasks.
const TAIL: Duration = Duration::from_secs(10);
/// The longest life of a stream. A client that is still interested reconnects.
const LIFE: Duration = Duration::from_mins(15);

/// `GET /api/traces/{id}/events`.
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    TraceInPath(id): TraceInPath,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = Seen::of(&headers);
    let arrivals = app.live.arrivals();
    match app.live.read(id, seen.number, caller.tenant()) {
        Reading::Foreign => return Err(foreign()),
        Reading::Events { events, ended: Some(_), .. } if seen.is_end && events.is_empty() => {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        Reading::Events { .. } => (),
        // A trace that is no longer in memory has ended long ago.
        Reading::Nothing => match app.history.trace(id).await {
            Ok(Some(view)) if view.owner() != caller.tenant() => return Err(foreign()),
            Ok(Some(_)) => return Ok(StatusCode::NO_CONTENT.into_response()),
            Ok(None) => (),
            Err(error) => return Err(Problem::internal(&error)),
        },
    }
    let tenant = caller.tenant().map(str::to_owned);
    let follower = Follower {
        app,
        id,
        tenant,
        arrivals,
        position: seen.number,
        ready: VecDeque::new(),
        opened: Instant::now(),
        is_known: false,
        is_done: false,
    };
    let stream = Sse::new(follower.into_stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([("x-accel-buffering", "no")], stream).into_response())
}

/// The last event that a client has seen. The end of a trace has the number of its last event, and
/// a mark.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    number: u64,
    is_end: bool,
}

const END: &str = "end-";

impl Seen {
    fn of(headers: &HeaderMap) -> Self {
        let text = headers.get("last-event-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let (number, is_end) = match text.strip_prefix(END) {
            Some(number) => (number, true),
            None => (text, false),
        };
        number.parse().map_or_else(|_| Self::default(), |number| Self { number, is_end })
    }
}

/// A client that follows a trace.
struct Follower {
    app: Arc<App>,
    id: TraceId,
    tenant: Option<String>,
    arrivals: watch::Receiver<()>,
    /// The number of the last event that was sent to the client.
    position: u64,
    ready: VecDeque<Event>,
    opened: Instant,
    /// `true` once the trace has begun.
    is_known: bool,
    is_done: bool,
}

impl Follower {
    fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut follower| async move { Some((Ok(follower.next().await?), follower)) })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_done || self.app.shutdown.has_begun() || self.opened.elapsed() > LIFE {
                return None;
            }
            self.arrivals.mark_unchanged();
            if let Some(pause) = self.read() {
                tokio::select! {
                    changed = self.arrivals.changed() => self.is_done |= changed.is_err(),
                    () = self.app.shutdown.begun() => (),
                    () = tokio::time::sleep(pause) => (),
                }
            }
        }
    }

    /// Reads new events. If there are none, returns how long to wait for more.
    fn read(&mut self) -> Option<Duration> {
        match self.app.live.read(self.id, self.position, self.tenant.as_deref()) {
            Reading::Foreign => self.fail(foreign()),
            // The trace was known, and was removed to make room for newer ones.
            Reading::Nothing if self.is_known => self.fail(unknown()),
            Reading::Nothing => match BEGINNING.checked_sub(self.opened.elapsed()) {
                Some(left) => return Some(left),
                None => self.fail(unknown()),
            },
            Reading::Events { missed, events, ended } => {
                self.is_known = true;
                if events.is_empty() {
                    return self.end(ended);
                }
                if missed > 0 {
                    self.ready.push_back(event("gap", &json!({ "missed": missed })));
                }
                self.take(&events);
            }
        }
        None
    }

    fn take(&mut self, events: &[(u64, Happening)]) {
        for (number, happening) in events {
            let event = match happening {
                Happening::Run(run) => event("stage", &run.as_event()),
                Happening::Line(line) => event("log", line),
            };
            self.ready.push_back(event.id(number.to_string()));
            self.position = *number;
        }
    }

    /// Ends the stream if the trace has ended. Otherwise returns how long to wait.
    fn end(&mut self, ended: Option<Ended>) -> Option<Duration> {
        let Some(ended) = ended else { return Some(LIFE) };
        let needed = if ended.has_open_runs { TAIL } else { QUIET };
        if let Some(left) = needed.checked_sub(ended.quiet).filter(|left| !left.is_zero()) {
            return Some(left);
        }
        let data = json!({ "status": ended.status, "duration_ms": millis(ended.duration) });
        self.ready.push_back(event("end", &data).id(format!("{END}{}", ended.last)));
        self.is_done = true;
        None
    }

    fn fail(&mut self, problem: Problem) {
        self.ready.push_back(event("problem", &problem.into_details()));
        self.is_done = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_event_id_that_nobody_gave_means_from_the_start() {
        let seen = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", axum::http::HeaderValue::from_bytes(text).expect("a value"));
            let Seen { number, is_end } = Seen::of(&headers);
            (number, is_end)
        };
        assert_eq!(seen(b"7"), (7, false));
        assert_eq!(seen(b"end-7"), (7, true));
        for text in [&b""[..], b"-1", b"end-", b"99999999999999999999999", b"\xff", b"7 "] {
            assert_eq!(seen(text), (0, false), "{text:?}");
        }
    }
}
