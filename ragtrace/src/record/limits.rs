//! How large a record may be, and what becomes of the rest.

use std::borrow::Cow;

use ragtrace_core::Value;
use ragtrace_core::context::Request;

use super::record_mut::RecordMut;

/// Limits on the size of a record. What is beyond is cut, with a mark that says how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordLimits {
    /// Bytes of one text.
    pub string: usize,
    /// Fields of `context` and `metrics` together.
    pub fields: usize,
    /// Bytes of the whole record, as an estimate of its canonical JSON.
    pub record: usize,
}

/// No text is cut shorter to make a record fit.
const SHORTEST: usize = 32;

impl Default for RecordLimits {
    /// 8 KiB, 64 fields, 64 KiB.
    fn default() -> Self {
        Self { string: 8 << 10, fields: 64, record: 64 << 10 }
    }
}

impl RecordLimits {
    /// Sets how many bytes a text may have.
    pub fn with_string(mut self, bytes: usize) -> Self {
        self.string = bytes;
        self
    }

    /// Sets how many fields a record may have.
    pub fn with_fields(mut self, fields: usize) -> Self {
        self.fields = fields;
        self
    }

    /// Sets how many bytes a record may have.
    pub fn with_record(mut self, bytes: usize) -> Self {
        self.record = bytes;
        self
    }

    /// Cuts what is too much of a record.
    pub(crate) fn cut_record(&self, record: &mut RecordMut<'_>) {
        self.cut_fields(record);
        let mut longest = self.string;
        cut_texts(record, longest);
        while longest > SHORTEST && record.json_size() > self.record {
            longest = (longest / 2).max(SHORTEST);
            cut_texts(record, longest);
        }
    }

    /// Returns the request with what is too much cut, or `None` if nothing is.
    pub(crate) fn cut_request(&self, request: &Request) -> Option<Request> {
        let ids = request.texts();
        if ids.into_iter().flatten().all(|id| id.len() <= self.string) {
            return None;
        }
        let mut request = request.clone();
        let ids = request.texts_mut();
        for id in ids.into_iter().flatten() {
            if let Some(cut) = shortened(id, self.string) {
                *id = cut.into();
            }
        }
        Some(request)
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
            // A stage has cut a very long chain already, and its mark is the last.
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

fn cut_texts(record: &mut RecordMut<'_>, longest: usize) {
    record.for_each_field(|(_, value)| {
        // JSON that is cut is none any more: it becomes a text.
        if let Value::Text(text) | Value::Json(text) = value
            && let Some(cut) = shortened(text, longest)
        {
            *value = Value::Text(Cow::Owned(cut));
        }
    });
    record.for_each_text(|text| {
        if let Some(cut) = shortened(text.as_str(), longest) {
            text.replace(cut);
        }
    });
}

/// Returns the text cut to at most `longest` bytes before its mark, at a character's end; `None` if
/// it is not longer. A mark of an earlier cut is taken into account.
fn shortened(text: &str, longest: usize) -> Option<String> {
    const MARK: &str = "…[truncated ";
    if text.len() <= longest {
        return None;
    }
    let marked = text.strip_suffix(" bytes]").and_then(|rest| rest.rsplit_once(MARK));
    let (whole, gone) = match marked.and_then(|(rest, number)| Some((rest, number.parse::<usize>().ok()?))) {
        Some((rest, gone)) => (rest, gone),
        None => (text, 0),
    };
    if whole.len() <= longest {
        return None;
    }
    let end = whole.floor_char_boundary(longest);
    Some(format!("{}{MARK}{} bytes]", &whole[..end], gone + whole.len() - end))
}
