//! The traces in memory, and the choice of those that are removed.

use std::collections::{HashMap, VecDeque};

use ragtrace::{Event, Record, TraceId};

use super::trace_log::TraceLog;

/// The largest number of traces.
const TRACES: usize = 512;
/// The most memory for all traces, as an estimate in bytes.
const BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
pub(super) struct Memory {
    traces: HashMap<TraceId, TraceLog>,
    /// In the order in which the traces began, except that a trace which still runs gets another
    /// round.
    order: VecDeque<TraceId>,
    bytes: usize,
    needs_tenant: bool,
}

/// Returns `true` for a request that changes nothing. A request without a matching route has only
/// its method as a name.
fn only_reads(stage: &str) -> bool {
    let method = stage.split(' ').next().unwrap_or_default();
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

impl Memory {
    pub(super) fn trace(&self, id: TraceId) -> Option<&TraceLog> {
        self.traces.get(&id)
    }

    /// Creates a memory that keeps no traces without a tenant. If users are known, strangers leave
    /// nothing.
    pub(super) fn of_tenants() -> Self {
        Self { needs_tenant: true, ..Self::default() }
    }

    /// Adds a record to its trace.
    ///
    /// Requests that only read are left out: probes would fill the memory, and the stream of a
    /// trace that was opened in the same trace would wait for its own end.
    pub(super) fn add(&mut self, record: &Record) {
        let Some(id) = record.trace_id().filter(|_| !record.stage().is_some_and(only_reads)) else { return };
        if !self.traces.contains_key(&id) {
            // A score may come long after its trace, and does not begin one.
            if record.event() == Event::Score || (self.needs_tenant && record.tenant_id().is_none()) {
                return;
            }
            self.make_room(1);
            self.order.push_back(id);
            self.traces.insert(id, TraceLog::of(record));
        }
        if let Some(trace) = self.traces.get_mut(&id) {
            let before = trace.bytes();
            trace.add(record);
            self.bytes = (self.bytes + trace.bytes()).saturating_sub(before);
        }
        self.make_room(0);
    }

    /// Removes the oldest traces until there is room for `more` bytes, those that have ended first.
    fn make_room(&mut self, more: usize) {
        let mut spared = 0;
        while self.traces.len() + more > TRACES || self.bytes > BYTES {
            let Some(id) = self.order.pop_front() else { break };
            let is_open = self.traces.get(&id).is_some_and(TraceLog::is_open);
            if is_open && spared < self.order.len() {
                spared += 1;
                self.order.push_back(id);
                continue;
            }
            self.bytes = self.bytes.saturating_sub(self.traces.remove(&id).map_or(0, |trace| trace.bytes()));
        }
    }
}

#[cfg(test)]
mod tests {
    use ragtrace::SpanId;
    use ragtrace::testing::RecordBuilder;

    use super::*;

    fn started(id: TraceId) -> Record {
        RecordBuilder::started("work").trace_id(id).span_id(SpanId::new()).local_root(true).build()
    }

    fn ended(start: &Record) -> Record {
        let (id, span) = (start.trace_id().expect("a trace"), start.span_id().expect("a span"));
        RecordBuilder::completed("work").trace_id(id).span_id(span).local_root(true).build()
    }

    #[test]
    fn the_oldest_trace_that_has_ended_is_forgotten_first() {
        let mut memory = Memory::default();
        let ids: Vec<_> = (0..=TRACES).map(|_| TraceId::new()).collect();
        for (at, id) in ids.iter().enumerate() {
            let start = started(*id);
            memory.add(&start);
            if at > 0 {
                memory.add(&ended(&start));
            }
        }
        let is_known = |at: usize| memory.trace(ids[at]).is_some();
        assert_eq!((is_known(0), is_known(1), is_known(2), is_known(TRACES)), (true, false, true, true));
        assert_eq!((memory.traces.len(), memory.order.len()), (TRACES, TRACES));
    }

    #[test]
    fn memory_is_bounded_also_where_all_traces_run() {
        let mut memory = Memory::default();
        for _ in 0..TRACES * 3 {
            memory.add(&started(TraceId::new()));
        }
        assert_eq!((memory.traces.len(), memory.order.len()), (TRACES, TRACES));
        let large = "x".repeat(1 << 20);
        for _ in 0..200 {
            let record = RecordBuilder::log(large.clone()).trace_id(TraceId::new()).build();
            memory.add(&record);
        }
        assert!(memory.bytes <= BYTES + (2 << 20), "{}", memory.bytes);
        let bytes: usize = memory.traces.values().map(TraceLog::bytes).sum();
        assert_eq!(memory.bytes, bytes);
    }

    #[test]
    fn a_request_that_only_reads_leaves_nothing() {
        let mut memory = Memory::default();
        for stage in ["GET /healthz", "GET", "HEAD", "HEAD /", "OPTIONS"] {
            let id = TraceId::new();
            memory.add(&RecordBuilder::started(stage).trace_id(id).span_id(SpanId::new()).local_root(true).build());
            assert!(memory.trace(id).is_none(), "{stage}");
        }
    }

    #[test]
    fn where_users_are_known_a_stranger_leaves_nothing() {
        let mut memory = Memory::of_tenants();
        let start = || RecordBuilder::started("POST /api/ask").span_id(SpanId::new()).local_root(true);
        let (strangers, theirs) = (TraceId::new(), TraceId::new());
        memory.add(&start().trace_id(strangers).build());
        memory.add(&start().trace_id(theirs).tenant_id("acme").build());
        assert!(memory.trace(strangers).is_none() && memory.trace(theirs).is_some());
    }

    #[test]
    fn traces_that_grow_make_room_too() {
        let mut memory = Memory::default();
        let ids: Vec<_> = (0..40).map(|_| TraceId::new()).collect();
        let line = "x".repeat(1 << 20);
        for id in ids.iter().chain(&ids).chain(&ids) {
            memory.add(&RecordBuilder::log(line.clone()).trace_id(*id).build());
        }
        assert!(memory.bytes <= BYTES, "{}", memory.bytes);
    }

    #[test]
    fn a_score_alone_is_no_trace() {
        let mut memory = Memory::default();
        let id = TraceId::new();
        memory.add(&RecordBuilder::score(ragtrace::RecordScore::new("helpful", true)).trace_id(id).build());
        assert!(memory.trace(id).is_none());
    }
}
