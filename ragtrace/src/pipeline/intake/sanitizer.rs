//! Redaction and limits for everything that leaves the process: secrets are removed first, and then
//! texts are cut.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use ragtrace_core::context::Request;

use crate::hash::FastHash;
use crate::metrics::{RequestMetric, StageMinute};
use crate::record::{ChunkBuilder, RecordLimits};
use crate::redact::Redactor;

/// Applies the redactor and the limits of records to everything that leaves the process.
#[derive(Debug)]
pub(crate) struct Sanitizer {
    redactor: Redactor,
    limits: RecordLimits,
    /// The requests that were examined recently, indexed by their version, with the result for
    /// each. The `Arc`s keep the addresses from being reused.
    seen_requests: Box<[Option<SeenRequest>]>,
    /// The verdicts on the names of declared fields, by their address and length: `true` if secret.
    secret_names: RefCell<HashMap<(usize, usize), bool, FastHash>>,
    /// The number of panics in the redactor's rules under an earlier installation.
    rule_panics_before: u64,
}

/// A request, and its sanitized form.
type SeenRequest = (Arc<Request>, Arc<Request>);

impl Sanitizer {
    /// The number of remembered requests, as many as a chunk may hold records, so that the metrics
    /// of a request find it here again.
    const SEEN_REQUESTS: usize = 512;

    pub(crate) fn new(redactor: Redactor, limits: RecordLimits) -> Self {
        let rule_panics_before = redactor.rule_panics();
        let seen_requests = vec![None; Self::SEEN_REQUESTS].into();
        Self { redactor, limits, seen_requests, secret_names: RefCell::default(), rule_panics_before }
    }

    /// Returns `true` if a field may leave the process as its stage wrote it.
    pub(crate) fn is_clean(&self, name: &'static str, text: &str) -> bool {
        text.len() <= self.limits.of_field(name) && !self.is_secret(name) && self.redactor.redacted(text).is_none()
    }

    /// Returns the redactor's verdict on a name, which is cached.
    fn is_secret(&self, name: &'static str) -> bool {
        let key = (name.as_ptr().addr(), name.len());
        let mut secret_names = self.secret_names.borrow_mut();
        *secret_names.entry(key).or_insert_with(|| self.redactor.is_secret(name))
    }

    /// Redacts and cuts records.
    pub(crate) fn sanitize(&mut self, records: &mut ChunkBuilder) {
        let Self { redactor, limits, .. } = &*self;
        records.for_each_unclean(limits.fields, limits.record, |record| {
            redactor.redact_record(record);
            limits.cut_record(record);
        });
        records.requests_mut().iter_mut().for_each(|request| self.replace_request(request));
    }

    /// Redacts and cuts the metrics of a request.
    pub(crate) fn sanitize_request(&mut self, metric: &mut RequestMetric) {
        self.replace_request(&mut metric.request);
    }

    /// Redacts and cuts the metrics of a minute.
    pub(crate) fn sanitize_minute(&self, minute: &mut StageMinute) {
        self.redactor.redact_minute(minute);
    }

    /// Removes the secrets from a text, such as a sink's description of a failure.
    pub(crate) fn redact(&self, text: &mut String) {
        self.redactor.redact(text);
    }

    /// Returns the number of panics in the application's rules since the installation.
    pub(crate) fn rule_panics(&self) -> u64 {
        self.redactor.rule_panics() - self.rule_panics_before
    }

    fn replace_request(&mut self, request: &mut Arc<Request>) {
        let at = usize::try_from(request.version % Self::SEEN_REQUESTS as u64).unwrap_or(0);
        let place = &mut self.seen_requests[at];
        if let Some((seen, clean)) = place.as_ref().filter(|(seen, _)| Arc::ptr_eq(seen, request)) {
            if !Arc::ptr_eq(seen, clean) {
                *request = Arc::clone(clean);
            }
            return;
        }
        let redacted = self.redactor.redacted_request(request);
        let cut = self.limits.cut_request(redacted.as_ref().unwrap_or(request));
        let clean = cut.or(redacted).map_or_else(|| Arc::clone(request), Arc::new);
        let seen = std::mem::replace(request, Arc::clone(&clean));
        *place = Some((seen, clean));
    }
}
