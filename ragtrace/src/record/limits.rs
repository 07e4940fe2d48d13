//! The size limits of a record, and how larger ones are cut.

use std::borrow::Cow;

use ragtrace_core::Value;
use ragtrace_core::context::{Request, RequestId};
use ragtrace_core::item::{LONGEST_CONTENT, LONGEST_SOURCE};

#[cfg(feature = "testing")]
use super::chunk_builder::ChunkBuilder;
use super::record_mut::RecordMut;

/// Limits on the size of a record.
///
/// Anything beyond a limit is cut, with a mark that says how much is missing. A record that is too
/// large loses first texts of its items, then the items that take more than half of its size, and
/// then texts of its fields. A text is not shortened below 32 bytes for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordLimits {
    /// The maximum length of a text in bytes, except for `input` and `output`. Defaults to 8 KiB.
    pub string: usize,
    /// The maximum length in bytes of each of the fields `input` and `output`, which contain what a
    /// model was given and what it answered. Defaults to 64 KiB.
    pub content: usize,
    /// The maximum number of fields in `context` and `metrics` together, and of the sources of an
    /// error. Defaults to 64.
    pub fields: usize,
    /// The maximum size of the whole record in bytes, as an estimate of its canonical JSON.
    /// Defaults to 256 KiB.
    pub record: usize,
}

/// The length in bytes below which no text is cut to make a record fit.
const SHORTEST: usize = 32;

impl Default for RecordLimits {
    /// Returns limits of 8 KiB for a text, 64 KiB for `input` and for `output`, 64 fields, and 256
    /// KiB for a record.
    fn default() -> Self {
        Self { string: 8 << 10, content: 64 << 10, fields: 64, record: 256 << 10 }
    }
}

impl RecordLimits {
    /// Sets the maximum length of a text in bytes.
    pub fn with_string(mut self, bytes: usize) -> Self {
        self.string = bytes;
        self
    }

    /// Sets the maximum length of `input` and `output` in bytes.
    ///
    /// Structured values have at most 64 KiB, whatever this limit is.
    pub fn with_content(mut self, bytes: usize) -> Self {
        self.content = bytes;
        self
    }

    /// Sets the maximum number of fields in a record.
    pub fn with_fields(mut self, fields: usize) -> Self {
        self.fields = fields;
        self
    }

    /// Sets the maximum size of a record in bytes.
    pub fn with_record(mut self, bytes: usize) -> Self {
        self.record = bytes;
        self
    }

    /// Cuts everything of a record that is beyond the limits.
    pub(crate) fn cut_record(&self, record: &mut RecordMut<'_>) {
        self.cut_fields(record);
        cut_items_of(record, LONGEST_CONTENT);
        self.cut_texts(record, usize::MAX);
        let mut longest = LONGEST_CONTENT;
        while longest > SHORTEST && record.has_items() && record.json_size() > self.record {
            longest = (longest / 2).max(SHORTEST);
            cut_items_of(record, longest);
        }
        // Items may take up to half of the record; the rest is for its fields.
        if record.has_items() && record.json_size() > self.record {
            record.drop_items(self.record / 2);
        }
        let mut longest = self.string.max(self.content);
        while longest > SHORTEST && record.json_size() > self.record {
            longest = (longest / 2).max(SHORTEST);
            self.cut_texts(record, longest);
        }
        if record.has_items() && record.json_size() > self.record {
            let excess = record.json_size() - self.record;
            let most = record.items_size().saturating_sub(excess);
            record.drop_items(most);
        }
    }

    /// Returns the maximum length in bytes of the text of a field with this name.
    pub(crate) fn of_field(&self, name: &str) -> usize {
        if matches!(name, "input" | "output") { self.content } else { self.string }
    }

    /// Cuts each text at its limit, or at `longest` if that is less.
    fn cut_texts(&self, record: &mut RecordMut<'_>, longest: usize) {
        record.for_each_field(|(name, value)| {
            // JSON that is cut is not JSON any more, so it becomes a text.
            if let Value::Text(text) | Value::Json(text) = value
                && let Some(cut) = shortened(text, longest.min(self.of_field(name)))
            {
                *value = Value::Text(Cow::Owned(cut));
            }
        });
        record.for_each_text(|text| {
            if let Some(cut) = shortened(text.as_str(), longest.min(self.string)) {
                text.replace(cut);
            }
        });
    }

    /// Returns the request with texts cut at their limit, or `None` if none is too long.
    pub(crate) fn cut_request(&self, request: &Request) -> Option<Request> {
        let texts = if RequestId::FRESH_LENGTH > self.string { request.texts() } else { request.given_texts() };
        request.with_changed(texts, |id| shortened(id, self.string))
    }

    fn cut_fields(&self, record: &mut RecordMut<'_>) {
        let (context, metrics) = record.field_counts();
        let all = context + metrics;
        if all > self.fields {
            let metrics = metrics.min(self.fields);
            let mark = Value::Text(Cow::Owned(format!("{} fields", all - self.fields)));
            record.truncate_fields(
                context.min(self.fields - metrics),
                metrics,
                (Cow::Borrowed("ragtrace.truncated"), mark),
            );
        }
        if let Some((error, _)) = record.parts.failure_mut() {
            let (_, _, chain) = error.parts_mut();
            // A stage has already cut a very long chain, and added this mark at the end.
            let mark = chain.pop_if(|last| last.starts_with("…[truncated ") && last.ends_with(" sources]"));
            let all = chain.len();
            if all > self.fields {
                let number = |mark: String| mark.split_whitespace().rev().nth(1)?.parse::<usize>().ok();
                chain.truncate(self.fields);
                chain.push(format!("…[truncated {} sources]", all - self.fields + mark.and_then(number).unwrap_or(0)));
            } else {
                chain.extend(mark);
            }
        }
    }
}

/// Cuts the items of records at the limits of items, which apply in a test's capture too.
#[cfg(feature = "testing")]
pub(crate) fn cut_items(records: &mut ChunkBuilder) {
    records.for_each_with_items(|record| cut_items_of(record, LONGEST_CONTENT));
}

/// Cuts the content of items at `longest` bytes, and their sources at that or at their own limit.
fn cut_items_of(record: &mut RecordMut<'_>, longest: usize) {
    record.for_each_item(|item| {
        for (text, longest) in [(&mut item.content, longest), (&mut item.source, longest.min(LONGEST_SOURCE))] {
            if let Some(cut) = text.as_deref().and_then(|text| shortened(text, longest)) {
                *text = Some(cut);
            }
        }
    });
}

/// Returns the text cut to at most `longest` bytes, followed by a mark, or `None` if it is not
/// longer. The cut is at the end of a character, and the number in the mark includes that of an
/// earlier cut.
pub(crate) fn shortened(text: &str, longest: usize) -> Option<String> {
    const MARK: &str = "…[truncated ";
    const AT_LEAST: &str = "at least ";
    if text.len() <= longest {
        return None;
    }
    let marked = text.strip_suffix(" bytes]").and_then(|rest| rest.rsplit_once(MARK));
    let read_mark = |(rest, number): (_, &str)| {
        let exact = number.strip_prefix(AT_LEAST);
        let at_least = if exact.is_some() { AT_LEAST } else { "" };
        Some((rest, at_least, exact.unwrap_or(number).parse::<usize>().ok()?))
    };
    let (whole, at_least, gone) = marked.and_then(read_mark).unwrap_or((text, "", 0));
    if whole.len() <= longest {
        return None;
    }
    let end = whole.floor_char_boundary(longest);
    Some(format!("{}{MARK}{at_least}{} bytes]", &whole[..end], gone + whole.len() - end))
}
