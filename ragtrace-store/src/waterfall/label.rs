//! Labels that distinguish similar spans: the value of the field in which several runs of one stage
//! under one parent differ.

use std::collections::HashMap;

use ragtrace::Value;

use super::text::printable;
use crate::read::{SpanNode, Trace};

/// A stage and the index of its parent.
type Key<'a> = (Option<&'a str>, Option<usize>);

/// Labels that distinguish the spans of a trace: the value of the field in which several runs of
/// one stage under one parent differ, such as a document's name.
#[derive(Debug, Default)]
pub struct Labels<'a>(HashMap<Key<'a>, &'a str>);

/// Runs of one stage under one parent, as far as they have been examined.
struct LabelGroup<'a> {
    first: SpanNode<'a>,
    /// The index of the first field of `first` that differs in another run.
    distinguishing_field: Option<usize>,
}

impl<'a> Labels<'a> {
    /// Finds the distinguishing fields of a trace.
    pub fn of(trace: &'a Trace) -> Self {
        let mut groups: HashMap<Key<'a>, LabelGroup<'a>> = HashMap::new();
        for span in trace.spans() {
            let group = groups.entry(key(span)).or_insert(LabelGroup { first: span, distinguishing_field: None });
            let fields = group.first.context();
            // Fields after the distinguishing one found so far need not be compared.
            let before = group.distinguishing_field.unwrap_or(usize::MAX);
            let differs = fields.take(before).position(|(name, value)| field(span, name) != Some(value));
            group.distinguishing_field = differs.or(group.distinguishing_field);
        }
        let labels = groups.into_iter().filter_map(|(key, group)| {
            let (name, _) = group.first.context().nth(group.distinguishing_field?)?;
            Some((key, name))
        });
        Self(labels.collect())
    }

    /// Returns the value that distinguishes a span from others of its stage, with characters that
    /// control a terminal as escapes, or `None` if nothing does.
    pub fn label(&self, span: SpanNode<'a>) -> Option<String> {
        let value = field(span, self.0.get(&key(span))?)?;
        let text = match value {
            Value::Null => return None,
            Value::Text(text) | Value::Json(text) => text.to_string(),
            other => other.to_string(),
        };
        Some(printable(&text).into_owned())
    }
}

fn key(span: SpanNode<'_>) -> Key<'_> {
    (span.record().stage(), span.parent_index())
}

fn field<'a>(span: SpanNode<'a>, name: &str) -> Option<&'a Value> {
    span.context().find(|(other, _)| *other == name).map(|(_, value)| value)
}
