//! Texts that whoever calls the service chooses, as far as records have them.

use std::borrow::Cow;

/// Returns the beginning of `text` that has at most `limit` bytes, and a mark where it was cut.
pub(super) fn bounded(text: &str, limit: usize) -> Cow<'_, str> {
    const MARK: &str = "…";
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}{MARK}", &text[..text.floor_char_boundary(limit - MARK.len())]))
}
