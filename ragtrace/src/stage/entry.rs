//! What a thread hands to the worker: a start, an end, a log line. The worker makes records of them.

use std::sync::Arc;

use crate::SpanId;
use crate::context::Request;
use crate::record::ErrorInfo;
use crate::stage::StageDescriptor;
use crate::stage::slots::Slots;
use crate::time::Ticks;

/// One message from a thread to the worker. Its size is what a record costs in the queue.
#[derive(Debug)]
pub(crate) enum Entry {
    /// What follows from this thread is of this request. Naming it once spares a reference count for every entry.
    Request(Arc<Request>),
    Start(Start),
    Note(Note),
    End(End),
}

/// A stage began.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) run: Run,
    pub(crate) fields: Slots,
}

/// A stage's body recorded a field.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) stage: &'static StageDescriptor,
    pub(crate) span: SpanId,
    pub(crate) fields: Slots,
}

/// A stage ended. It repeats what a record needs of its start, in case that one was refused by a full queue.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) run: Run,
    pub(crate) ended: Ticks,
    /// Nanoseconds inside polls; `u64::MAX` for a synchronous stage, which has no polls.
    pub(crate) busy: u64,
    pub(crate) outcome: Outcome,
    pub(crate) fields: Slots,
}

/// One run of a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) stage: &'static StageDescriptor,
    pub(crate) span: SpanId,
    pub(crate) parent: Option<SpanId>,
    pub(crate) started: Ticks,
    /// No parent in this process; `parent` may name one elsewhere.
    pub(crate) local_root: bool,
}

/// How a stage ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Completed,
    Failed(Box<Failure>),
    Cancelled,
}

/// Why a stage failed.
#[derive(Debug, Default)]
pub struct Failure {
    pub(crate) error: ErrorInfo,
    pub(crate) stack_trace: Option<String>,
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({})", self.trace_id)
    }
}
