//! The open connections, whose number has a limit.
//!
//! If there are as many as allowed, a new connection replaces one: the one that has been without a
//! request for the longest time, or else the one whose answer has been under way for the longest
//! time, if that is more than a minute. So clients that are slow, on purpose or not, do not keep
//! others out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};
use tokio::sync::{Notify, oneshot};

/// The time after which an answer that is not finished may be cut off in favour of others.
const SLOW: Duration = Duration::from_mins(1);

/// The open connections. Clones are about the same ones.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    limit: usize,
    table: Mutex<Table>,
    /// Notified when a connection has ended, or has nothing to answer.
    changed: Notify,
}

#[derive(Default)]
struct Table {
    next: u64,
    open: HashMap<u64, Open>,
}

/// An open connection. It is closed when this is dropped.
struct Open {
    _close: oneshot::Sender<()>,
    /// The number of answers under way.
    answers: usize,
    /// When the number last changed.
    since: Instant,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Self {
        Self(Arc::new(Shared { limit, table: Mutex::default(), changed: Notify::new() }))
    }

    /// Waits for a place, and takes it.
    pub(super) async fn place(&self) -> Place {
        loop {
            let changed = self.0.changed.notified();
            if let Some(place) = self.try_place() {
                return place;
            }
            // A slow answer may be replaced a while later, without any change until then.
            let _ = tokio::time::timeout(Duration::from_secs(1), changed).await;
        }
    }

    fn try_place(&self) -> Option<Place> {
        let mut table = self.lock();
        if table.open.len() >= self.0.limit {
            let replaced = table.replaceable()?;
            table.open.remove(&replaced);
        }
        let (close, closed) = oneshot::channel();
        let id = table.next;
        table.next += 1;
        table.open.insert(id, Open { _close: close, answers: 0, since: Instant::now() });
        drop(table);
        Some(Place { held: Held { id, connections: self.clone() }, closed })
    }

    /// Closes the connections that have nothing to answer.
    pub(super) fn close_idle(&self) {
        self.lock().open.retain(|_, open| open.answers > 0);
    }

    /// Waits until no connection is open.
    pub(super) async fn ended(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.lock().open.is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Open)) {
        if let Some(open) = self.lock().open.get_mut(&id) {
            change(open);
            open.since = Instant::now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Returns the connection that a new one may replace.
    fn replaceable(&self) -> Option<u64> {
        let oldest = |is: &dyn Fn(&Open) -> bool| {
            let fitting = self.open.iter().filter(|(_, open)| is(open));
            fitting.min_by_key(|(_, open)| open.since).map(|(id, _)| *id)
        };
        oldest(&|open| open.answers == 0).or_else(|| oldest(&|open| open.since.elapsed() > SLOW))
    }
}

/// The place of one connection, which is free again when this is dropped.
pub(super) struct Place {
    held: Held,
    closed: oneshot::Receiver<()>,
}

impl Place {
    /// Waits until the connection is to be closed in favour of another.
    pub(super) async fn closed(&mut self) {
        let _ = (&mut self.closed).await;
    }

    /// Returns what counts the connection's answers under way.
    pub(super) fn answers(&self) -> Answers {
        Answers { id: self.held.id, connections: self.held.connections.clone() }
    }
}

/// Counts the answers of one connection that are under way.
pub(super) struct Answers {
    id: u64,
    connections: Connections,
}

impl Answers {
    /// Notes that a request is being answered, until the result is dropped.
    pub(super) fn begin(&self) -> Answering {
        self.connections.change(self.id, |open| open.answers += 1);
        Answering { id: self.id, connections: self.connections.clone() }
    }
}

struct Held {
    id: u64,
    connections: Connections,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.connections.lock().open.remove(&self.id);
        self.connections.0.changed.notify_waiters();
    }
}

/// An answer under way.
pub(super) struct Answering {
    id: u64,
    connections: Connections,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.connections.change(self.id, |open| open.answers = open.answers.saturating_sub(1));
        self.connections.0.changed.notify_waiters();
    }
}

/// The body of an answer, which is under way until the body is dropped.
pub(super) struct AnswerBody {
    pub(super) body: Body,
    pub(super) _answering: Answering,
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_new_connection_replaces_the_one_that_has_been_idle_for_the_longest_time() {
        let connections = Connections::new(2);
        let (mut first, second) = (connections.place().await, connections.place().await);
        drop(first.answers().begin());
        let third = connections.place().await;
        assert!(!connections.lock().open.contains_key(&second.held.id), "it was idle before the first");
        let _busy = (first.answers().begin(), third.answers().begin());
        let waiting = connections.place();
        assert!(tokio::time::timeout(Duration::from_millis(20), waiting).await.is_err(), "all are busy");
        drop(third);
        let _fourth = connections.place().await;
        connections.close_idle();
        assert_eq!(connections.lock().open.len(), 1);
        drop(connections.lock().open.remove(&first.held.id));
        first.closed().await;
    }
}
