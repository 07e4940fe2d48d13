//! What happens to every record before anybody sees it: secrets go, then what is too much.

use std::sync::Arc;

use crate::context::Request;
use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{Draft, RecordLimits};
use crate::redact::Redactor;

/// The rules for what leaves the process.
#[derive(Debug)]
pub(crate) struct Refiner {
    redactor: Redactor,
    limits: RecordLimits,
    /// The request that was looked at last, and what became of it. Holding it keeps its address from being another's.
    last: Option<(Arc<Request>, Arc<Request>)>,
}

impl Refiner {
    pub(crate) fn new(redactor: Redactor, limits: RecordLimits) -> Self {
        Self { redactor, limits, last: None }
    }

    /// Records as they may leave.
    pub(super) fn draft(&mut self, draft: &mut Draft) {
        let Self { redactor, limits, .. } = &*self;
        let stays = |stage, name, text: &str| text.len() <= limits.string && redactor.has_no_secret(stage, name, text);
        draft.each_to_refine(limits.fields, limits.record, stays, |record| {
            redactor.record(record);
            limits.record(record);
        });
        draft.requests_mut().iter_mut().for_each(|request| self.request(request));
    }

    pub(super) fn metric(&mut self, metric: &mut RequestMetric) {
        self.request(&mut metric.request);
    }

    pub(super) fn minute(&self, minute: &mut StageMinute) {
        self.redactor.minute(minute);
    }

    /// What a sink says of a failure, without secrets.
    pub(super) fn words(&self, words: &mut String) {
        self.redactor.text(words);
    }

    fn request(&mut self, request: &mut Arc<Request>) {
        if let Some((_, refined)) = self.last.as_ref().filter(|(seen, _)| Arc::ptr_eq(seen, request)) {
            *request = Arc::clone(refined);
            return;
        }
        let scrubbed = self.redactor.request(request);
        let cut = self.limits.request(scrubbed.as_ref().unwrap_or(request));
        let refined = cut.or(scrubbed).map_or_else(|| Arc::clone(request), Arc::new);
        let seen = std::mem::replace(request, Arc::clone(&refined));
        self.last = Some((seen, refined));
    }
}
