//! Rows of `scores`: the records of a batch that make one, and those that a store refuses.

use std::borrow::Cow;

use ragtrace::sink::Batch;
use ragtrace::{Event, Record, RecordScore, TraceId, Value};

/// A record that makes a row of `scores`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewScore<'a> {
    /// The record's index in the batch.
    pub(crate) index: usize,
    pub(crate) record: &'a Record,
    pub(crate) trace_id: TraceId,
    pub(crate) score: &'a RecordScore,
}

/// A record that is refused for good: its index in the batch, and the reason.
pub(crate) type Refused = (usize, String);

/// Returns the records of a batch that make rows of `logs`: all but scores.
pub(crate) fn log_records(batch: &Batch) -> Cow<'_, [Record]> {
    let is_score = |record: &Record| record.event() == Event::Score;
    if !batch.records().iter().any(is_score) {
        return Cow::Borrowed(batch.records());
    }
    batch.records().iter().filter(|record| !is_score(record)).cloned().collect()
}

/// Returns the scores of a batch, and those that no store can hold.
pub(crate) fn scores(batch: &Batch) -> (Vec<NewScore<'_>>, Vec<Refused>) {
    let (mut scores, mut refused) = (Vec::new(), Vec::new());
    for (index, record) in batch.records().iter().enumerate().filter(|(_, record)| record.event() == Event::Score) {
        match (record.trace_id(), record.score()) {
            (Some(trace_id), Some(score)) => scores.push(NewScore { index, record, trace_id, score }),
            (None, _) => refused.push((index, "the score is of no trace".to_owned())),
            (_, None) => refused.push((index, "the score has no judgement".to_owned())),
        }
    }
    (scores, refused)
}

impl<'a> NewScore<'a> {
    /// Returns the refusal if the trace is known under another tenant than the score's.
    pub(crate) fn refusal(&self, known: Option<&str>) -> Option<Refused> {
        let is_of_another = known.zip(self.record.tenant_id()).is_some_and(|(known, own)| known != own);
        // The message does not name the other tenant, which is no business of the score's author.
        is_of_another.then(|| (self.index, "the trace of the score belongs to another tenant".to_owned()))
    }

    /// Returns the score's value as a number, a boolean or a label.
    pub(crate) fn judgement(&self) -> (Option<f64>, Option<bool>, Option<&'a str>) {
        match self.score.value() {
            Value::Bool(flag) => (None, Some(*flag), None),
            value => (value.as_f64(), None, value.as_str()),
        }
    }
}
