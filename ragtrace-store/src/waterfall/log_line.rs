//! Log lines between the spans of a trace: `├─ 116ms WARN the model is slow model=small`.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use ragtrace::{Event, Level, SpanId, Value};

use super::number::{format_count, format_duration};
use super::paint::Paint;
use super::text::printable;
use crate::read::{LogRow, SpanNode, Trace};

/// The largest number of log lines shown of one span, unless all are wanted.
const SHOWN: usize = 50;

/// The log lines of a trace by the span that they were written in, or `None` for those of no span
/// that is in the store.
pub(super) struct LogLines<'a> {
    by_span: HashMap<Option<SpanId>, Vec<&'a LogRow>>,
    most: usize,
}

impl<'a> LogLines<'a> {
    /// Returns no lines.
    pub(super) fn none() -> Self {
        Self { by_span: HashMap::new(), most: 0 }
    }

    pub(super) fn of(trace: &'a Trace, all: bool) -> Self {
        let known: HashSet<SpanId> = trace.spans().map(SpanNode::span_id).collect();
        let mut by_span: HashMap<_, Vec<_>> = HashMap::new();
        for row in trace.logs().iter().filter(|row| row.event() == Event::Log) {
            by_span.entry(row.span_id().filter(|id| known.contains(id))).or_default().push(row);
        }
        Self { by_span, most: if all { usize::MAX } else { SHOWN } }
    }

    /// Returns the lines of a span in order of time, and the number of those that are left out. The
    /// most severe are kept.
    pub(super) fn in_span(&self, span: Option<SpanId>) -> (Vec<&'a LogRow>, usize) {
        let Some(lines) = self.by_span.get(&span) else { return (Vec::new(), 0) };
        let mut order: Vec<usize> = (0..lines.len()).collect();
        order.sort_by_key(|at| std::cmp::Reverse(lines[*at].level()));
        order.truncate(self.most);
        order.sort_unstable();
        (order.iter().map(|at| lines[*at]).collect(), lines.len() - order.len())
    }

    /// Returns the line for the number of log lines of spans that are not drawn, because they are
    /// folded.
    pub(super) fn not_drawn(&self, drawn: &HashSet<SpanId>) -> Option<String> {
        let is_hidden = |span: &Option<SpanId>| span.is_some_and(|span| !drawn.contains(&span));
        match self.by_span.iter().filter(|(span, _)| is_hidden(span)).map(|(_, lines)| lines.len()).sum::<usize>() {
            0 => None,
            1 => Some("1 log line of a span that is not drawn".to_owned()),
            many => Some(format!("{} log lines of spans that are not drawn", format_count(many as u64))),
        }
    }
}

/// Returns the parts of a log line, each with its colour: the time since the start of the trace,
/// the level, the message, the fields and the error.
pub(super) fn parts(row: &LogRow, trace: &Trace) -> Vec<(Paint, String)> {
    let since = format_duration(row.timestamp().since(trace.started_at()));
    let mut fields = String::new();
    for (name, value) in row.context().chain(row.metrics()) {
        let _ = write!(fields, " {}={}", printable(name), shown(value));
    }
    let error = row.error().map(|error| {
        let chain = error.chain().iter().map(|source| format!(" ↳ {}", printable(source)));
        format!(" {}: {}{}", printable(error.type_name()), printable(error.message()), chain.collect::<String>())
    });
    vec![
        (Paint::Dim, format!(" {since} ")),
        (of_level(row.level()), format!("{} ", row.level())),
        (Paint::Plain, printable(&row.message()).into_owned()),
        (Paint::Dim, fields),
        (Paint::Red, error.unwrap_or_default()),
    ]
}

/// Returns a field's value, in quotes if it contains a blank.
fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) if text.contains(' ') => format!("\"{}\"", printable(text)),
        Value::Text(text) | Value::Json(text) => printable(text).into_owned(),
        other => printable(&other.to_string()).into_owned(),
    }
}

fn of_level(level: Level) -> Paint {
    match level {
        Level::Error => Paint::Red,
        Level::Warn => Paint::Yellow,
        Level::Info => Paint::Green,
        Level::Debug | Level::Trace => Paint::Dim,
    }
}
