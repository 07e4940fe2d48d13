//! Reads from rotel, a collector, which prints what it receives as text for people.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value as Json;

use crate::arrived::{Arrived, Status};

/// A rotel, by the file that its standard output goes to.
#[derive(Clone, Debug)]
pub struct Rotel(pub PathBuf);

/// The beginnings of a span's lines before its attributes.
const HEADS: [&str; 5] = ["Trace ID", "Parent ID", "ID", "Name", "Kind"];

impl Rotel {
    /// Returns the spans of a trace that have arrived so far.
    ///
    /// # Panics
    ///
    /// Panics if the output cannot be read.
    pub fn spans(&self, trace_id: &str) -> Vec<Arrived> {
        let output = std::fs::read_to_string(&self.0).expect("its output");
        let mut spans = Vec::new();
        for block in output.split("\nSpan #").skip(1) {
            // Lines after the last span of a request belong to the next request, or to a log.
            let ends = ["\nResourceSpans #", "\nScopeSpans #", "\nResourceLog #", "\nResourceLogs #"];
            let end = ends.iter().filter_map(|end| block.find(end)).min().unwrap_or(block.len());
            spans.extend(span(&block[..end]).filter(|span| span.trace_id == trace_id));
        }
        spans
    }
}

/// The beginnings of lines. Any other line continues the one before, since texts are printed as
/// they are.
const BEGINNINGS: [&str; 11] = [
    "     -> ",
    "          -> ",
    "    Trace ID",
    "    Parent ID",
    "    ID ",
    "    Name ",
    "    Kind ",
    "    Status ",
    "Start time: ",
    "End time: ",
    "SpanEvent #",
];

/// Joins the lines of texts that have several.
fn joined(block: &str) -> Vec<String> {
    let mut whole: Vec<String> = Vec::new();
    for line in block.lines() {
        let is_beginning = matches!(line, "Attributes:" | "Events:") || BEGINNINGS.iter().any(|b| line.starts_with(b));
        match whole.last_mut() {
            Some(last) if !is_beginning => {
                last.push('\n');
                last.push_str(line);
            }
            _ => whole.push(line.to_owned()),
        }
    }
    whole
}

/// Parses the lines of a span, or returns `None` while they are incomplete.
fn span(block: &str) -> Option<Arrived> {
    let mut heads = BTreeMap::new();
    let mut times = [None; 2];
    let mut code = "";
    let mut message = String::new();
    let mut attributes = BTreeMap::new();
    let mut events: Vec<(String, BTreeMap<String, Json>)> = Vec::new();
    let lines = joined(block);
    for line in lines.iter().skip(1).map(|line| line.trim_end_matches('\n')) {
        if let Some((name, value)) = line.strip_prefix("          -> ").and_then(attribute) {
            events.last_mut()?.1.insert(name, value);
        } else if let Some(name) = line.strip_prefix("     -> Name: ") {
            events.push((name.to_owned(), BTreeMap::new()));
        } else if let Some((name, value)) = line.strip_prefix("     -> ").and_then(attribute) {
            attributes.insert(name, value);
        } else if let Some(time) = line.strip_prefix("Start time: ") {
            times[0] = time.parse().ok();
        } else if let Some(time) = line.strip_prefix("End time: ") {
            times[1] = time.parse().ok();
        } else if let Some((head, value)) = line.trim().split_once(':') {
            match head.trim() {
                "Status code" => code = value.trim(),
                "Status message" => value.trim().clone_into(&mut message),
                head if HEADS.contains(&head) => drop(heads.insert(head, value.trim())),
                _ => {}
            }
        }
    }
    Some(Arrived {
        trace_id: (*heads.get("Trace ID")?).to_owned(),
        span_id: (*heads.get("ID")?).to_owned(),
        parent_span_id: heads.get("Parent ID").filter(|id| !id.is_empty()).map(|id| (*id).to_owned()),
        name: (*heads.get("Name")?).to_owned(),
        start: times[0]?,
        end: times[1]?,
        status: match code {
            "STATUS_CODE_ERROR" => Status::Error(message),
            "STATUS_CODE_OK" => Status::Ok,
            _ => Status::Unset,
        },
        attributes,
        events,
    })
}

/// Parses `name: Str(value)`.
fn attribute(line: &str) -> Option<(String, Json)> {
    let (name, typed) = line.split_once(": ")?;
    let (kind, value) = typed.strip_suffix(')')?.split_once('(')?;
    let value = match kind {
        "Int" => Json::from(value.parse::<i64>().ok()?),
        "Double" => Json::from(value.parse::<f64>().ok()?),
        "Bool" => Json::from(value.parse::<bool>().ok()?),
        _ => Json::from(value),
    };
    Some((name.to_owned(), value))
}
