//! A row of `scores`: a score as it is stored.

use std::ops::Deref;

use ragtrace::{Record, RecordScore, Timestamp, Value};

use super::position::Position;
use crate::error::StoreError;
use crate::object::Object;

/// A row of `scores`: the record of a score and the time at which it was stored. It dereferences to
/// the record.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoreRow {
    record: Record,
    score: RecordScore,
    created_at: Timestamp,
}

impl ScoreRow {
    /// Returns the record. Its ids name the trace that is judged, and the span if the score is not
    /// about the trace as a whole.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Returns the score's name, such as `faithfulness`.
    pub fn name(&self) -> &str {
        self.score.name()
    }

    /// Returns the score's value: a number, a boolean, or a text (a label).
    pub fn value(&self) -> &Value {
        self.score.value()
    }

    /// Returns the judge: `human`, `llm` or `code`.
    pub fn by(&self) -> Option<&str> {
        self.score.by()
    }

    /// Returns the comment that explains the score.
    pub fn comment(&self) -> Option<&str> {
        self.score.comment()
    }

    /// Returns the score's position, with which [`ScoreFilter::after`](crate::ScoreFilter::after)
    /// gets the next page.
    pub fn position(&self) -> Position {
        Position { timestamp: self.record.timestamp(), id: self.record.id(), number: 0 }
    }

    /// Returns when the score was stored.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Returns the row as one JSON object: the record's canonical JSON, and `created_at`.
    pub fn to_json(&self) -> String {
        Object::of(self.record.to_json()).with("created_at", self.created_at.to_string()).close()
    }
}

impl Deref for ScoreRow {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

/// The columns of `scores`, the same for every backend.
pub(crate) struct ScoreColumns {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) trace_id: String,
    pub(crate) span_id: Option<String>,
    pub(crate) name: String,
    pub(crate) number: Option<f64>,
    pub(crate) flag: Option<bool>,
    pub(crate) label: Option<String>,
    pub(crate) judged_by: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) instance: String,
    pub(crate) thread: Option<String>,
    pub(crate) created_at: String,
}

impl TryFrom<ScoreColumns> for ScoreRow {
    type Error = StoreError;

    /// Rebuilds the record's canonical JSON, so that records are parsed in one way only.
    fn try_from(columns: ScoreColumns) -> Result<Self, StoreError> {
        let created_at = columns.created_at.parse().ok();
        let record = Record::from_json(&canonical(columns)).ok();
        let score = record.as_ref().and_then(Record::score).cloned();
        let (Some(created_at), Some(record), Some(score)) = (created_at, record, score) else {
            return Err(StoreError::unreadable_row("scores"));
        };
        Ok(Self { record, score, created_at })
    }
}

fn canonical(columns: ScoreColumns) -> String {
    let mut score = Object::new().with("name", columns.name.as_str());
    score = match (columns.number, columns.flag, columns.label) {
        (Some(number), ..) => score.with("value", number),
        (_, Some(flag), _) => score.with("value", flag),
        (.., label) => score.with("value", label),
    };
    for (name, text) in [("by", columns.judged_by), ("comment", columns.comment)] {
        if let Some(text) = text {
            score = score.with(name, text);
        }
    }
    let texts = [
        ("id", Some(columns.id)),
        ("timestamp", Some(columns.timestamp)),
        ("level", Some("INFO".to_owned())),
        ("logger", Some("score".to_owned())),
        ("message", Some(format!("{}_scored", columns.name))),
        ("event", Some("score".to_owned())),
        ("trace_id", Some(columns.trace_id)),
        ("span_id", columns.span_id),
        ("user_id", columns.user_id),
        ("tenant_id", columns.tenant_id),
        ("service", columns.service),
        ("environment", columns.environment),
        ("version", columns.version),
        ("host", columns.host),
        ("instance", Some(columns.instance)),
        ("thread", columns.thread),
    ];
    let mut members = Object::new();
    for (name, text) in texts {
        if let Some(text) = text {
            members = members.with(name, text);
        }
    }
    members.with_json("score", &score.close()).close()
}
