//! The stream of new records, as server-sent events.
//!
//! Events carry rows of the page as HTML, which the server writes and escapes as on the page
//! itself. An event's id is the time of the newest record that was sent. A browser that comes back
//! with it gets what was stored since a little before, so rows may come twice; each has its
//! record's id, by which the page leaves out those that it has.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, stream};
use ragtrace::Timestamp;
use ragtrace_store::{LogRow, LogStore, TailCursor};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::filter::Wanted;
use super::rows;
use crate::output::Failure;
use crate::output::secret::mask;
use crate::view::ending::Ending;
use crate::view::params::Params;
use crate::view::problem::Problem;
use crate::view::session::Session;
use crate::view::viewer::Viewer;

/// The pause between two queries for new records, and the longest after queries that failed.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// The pause between two queries for the stages that run.
const RUNNING: Duration = Duration::from_secs(2);
/// The time after which a comment keeps a silent stream alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// The longest life of a stream. A page that is still open comes back.
const LIFE: Duration = Duration::from_mins(15);
/// The largest number of rows in one event. If more have come, the oldest are left out: the page
/// shows no more anyway.
const ROWS: usize = 500;
/// How far before the last event a page that comes back is sent records again: records are stored
/// some time after they were made, and not in that order.
const OVERLAP: Duration = Duration::from_secs(30);

/// `GET /live/events`.
pub(super) async fn events(
    State(viewer): State<Arc<Viewer>>,
    session: Session,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let wanted = Wanted::of(&params)?;
    let too_many = || {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many pages follow new records already")
            .advice("Close some of them, and reload the page.")
    };
    let place = Arc::clone(&viewer.streams).try_acquire_owned().map_err(|_| too_many())?;
    let store = session.store().clone();
    // The cursor is taken first, so that no record falls between the two queries.
    let cursor = store.tail(None).await?.cursor;
    let mut follower = Follower {
        store,
        wanted,
        cursor,
        ending: viewer.ending.clone(),
        ready: VecDeque::from([Event::default().event("open").data("")]),
        newest: None,
        pause: PAUSE,
        opened: Instant::now(),
        asked_running: None,
        shown_running: None,
        is_done: false,
        _place: place,
    };
    if let Some(seen) = last_seen(&headers) {
        let since = seen.minus(OVERLAP);
        let mut missed = follower.store.logs(follower.wanted.newest(ROWS).since(since)).await?;
        missed.reverse();
        follower.send(&missed);
    }
    let stream = Sse::new(follower.into_stream()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok(([("x-accel-buffering", "no")], stream).into_response())
}

/// Returns the time in the id of the last event that a page has seen.
fn last_seen(headers: &HeaderMap) -> Option<Timestamp> {
    let micros = headers.get("last-event-id")?.to_str().ok()?.parse().ok()?;
    Some(Timestamp::from_micros(micros))
}

/// A page that follows new records.
struct Follower {
    store: LogStore,
    wanted: Wanted,
    cursor: TailCursor,
    ending: Ending,
    ready: VecDeque<Event>,
    /// The time of the newest record that was sent.
    newest: Option<Timestamp>,
    /// The pause before the next query, longer after queries that failed.
    pause: Duration,
    opened: Instant,
    asked_running: Option<Instant>,
    /// The running stages as they were sent last.
    shown_running: Option<String>,
    is_done: bool,
    _place: OwnedSemaphorePermit,
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
            if self.is_done || self.opened.elapsed() > LIFE {
                return None;
            }
            let ending = self.ending.clone();
            tokio::select! {
                () = ending.begun() => {
                    self.is_done = true;
                    return Some(Event::default().event("end").data(""));
                }
                asked = self.ask() => match asked {
                    Ok(()) => self.pause = PAUSE,
                    Err(error) => self.tell(error),
                },
            }
        }
    }

    /// Asks for new records and, now and then, for the stages that run.
    async fn ask(&mut self) -> Result<(), ragtrace_store::StoreError> {
        if self.asked_running.is_none_or(|asked| asked.elapsed() >= RUNNING) {
            let running = self.store.inflight().await?;
            let running: Vec<_> = running.iter().filter(|row| self.wanted.takes_running(row)).collect();
            let shown = rows::running(&running).into_string();
            self.asked_running = Some(Instant::now());
            if self.shown_running.as_ref() != Some(&shown) {
                self.ready.push_back(Event::default().event("running").data(&shown));
                self.shown_running = Some(shown);
            }
        }
        tokio::time::sleep(self.pause).await;
        let tail = self.store.tail(Some(self.cursor.clone())).await?;
        self.cursor = tail.cursor;
        if self.pause > PAUSE {
            self.ready.push_back(Event::default().event("open").data(""));
        }
        let rows: Vec<_> = tail.rows.into_iter().filter(|row| self.wanted.takes(row)).collect();
        self.send(&rows);
        Ok(())
    }

    /// Sends rows, which are oldest first. The page puts each on top of those before it.
    fn send(&mut self, rows: &[LogRow]) {
        let left_out = rows.len().saturating_sub(ROWS);
        let rows = &rows[left_out..];
        let Some(newest) = rows.iter().map(|row| row.timestamp()).chain(self.newest).max() else { return };
        self.newest = Some(newest);
        if left_out > 0 {
            self.ready.push_back(Event::default().event("gap").data(left_out.to_string()));
        }
        if !rows.is_empty() {
            let html: String = rows.iter().map(|row| rows::line(row).into_string()).collect();
            self.ready.push_back(Event::default().event("rows").id(newest.as_micros().to_string()).data(html));
        }
    }

    /// Tells the page that the store does not answer, and asks again a while later.
    fn tell(&mut self, error: ragtrace_store::StoreError) {
        let why = mask(&Failure::from(error).to_string()).into_owned();
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.asked_running = Some(Instant::now());
        self.ready.push_back(Event::default().event("trouble").data(why.replace(['\n', '\r'], " ")));
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_last_event_id_that_nobody_gave_is_none() {
        let seen = |text: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", HeaderValue::from_bytes(text).expect("a value"));
            last_seen(&headers).map(Timestamp::as_micros)
        };
        assert_eq!(seen(b"1795335611000000"), Some(1_795_335_611_000_000));
        for text in [&b""[..], b"x", b"99999999999999999999999", b"\xff", b"7 "] {
            assert_eq!(seen(text), None, "{text:?}");
        }
    }
}
