//! Finds the spans in whose records a text occurs: what the rows of the waterfall do not show.

use std::collections::HashSet;

use ragtrace::{Event, Record, SpanId};
use ragtrace_store::Trace;

/// Returns the ids of the spans that have the text in a field, a metric, an error, an item, a stack
/// trace, or a log line, ignoring case.
pub(super) fn spans(trace: &Trace, text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    if text.is_empty() {
        return Vec::new();
    }
    let of_logs: HashSet<SpanId> = trace
        .logs()
        .iter()
        .filter(|row| row.event() == Event::Log && is_in(row, &text))
        .filter_map(|row| row.span_id())
        .collect();
    let found = trace.spans().filter(|span| of_logs.contains(&span.span_id()) || is_in(span.record(), &text));
    found.map(|span| span.span_id().to_string()).collect()
}

fn is_in(record: &Record, text: &str) -> bool {
    let has = |part: &str| contains(part, text);
    let in_fields =
        || record.context().chain(record.metrics()).any(|(name, value)| has(name) || has(&value.to_string()));
    let in_error = || {
        record.error().is_some_and(|error| {
            has(error.type_name()) || has(error.message()) || error.chain().iter().any(|cause| has(cause))
        })
    };
    let in_items = || {
        record
            .used()
            .iter()
            .chain(record.generated())
            .any(|item| has(item.id()) || item.source().is_some_and(has) || item.content().is_some_and(has))
    };
    has(&record.message()) || in_fields() || in_error() || in_items() || record.stack_trace().is_some_and(has)
}

/// Returns `true` if `text`, which is in lower case, occurs in `part` in any case.
fn contains(part: &str, text: &str) -> bool {
    if text.is_ascii() {
        let (part, text) = (part.as_bytes(), text.as_bytes());
        return part.len() >= text.len() && part.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text));
    }
    part.to_lowercase().contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_ignored_in_any_script() {
        assert!(contains("The Model is OVERLOADED", "overloaded"));
        assert!(contains("ÜBERLADEN", "über"));
        assert!(!contains("short", "shorter"));
        assert!(!contains("", "a"));
    }
}
