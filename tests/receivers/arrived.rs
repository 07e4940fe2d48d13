//! A span as a receiver stores it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A span that arrived, in terms of OTLP, from whichever receiver.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// The trace id, as 32 hexadecimal digits.
    pub trace_id: String,
    /// The span id, as 16 hexadecimal digits.
    pub span_id: String,
    /// The parent's span id, as 16 hexadecimal digits, or `None` for a root.
    pub parent_span_id: Option<String>,
    /// The name.
    pub name: String,
    /// The start, in nanoseconds since 1970.
    pub start: u64,
    /// The end, in nanoseconds since 1970.
    pub end: u64,
    /// The status.
    pub status: Status,
    /// The attributes. A list is a JSON list.
    pub attributes: BTreeMap<String, Json>,
    /// The names of the events, and their attributes.
    pub events: Vec<(String, BTreeMap<String, Json>)>,
}

/// The status of a span (OpenTelemetry Tracing API, "Set Status").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// No status was set.
    Unset,
    /// The span succeeded.
    Ok,
    /// The span failed, with a description.
    Error(String),
}

impl Arrived {
    /// Returns the first of these attributes that the span has.
    pub fn any_of(&self, names: &[&str]) -> Option<&Json> {
        names.iter().find_map(|name| self.attributes.get(*name))
    }

    /// Returns an attribute's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }
}
