//! The caller of a request, as any family of headers names it.

use std::sync::Arc;

use super::request::Request;
use super::request_context::RequestContext;
use crate::{SpanId, TraceId};

/// The flags of a `traceparent` (W3C Trace Context level 2, section 3.2.2). The others are reserved, and sent as zero.
pub mod trace_flag {
    /// The caller may have recorded its part of the trace.
    pub const SAMPLED: u8 = 1;
    /// The lower 56 bits of the trace's id are random. Whoever goes on with a trace leaves it as it is.
    pub const RANDOM: u8 = 1 << 1;

    /// Returns the flags of a trace of whose id nothing is known.
    pub const fn of_sampled(is_sampled: bool) -> u8 {
        if is_sampled { SAMPLED } else { 0 }
    }
}

/// Who called, in which trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The trace that it named.
    pub trace_id: TraceId,
    /// Its span; `None` if it named its trace alone, as others may.
    pub parent: Option<SpanId>,
    /// What of [`trace_flag`] is sent on.
    pub flags: u8,
}

impl RequestContext {
    /// Continues the trace of a caller. It has no request id.
    #[doc(hidden)]
    pub fn continuing(caller: Caller) -> Self {
        let Caller { trace_id, parent, flags } = caller;
        let request = Request {
            remote_parent: parent,
            trace_flags: flags & (trace_flag::SAMPLED | trace_flag::RANDOM),
            has_given_trace_id: parent.is_none(),
            ..Request::new(trace_id)
        };
        Self { request: Arc::new(request), span: parent }
    }
}
