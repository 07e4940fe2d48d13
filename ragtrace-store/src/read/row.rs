//! A row of `logs`: a record as it is stored.

use std::ops::Deref;

use ragtrace::{Record, Timestamp};
use serde_json::value::RawValue;

use super::position::Position;
use crate::error::{Kind, StoreError};
use crate::object::Object;

/// A row of `logs`: a record and the time at which it was stored. It dereferences to the record.
#[derive(Clone, Debug, PartialEq)]
pub struct LogRow {
    record: Record,
    created_at: Timestamp,
}

impl LogRow {
    /// Returns the record.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Returns the row's position, with which [`LogFilter::after`](crate::LogFilter::after) gets
    /// the next page.
    pub fn position(&self) -> Position {
        Position { timestamp: self.record.timestamp(), id: self.record.id(), number: 0 }
    }

    /// Returns when the record was stored.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }
}

impl Deref for LogRow {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

/// The columns of `logs`, the same for every backend.
pub(crate) struct Columns {
    pub(crate) id: String,
    pub(crate) timestamp: String,
    pub(crate) trace_id: Option<String>,
    pub(crate) span_id: Option<String>,
    pub(crate) parent_span_id: Option<String>,
    pub(crate) local_root: bool,
    pub(crate) request_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) request_type: Option<String>,
    pub(crate) logger: String,
    pub(crate) level: String,
    pub(crate) message: String,
    pub(crate) event: String,
    pub(crate) stage: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) context: Option<String>,
    pub(crate) metrics: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) stack_trace: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) service: Option<String>,
    pub(crate) environment: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) instance: String,
    pub(crate) thread: Option<String>,
    pub(crate) links: Option<String>,
    pub(crate) used: Option<String>,
    pub(crate) generated: Option<String>,
    pub(crate) created_at: String,
}

impl TryFrom<Columns> for LogRow {
    type Error = StoreError;

    /// Rebuilds the record's canonical JSON, so that records are parsed in one way only.
    /// `duration_ms` and `item_count` become part of `metrics` again.
    fn try_from(columns: Columns) -> Result<Self, StoreError> {
        let id = columns.id.clone();
        let unreadable = |why: String| {
            let message =
                format!("the row of record {id:?} is not as ragtrace wrote it: delete it from `logs` ({why})");
            StoreError::new(Kind::Other, message)
        };
        let created_at = columns.created_at.parse().map_err(|error| unreadable(format!("`created_at`: {error}")))?;
        let canonical = canonical(columns).map_err(|error| unreadable(error.to_string()))?;
        let record = Record::from_json(&canonical).map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            unreadable(format!("{error}{}", source.unwrap_or_default()))
        })?;
        Ok(Self { record, created_at })
    }
}

fn canonical(columns: Columns) -> Result<String, serde_json::Error> {
    let mut members = Object::new();
    let texts = [
        ("id", Some(columns.id)),
        ("timestamp", Some(columns.timestamp)),
        ("level", Some(columns.level)),
        ("logger", Some(columns.logger)),
        ("message", Some(columns.message)),
        ("event", Some(columns.event)),
        ("stage", columns.stage),
        ("kind", columns.kind),
        ("trace_id", columns.trace_id),
        ("span_id", columns.span_id),
        ("parent_span_id", columns.parent_span_id),
        ("request_id", columns.request_id),
        ("user_id", columns.user_id),
        ("tenant_id", columns.tenant_id),
        ("session_id", columns.session_id),
        ("request_type", columns.request_type),
        ("service", columns.service),
        ("environment", columns.environment),
        ("version", columns.version),
        ("host", columns.host),
        ("instance", Some(columns.instance)),
        ("thread", columns.thread),
        ("stack_trace", columns.stack_trace),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            members = members.with(name, text);
        }
    }
    if columns.local_root {
        members = members.with("local_root", true);
    }
    let nested = [
        ("links", columns.links),
        ("context", columns.context),
        ("metrics", columns.metrics),
        ("used", columns.used),
        ("generated", columns.generated),
        ("error", columns.error),
        ("source", columns.source),
    ];
    for (name, json) in nested {
        if let Some(json) = json {
            // Anything but exactly one JSON value would corrupt the object around it.
            let value: &RawValue = serde_json::from_str(&json)?;
            members = members.with_json(name, value.get());
        }
    }
    Ok(members.close())
}
