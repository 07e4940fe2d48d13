//! What tells alike spans apart: of several runs of one stage under one parent, the field whose
//! value differs.

use std::collections::HashMap;

use ragtrace::Value;

use super::text::printable;
use crate::read::{SpanNode, Trace};

/// A stage and the place of the parent.
type Key<'a> = (Option<&'a str>, Option<usize>);

/// For the runs of a stage under a parent: the name of the field that tells them apart, if there is
/// one.
#[derive(Debug, Default)]
pub(super) struct Labels<'a>(HashMap<Key<'a>, &'a str>);

/// Runs of one stage under one parent, as far as they are looked at.
struct Alike<'a> {
    first: SpanNode<'a>,
    /// The first of the first's fields that another has otherwise.
    told_by: Option<usize>,
}

impl<'a> Labels<'a> {
    pub(super) fn of(trace: &'a Trace) -> Self {
        let mut groups: HashMap<Key<'a>, Alike<'a>> = HashMap::new();
        for span in trace.spans() {
            let group = groups.entry(key(span)).or_insert(Alike { first: span, told_by: None });
            let fields = group.first.context();
            // Those after the one that is known already need not be looked at.
            let before = group.told_by.unwrap_or(usize::MAX);
            let differs = fields.take(before).position(|(name, value)| field(span, name) != Some(value));
            group.told_by = differs.or(group.told_by);
        }
        let told = groups.into_iter().filter_map(|(key, group)| {
            let (name, _) = group.first.context().nth(group.told_by?)?;
            Some((key, name))
        });
        Self(told.collect())
    }

    /// What is said of a span besides its stage.
    pub(super) fn label(&self, span: SpanNode<'a>) -> Option<String> {
        let value = field(span, self.0.get(&key(span))?)?;
        let text = match value {
            Value::Null => return None,
            Value::Text(text) => text.to_string(),
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
