//! Texts chosen by callers, cut for records.

use std::borrow::Cow;

/// Returns the first `limit` bytes of `text`, at most, with a mark if it was cut.
pub(super) fn bounded(text: &str, limit: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}{MARK}", &text[..text.floor_char_boundary(limit - MARK.len())]))
}
