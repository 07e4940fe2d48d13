//! A span as a receiver has it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// A span that arrived, in terms of OTLP, whichever receiver tells of it.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// 16 hexadecimal digits; none of a root.
    pub parent_span_id: Option<String>,
    /// Its name.
    pub name: String,
    /// In nanoseconds since 1970.
    pub start: u64,
    /// In nanoseconds since 1970.
    pub end: u64,
    /// How it ended.
    pub status: Status,
    /// Its attributes; a list is one of JSON.
    pub attributes: BTreeMap<String, Json>,
    /// The names of its events, and their attributes.
    pub events: Vec<(String, BTreeMap<String, Json>)>,
}

/// The status of a span (OpenTelemetry Tracing API, "Set Status").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing was said.
    Unset,
    /// It went well.
    Ok,
    /// It did not, with a description.
    Error(String),
}

impl Arrived {
    /// Returns the first of some attributes that the span has.
    pub fn any_of(&self, names: &[&str]) -> Option<&Json> {
        names.iter().find_map(|name| self.attributes.get(*name))
    }

    /// Returns an attribute's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }
}
