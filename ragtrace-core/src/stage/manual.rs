//! Runs that are begun, entered and ended by explicit calls, for work that is not a single
//! function. An HTTP request, for example, consists of a call, a future and a response body.

use std::time::Duration;

use super::span::{Ending, EnteredSpan, Span, open, start_fields};
use crate::catalog::CatalogEntry;
use crate::context::RequestContext;
use crate::context::entered::Entered;
use crate::dispatch;
use crate::guard::Payload;
use crate::value::FieldBuffer;

/// A run that continues until it is ended. It is cancelled if it is dropped before that.
///
/// If nobody is recording there is no run, but entering still makes the context current.
#[derive(Debug)]
pub struct ManualRun {
    span: Span,
    /// The context, if there is no run.
    context: Option<RequestContext>,
}

impl ManualRun {
    /// Begins a run of `stage` in `context`, with the fields that `fields` records.
    pub fn begin(
        stage: &'static CatalogEntry,
        context: &RequestContext,
        fields: impl FnOnce(&mut FieldBuffer),
    ) -> Self {
        if !dispatch::is_enabled() {
            return Self { span: Span::none(), context: Some(context.clone()) };
        }
        let span = context.sync_scope(|| {
            let mut buffer = start_fields();
            if buffer.is_wanted() {
                fields(&mut buffer);
            }
            let mut span = open(stage, buffer);
            span.enter().pause();
            span
        });
        let context = if span.is_active() { None } else { Some(context.clone()) };
        Self { span, context }
    }

    /// Returns `true` if there is a run that has not ended.
    pub fn is_active(&self) -> bool {
        self.span.is_active()
    }

    /// Returns the context for work inside the run. The run must not be entered.
    pub fn context(&self) -> Option<RequestContext> {
        self.context.clone().or_else(|| self.span.context())
    }

    /// Enters the run on this thread until the guard is dropped: for one poll or call of a part of
    /// its work, or to drop a part.
    pub fn enter(&mut self) -> EnteredRun<'_> {
        if self.span.is_active() {
            EnteredRun(Within::Run(self.span.enter()))
        } else {
            EnteredRun(Within::Context(self.context.is_some().then(|| Entered::new(&mut self.context))))
        }
    }

    /// Ends the run, if it has not ended, with the fields that `record` records. The outcome is
    /// completed unless `record` sets another.
    pub fn end(&mut self, record: impl FnOnce(&mut Ending<'_>)) {
        self.keep_context();
        if self.span.is_active() {
            let now = self.span.now();
            let mut ending = self.span.end_at(now);
            record(&mut ending);
            ending.record();
        }
    }

    /// Ends the run, if it has not ended, as failed by a panic in a part of its work, with further
    /// fields that `record` records. The run must not be entered.
    pub fn fail_by_panic(&mut self, payload: &Payload, record: impl FnOnce(&mut Ending<'_>)) {
        let Some(failure) = self.span.failure_by(payload) else { return };
        self.end(|ending| {
            record(ending);
            ending.fail(Box::new(failure));
        });
    }

    /// Returns the time since the run began, or zero if there is no run.
    pub fn elapsed(&self) -> Duration {
        self.span.since_start(self.span.now())
    }

    /// Keeps the context for work after the end, which still belongs to the request.
    fn keep_context(&mut self) {
        if self.context.is_none() {
            self.context = self.span.context();
        }
    }
}

impl Drop for ManualRun {
    fn drop(&mut self) {
        self.span.cancel();
    }
}

/// A run that is entered on this thread. If it is dropped without [`EnteredRun::pause`], a part of
/// its work has panicked. The run then leaves the thread, and [`ManualRun::fail_by_panic`] ends it.
pub struct EnteredRun<'a>(Within<'a>);

enum Within<'a> {
    Run(EnteredSpan<'a>),
    Context(Option<Entered<'a>>),
}

impl EnteredRun<'_> {
    /// Removes the run from this thread after a part of its work has returned.
    pub fn pause(self) {
        match self.0 {
            Within::Run(entered) => {
                entered.pause();
            }
            Within::Context(entered) => drop(entered),
        }
    }
}
