//! The caller of a request, parsed from any family of trace headers.

use std::sync::Arc;

use super::request::Request;
use super::request_context::RequestContext;
use super::trace_flag;
use crate::{SpanId, TraceId};

/// The trace and span that a request's headers name as its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The caller's trace.
    pub trace_id: TraceId,
    /// The caller's span, or `None` if the headers name only a trace.
    pub parent: Option<SpanId>,
    /// The caller's trace flags. Those listed in [`trace_flag`] are sent on.
    pub flags: u8,
}

impl RequestContext {
    /// Creates a context that continues a caller's trace. It has no request id.
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
