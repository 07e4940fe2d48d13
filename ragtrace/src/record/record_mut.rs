//! A mutable record of a chunk that is being built, for cutting and redaction.

use std::borrow::Cow;
use std::ops::Range;

use ragtrace_core::Value;
use ragtrace_core::value::encoding::field_id;

use super::fields::{FieldRanges, NamedValue};
use super::item::RecordItem;
use super::parts::RecordParts;
use super::score::RecordScore;

/// A record of a chunk that is being built.
pub(crate) struct RecordMut<'a> {
    pub(super) parts: &'a mut RecordParts,
    pub(super) fields: &'a mut Vec<NamedValue>,
}

impl RecordMut<'_> {
    /// Calls `change` with each field of context and metrics.
    pub(crate) fn for_each_field(&mut self, mut change: impl FnMut(&mut NamedValue)) {
        for range in [self.parts.fields.context(), self.parts.fields.metrics()] {
            self.fields.get_mut(range).unwrap_or_default().iter_mut().for_each(&mut change);
        }
    }

    /// Returns the numbers of fields in context and in metrics.
    pub(crate) fn field_counts(&self) -> (usize, usize) {
        (self.parts.fields.context().len(), self.parts.fields.metrics().len())
    }

    /// Keeps the first `context` and `metrics` fields, and adds one to the context.
    pub(crate) fn truncate_fields(&mut self, context: usize, metrics: usize, added: NamedValue) {
        let (of_context, of_metrics) = (self.parts.fields.context(), self.parts.fields.metrics());
        let start = self.fields.len();
        let move_to_end = |fields: &mut Vec<NamedValue>, range: Range<usize>| {
            for index in range {
                let field = std::mem::replace(&mut fields[index], (Cow::Borrowed(""), Value::Null));
                fields.push(field);
            }
        };
        move_to_end(self.fields, of_context.start..of_context.start + context);
        self.fields.push(added);
        let middle = self.fields.len();
        move_to_end(self.fields, of_metrics.start..of_metrics.start + metrics);
        self.parts.fields = FieldRanges::new(start..middle, middle..self.fields.len());
    }

    /// Adds a number to the metrics.
    fn add_metric(&mut self, added: NamedValue) {
        let (context, metrics) = (self.parts.fields.context(), self.parts.fields.metrics());
        let start = self.fields.len();
        self.fields.extend_from_within(metrics);
        self.fields.push(added);
        self.parts.fields = FieldRanges::new(context, start..self.fields.len());
    }

    /// Estimates the size of the canonical JSON in bytes.
    pub(crate) fn json_size(&self) -> usize {
        self.parts.json_size(self.fields)
    }

    /// Returns `true` if the record has items.
    pub(crate) fn has_items(&self) -> bool {
        let extras = self.parts.extras.as_deref();
        extras.is_some_and(|extras| !(extras.used.is_empty() && extras.generated.is_empty()))
    }

    /// Calls `change` with each item.
    pub(crate) fn for_each_item(&mut self, change: impl FnMut(&mut RecordItem)) {
        let Some(extras) = self.parts.extras.as_deref_mut() else { return };
        extras.used.iter_mut().chain(&mut extras.generated).for_each(change);
    }

    /// Estimates the size of the items' canonical JSON in bytes.
    pub(crate) fn items_size(&mut self) -> usize {
        let mut size = 0;
        self.for_each_item(|item| size += item.json_size());
        size
    }

    /// Drops the last items until the others take about `bytes` bytes, and records how many were
    /// dropped.
    pub(crate) fn drop_items(&mut self, bytes: usize) {
        let mut excess = self.items_size().saturating_sub(bytes);
        let Some(extras) = self.parts.extras.as_deref_mut() else { return };
        let mut dropped = [0_u64; 2];
        for (items, dropped) in [&mut extras.generated, &mut extras.used].into_iter().zip(&mut dropped) {
            while excess > 0
                && let Some(item) = items.pop()
            {
                excess = excess.saturating_sub(item.json_size());
                *dropped += 1;
            }
        }
        let [generated, used] = dropped;
        for (id, number) in [(field_id::GENERATED_DROPPED, generated), (field_id::USED_DROPPED, used)] {
            if let Some(name) = field_id::name(id).filter(|_| number > 0) {
                self.add_to_number(name, number, id == field_id::GENERATED_DROPPED);
            }
        }
    }

    /// Adds to the number with this name, or inserts it.
    fn add_to_number(&mut self, name: &'static str, number: u64, is_metric: bool) {
        let mut is_added = false;
        self.for_each_field(|(of, value)| {
            if of == name
                && let Some(earlier) = value.as_u64()
            {
                *value = Value::U64(earlier.saturating_add(number));
                is_added = true;
            }
        });
        if is_added {
            return;
        }
        let added = (Cow::Borrowed(name), Value::U64(number));
        if is_metric {
            self.add_metric(added);
        } else {
            let (context, metrics) = self.field_counts();
            self.truncate_fields(context, metrics, added);
        }
    }

    /// Calls `change` with each text other than the fields: the message, logger and file of a line
    /// if they are known only at run time, the error, the stack trace, the content and source of
    /// items, and the label and comment of a score.
    pub(crate) fn for_each_text(&mut self, mut change: impl FnMut(TextMut<'_>)) {
        let Some(extras) = self.parts.extras.as_deref_mut() else { return };
        if let Some(message) = &mut extras.subject.message {
            change(TextMut::Message(message));
        }
        let file = extras.subject.source.as_mut().map(|(file, _)| file);
        for text in std::iter::once(&mut extras.subject.logger).chain(file) {
            // Borrowed texts come from a descriptor and are part of the program.
            if matches!(text, Cow::Owned(_)) {
                change(TextMut::Message(text));
            }
        }
        if let Some((error, stack_trace)) = &mut extras.failure {
            let (_, message, chain) = error.parts_mut();
            let texts = std::iter::once(message).chain(chain).chain(stack_trace);
            texts.for_each(|text| change(TextMut::Owned(text)));
        }
        let items = extras.used.iter_mut().chain(&mut extras.generated);
        items.flat_map(RecordItem::texts_mut).for_each(|text| change(TextMut::Owned(text)));
        if let Some(score) = extras.score.as_deref_mut() {
            if let Value::Text(label) = &mut score.value {
                change(TextMut::Message(label));
            }
            if let Some(comment) = &mut score.comment {
                change(TextMut::Owned(comment));
            }
        }
    }

    /// Returns the score that the record reports, if any.
    pub(crate) fn score_mut(&mut self) -> Option<&mut RecordScore> {
        self.parts.extras.as_deref_mut()?.score.as_deref_mut()
    }
}

/// A text of a record, to be changed.
pub(crate) enum TextMut<'a> {
    Message(&'a mut Cow<'static, str>),
    Owned(&'a mut String),
}

impl TextMut<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Message(text) => text,
            Self::Owned(text) => text,
        }
    }

    pub(crate) fn replace(self, with: String) {
        match self {
            Self::Message(text) => *text = Cow::Owned(with),
            Self::Owned(text) => *text = with,
        }
    }
}
