//! What happens to every record before anybody sees it: secrets go, then what is too much.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use ragtrace_core::context::Request;

use crate::hash::Quick;
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
    /// Which names of declared fields are secret, by where they lie.
    secret_names: RefCell<HashMap<(usize, usize), bool, Quick>>,
}

impl Refiner {
    pub(crate) fn new(redactor: Redactor, limits: RecordLimits) -> Self {
        Self { redactor, limits, last: None, secret_names: RefCell::default() }
    }

    /// Whether a field may leave as its stage wrote it.
    pub(super) fn stays(&self, name: &'static str, text: &str) -> bool {
        text.len() <= self.limits.string && !self.is_secret(name) && self.redactor.scrubbed(text).is_none()
    }

    /// The redactor's verdict on a name, which is asked once.
    fn is_secret(&self, name: &'static str) -> bool {
        let key = (name.as_ptr().addr(), name.len());
        let mut secret_names = self.secret_names.borrow_mut();
        *secret_names.entry(key).or_insert_with(|| self.redactor.is_secret(name))
    }

    /// Records as they may leave.
    pub(super) fn draft(&mut self, draft: &mut Draft) {
        let Self { redactor, limits, .. } = &*self;
        draft.each_to_refine(limits.fields, limits.record, |record| {
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
        if let Some((seen, refined)) = self.last.as_ref().filter(|(seen, _)| Arc::ptr_eq(seen, request)) {
            if !Arc::ptr_eq(seen, refined) {
                *request = Arc::clone(refined);
            }
            return;
        }
        let scrubbed = self.redactor.request(request);
        let cut = self.limits.request(scrubbed.as_ref().unwrap_or(request));
        let refined = cut.or(scrubbed).map_or_else(|| Arc::clone(request), Arc::new);
        let seen = std::mem::replace(request, Arc::clone(&refined));
        self.last = Some((seen, refined));
    }
}
