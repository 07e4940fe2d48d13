//! The worker's end of a thread's chain.

use super::block::{Position, Reader};
use super::memory::Memory;
use super::sync::{Arc, AtomicBool, Ordering};
use crate::context::Request;
use crate::entry::{self, Entry};

/// Reads the entries of one thread's chain.
pub struct Consumer {
    chain: Reader,
    at_end: Arc<AtomicBool>,
    thread: std::sync::Arc<str>,
    /// The position up to which a flush waits for the chain to be read.
    flush_target: Position,
    /// The request that the next entries belong to.
    request: Option<std::sync::Arc<Request>>,
}

/// An entry with its request and the name of the thread that recorded it.
pub struct QueuedEntry<'a> {
    /// The entry, which is never the identity of a request.
    pub entry: Entry<'a>,
    pub request: &'a std::sync::Arc<Request>,
    pub thread: &'a std::sync::Arc<str>,
}

/// A cache of recently identified requests.
///
/// A request is identified again by each thread that works on it, and each time a thread returns to
/// it.
#[derive(Debug)]
pub struct RequestCache {
    /// One slot for each remainder of a request's version, which is a random number. A slot holds
    /// the latest request that maps to it.
    places: Box<[Option<std::sync::Arc<Request>>]>,
}

impl Default for RequestCache {
    fn default() -> Self {
        Self { places: vec![None; Self::CAPACITY].into() }
    }
}

impl RequestCache {
    /// The maximum number of requests that are kept. A request that gave way is decoded again. With
    /// many more places, the finished requests in them would keep memory that new ones could reuse
    /// while the processor still has it in its cache.
    const CAPACITY: usize = 512;

    /// Returns the request with this version from the cache, or decodes and caches it.
    fn get_or_decode(
        &mut self,
        version: u64,
        decode: impl FnOnce() -> Option<Request>,
    ) -> Option<std::sync::Arc<Request>> {
        let at = usize::try_from(version % Self::CAPACITY as u64).ok()?;
        let place = self.places.get_mut(at)?;
        if let Some(request) = place.as_ref().filter(|request| request.version == version) {
            return Some(std::sync::Arc::clone(request));
        }
        let request = std::sync::Arc::new(decode()?);
        *place = Some(std::sync::Arc::clone(&request));
        Some(request)
    }
}

impl Consumer {
    pub(super) fn new(chain: Reader, at_end: Arc<AtomicBool>, thread: std::sync::Arc<str>) -> Self {
        Self { chain, at_end, thread, flush_target: Position::default(), request: None }
    }

    /// Makes the present end of the chain the target of a flush.
    pub fn set_flush_target(&mut self) {
        self.flush_target = self.chain.end();
    }

    /// Returns `true` if everything up to the target of the flush has been read.
    pub fn has_reached_flush_target(&self) -> bool {
        self.chain.position() >= self.flush_target
    }

    /// Takes entries from the chain; see [`Queue::drain`](super::Queue::drain).
    pub(super) fn drain(
        &mut self,
        memory: &Memory,
        requests: &mut RequestCache,
        most: usize,
        mut take: impl FnMut(QueuedEntry<'_>),
    ) -> Option<usize> {
        // Loaded before the chain is read, so that everything the thread wrote before its end is
        // visible.
        let at_end = self.at_end.load(Ordering::Acquire);
        let mut taken = 0;
        while taken < most {
            let Some(words) = self.chain.read(&memory.pool, |blocks| memory.release(blocks)) else {
                return if at_end { None } else { Some(taken) };
            };
            taken += 1;
            if let Some(version) = entry::request_version(words) {
                self.request = requests.get_or_decode(version, || entry::decode_request(words));
            } else if let Some(request) = &self.request {
                take(QueuedEntry { entry: Entry::of(words), request, thread: &self.thread });
            }
        }
        Some(taken)
    }
}
