//! The items that open runs use, kept for their end records.
//!
//! Few stages name items, so they are not stored with the runs. The size of their texts is bounded
//! over all runs: beyond the bound, an end record has the ids and scores, and a mark in place of
//! each text. The start record has the whole texts.

use std::collections::HashMap;

use crate::SpanId;
use crate::hash::FastHash;
use crate::record::RecordItem;

/// The items that open runs use.
#[derive(Debug, Default)]
pub(super) struct UsedItems {
    items: HashMap<SpanId, Vec<RecordItem>, FastHash>,
    /// The bytes of their contents and sources.
    text_bytes: usize,
}

impl UsedItems {
    /// The maximum number of bytes of contents and sources that are kept.
    const MOST_TEXT: usize = 16 << 20;

    /// Stores the items of a run.
    pub(super) fn insert(&mut self, span: SpanId, mut items: Vec<RecordItem>) {
        let bytes = text_bytes(&items);
        if self.text_bytes + bytes > Self::MOST_TEXT {
            items.iter_mut().for_each(RecordItem::mark_texts);
        } else {
            self.text_bytes += bytes;
        }
        if let Some(before) = self.items.insert(span, items) {
            self.text_bytes = self.text_bytes.saturating_sub(text_bytes(&before));
        }
    }

    /// Removes and returns the items of a run.
    pub(super) fn remove(&mut self, span: SpanId) -> Vec<RecordItem> {
        let items = self.items.remove(&span).unwrap_or_default();
        self.text_bytes = self.text_bytes.saturating_sub(text_bytes(&items));
        items
    }
}

fn text_bytes(items: &[RecordItem]) -> usize {
    let texts = items.iter().flat_map(|item| [item.content(), item.source()]);
    texts.flatten().filter(|text| !RecordItem::is_mark(text)).map(str::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_bounded_over_all_runs_and_ids_are_kept() {
        let items = || vec![RecordItem::new("chunk", "c").with_score(0.5).with_content("a".repeat(1 << 20))];
        let mut used = UsedItems::default();
        let spans: Vec<SpanId> = (0..40).map(|_| SpanId::new()).collect();
        for _ in 0..3 {
            for span in &spans {
                used.insert(*span, items());
            }
            assert!(used.text_bytes <= UsedItems::MOST_TEXT);
            let whole = spans.iter().filter(|span| {
                let items = used.remove(**span);
                assert_eq!((items[0].id(), items[0].score()), ("c", Some(0.5)));
                let is_whole = items[0].content().is_some_and(|content| content.len() == 1 << 20);
                assert!(is_whole || items[0].content() == Some("…[truncated 1048576 bytes]"));
                is_whole
            });
            assert_eq!(whole.count(), 16);
            assert_eq!(used.text_bytes, 0);
        }
    }
}
