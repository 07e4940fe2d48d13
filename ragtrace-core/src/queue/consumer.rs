//! The worker's end of a thread's chain.

use std::collections::HashMap;

use super::Queue;
use super::block::{Place, Reader};
use super::sync::{Arc, AtomicBool, Ordering};
use crate::context::Request;
use crate::stage::entry::{self, Entry};

/// What the worker reads a thread's chain with.
pub struct Consumer {
    chain: Reader,
    at_end: Arc<AtomicBool>,
    thread: std::sync::Arc<str>,
    /// As far as somebody waits for the chain to be read.
    wanted: Place,
    /// The request that the chain named last.
    request: Option<std::sync::Arc<Request>>,
}

/// What the worker reads: an entry, whose it is, and the thread it comes from.
pub struct Taken<'a> {
    /// It is no request's name.
    pub entry: Entry<'a>,
    pub request: &'a std::sync::Arc<Request>,
    pub thread: &'a std::sync::Arc<str>,
}

/// What the worker keeps while it reads chains: the requests that they named lately, since a request is named again by
/// every thread that works on it, and whenever a thread comes back to it.
#[derive(Debug, Default)]
pub struct Requests {
    named: HashMap<u64, std::sync::Arc<Request>>,
}

impl Requests {
    /// So many are kept, and then all are forgotten.
    const MOST: usize = 4_096;

    fn named(&mut self, version: u64, read: impl FnOnce() -> Option<Request>) -> Option<std::sync::Arc<Request>> {
        if let Some(request) = self.named.get(&version) {
            return Some(std::sync::Arc::clone(request));
        }
        let request = std::sync::Arc::new(read()?);
        if self.named.len() >= Self::MOST {
            self.named.clear();
        }
        self.named.insert(version, std::sync::Arc::clone(&request));
        Some(request)
    }
}

impl Consumer {
    pub(super) fn new(chain: Reader, at_end: Arc<AtomicBool>, thread: std::sync::Arc<str>) -> Self {
        Self { chain, at_end, thread, wanted: Place::default(), request: None }
    }

    /// Notes that what the chain holds now is wanted.
    pub fn want(&mut self) {
        self.wanted = self.chain.end();
    }

    /// Whether all was read that was wanted.
    pub fn has_reached(&self) -> bool {
        self.chain.place() >= self.wanted
    }

    /// Takes at most `most` entries, and says whether there may be more to come: `None` when the thread is gone and
    /// its chain at its end, else how many were taken.
    pub fn drain(
        &mut self,
        queue: &Queue,
        requests: &mut Requests,
        most: usize,
        mut take: impl FnMut(Taken<'_>),
    ) -> Option<usize> {
        // Read before the chain is: what the thread wrote before its end is seen then.
        let at_end = self.at_end.load(Ordering::Acquire);
        let went_on = |blocks| {
            queue.blocks.fetch_sub(blocks, Ordering::Relaxed);
        };
        let mut taken = 0;
        while taken < most {
            let Some(words) = self.chain.read(&queue.pool, went_on) else {
                return if at_end { None } else { Some(taken) };
            };
            taken += 1;
            if let Some(version) = entry::names_a_request(words) {
                self.request = requests.named(version, || entry::read_request(words));
            } else if let Some(request) = &self.request {
                take(Taken { entry: Entry::of(words), request, thread: &self.thread });
            }
        }
        Some(taken)
    }
}
