//! The caller of a request, as any family of headers names it.

use std::sync::Arc;

use super::request::Request;
use super::request_context::RequestContext;
use super::trace_flag;
use crate::{SpanId, TraceId};

/// Who called, in which trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The trace that it named.
    pub trace_id: TraceId,
    /// Its span; `None` if it named its trace alone, as others may.
    pub parent: Option<SpanId>,
    /// Its flags, of which those in [`trace_flag`] are sent on.
    pub flags: u8,
}

impl RequestContext {
    /// Continues the trace of a caller. It has no request id.
    #[doc(hidden)]
    pub fn continuing(caller: Caller) -> Self {
        let Caller { trace_id, parent, flags } = caller;
        let request = Request {
            remote_parent: parent,
            trace_flags: flags & trace_flag::KNOWN,
            has_given_trace_id: parent.is_none(),
            ..Request::new(trace_id)
        };
        Self { request: Arc::new(request), span: parent }
    }
}
