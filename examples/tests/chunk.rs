//! Chunks of any text, under any settings.

use proptest::prelude::*;
use ragtrace_examples::chunk::{Chunk, Chunking, Unit, chunk};
use ragtrace_examples::document::Document;

fn cut(text: &str, unit: Unit, size: usize, overlap: usize) -> Vec<Chunk> {
    chunk(&Document::plain("a.txt", text), &Chunking::new(unit, size, overlap).expect("valid"))
}

proptest! {
    #[test]
    fn chunks_cover_the_text_within_their_bounds(
        text in r"([a-zA-Zé漢🙂'\-]{1,12}[ .,!?\n\u{301}]{0,3}){0,60}",
        size in 1_usize..40,
        overlap in 0_usize..40,
        tokens in any::<bool>(),
    ) {
        let unit = if tokens { Unit::Tokens } else { Unit::Chars };
        let chunks = cut(&text, unit, size, overlap % size);
        let mut covered = vec![false; text.len()];
        for chunk in &chunks {
            prop_assert_eq!(&text[chunk.range.clone()], chunk.text.as_str());
            prop_assert!(unit.measure(&chunk.text) <= size);
            covered[chunk.range.clone()].fill(true);
        }
        for (at, character) in text.char_indices() {
            prop_assert!(covered[at] || character.is_whitespace());
        }
        for pair in chunks.windows(2) {
            prop_assert!(pair[0].range.start < pair[1].range.start);
            prop_assert!(pair[0].range.end < pair[1].range.end);
            let shared = pair[1].range.start..pair[0].range.end.max(pair[1].range.start);
            prop_assert!(unit.measure(&text[shared]) <= overlap % size);
        }
    }
}
