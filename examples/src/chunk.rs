//! Cuts a document into chunks that fit an embedding model.
//!
//! A chunk is a run of whole sentences of one section, at most [`Chunking::size`] long. In a block
//! of several lines (a list, a table, code) it is one of whole lines, which keep their indents. It
//! begins with the last sentences of the chunk before, as many as fit into [`Chunking::overlap`],
//! so that a thought cut in two is whole in one of them. Only a line or sentence that is longer
//! than a chunk is cut inside: between sentences, then between words, and a word that is longer
//! than a chunk between characters. Every character of the text that is not white space is in some
//! chunk.

use std::fmt::{self, Display};
use std::ops::Range;

use ragtrace::Item;
use unicode_segmentation::UnicodeSegmentation;

use crate::document::{Document, Section};
use crate::words::{count_tokens, sentences};

/// The unit of a chunk's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Words, numbers and punctuation marks: see [`count_tokens`].
    Tokens,
    /// Characters (Unicode scalar values).
    Chars,
}

impl Unit {
    /// Returns the unit's short name, as in the stage logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Chars => "chars",
        }
    }

    /// Returns the size of `text` in this unit.
    pub fn measure(self, text: &str) -> usize {
        match self {
            Self::Tokens => count_tokens(text),
            Self::Chars => text.chars().count(),
        }
    }
}

/// The settings of cutting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunking {
    unit: Unit,
    size: usize,
    overlap: usize,
}

impl Chunking {
    /// Creates settings for chunks of at most `size` units that share at most `overlap` units with
    /// the one before.
    pub fn new(unit: Unit, size: usize, overlap: usize) -> Result<Self, ChunkingError> {
        if size == 0 || overlap >= size {
            return Err(ChunkingError { size, overlap });
        }
        Ok(Self { unit, size, overlap })
    }

    /// Returns the unit of sizes.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Returns the largest size of a chunk.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns the largest part of a chunk that repeats the one before.
    pub fn overlap(&self) -> usize {
        self.overlap
    }
}

/// The error of a size of zero, or an overlap that leaves no room for anything new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkingError {
    size: usize,
    overlap: usize,
}

impl fmt::Display for ChunkingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, overlap } = self;
        write!(
            f,
            "a chunk of {size} cannot repeat {overlap} of the one before; choose an overlap smaller than the size"
        )
    }
}

impl std::error::Error for ChunkingError {}

/// A piece of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The id of the chunk in the items of stages, which is the same when the chunk is found again:
    /// see [`chunk_id`].
    pub id: String,
    /// The position among the document's chunks, counted from 0.
    pub position: usize,
    /// The byte range in the document's text.
    pub range: Range<usize>,
    /// The text of that range.
    pub text: String,
    /// The length in tokens, in whatever unit the chunks were cut.
    pub tokens: usize,
    /// The headings above the chunk, outermost first.
    pub headings: Vec<String>,
    /// The page on which the chunk begins, for a format with pages.
    pub page: Option<u32>,
}

/// Returns the id of a chunk, from its document's id and its position. If a document is ingested
/// again, its chunks have the same ids.
pub fn chunk_id(document_id: &str, position: impl Display) -> String {
    format!("{document_id}#{position}")
}

impl<'a> From<&'a Chunk> for Item<'a> {
    fn from(chunk: &'a Chunk) -> Self {
        Self::new(&chunk.id)
    }
}

/// Cuts `document` into chunks, in the order of its text.
pub fn chunk(document: &Document, chunking: &Chunking) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let document_id = document.id();
    for Section { range, path } in document.sections() {
        let text = &document.text[range.clone()];
        for found in ranges(text, chunking) {
            let text = &text[found.clone()];
            let start = range.start + found.start;
            chunks.push(Chunk {
                id: chunk_id(&document_id, chunks.len()),
                position: chunks.len(),
                range: start..start + text.len(),
                text: text.to_owned(),
                tokens: count_tokens(text),
                headings: path.clone(),
                page: document.page_at(start),
            });
        }
    }
    chunks
}

/// Returns the mean length of the chunks in characters, or 0 without chunks.
#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
pub fn mean_chars(chunks: &[Chunk]) -> f64 {
    if chunks.is_empty() {
        return 0.0;
    }
    let total: usize = chunks.iter().map(|chunk| chunk.text.chars().count()).sum();
    total as f64 / chunks.len() as f64
}

/// A part of the text that is not cut, and its size.
struct Piece {
    range: Range<usize>,
    size: usize,
}

/// Returns the byte ranges of the chunks of `text`, without white space at their ends, except for
/// the indent of the first line.
fn ranges(text: &str, chunking: &Chunking) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    for block in blocks(text) {
        let lines = text[block.clone()].split_inclusive('\n');
        let is_prose = lines.clone().filter(|line| !line.trim().is_empty()).count() == 1;
        if is_prose {
            add_sentences(text, block, chunking, &mut pieces);
            continue;
        }
        let mut start = block.start;
        for line in lines {
            let range = start..start + line.len();
            start = range.end;
            if chunking.unit.measure(line) <= chunking.size && !line.trim().is_empty() {
                add_pieces(text, range, chunking, &mut pieces);
            } else {
                add_sentences(text, range, chunking, &mut pieces);
            }
        }
    }

    let mut found = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        let end = fill(&pieces, start, chunking.size);
        let range = trimmed(text, pieces[start].range.start..pieces[end - 1].range.end);
        if !range.is_empty() {
            found.push(range);
        }
        start = if end == pieces.len() { end } else { step_back(&pieces, start, end, chunking) };
    }
    found
}

/// Returns the blocks of `text` as byte ranges without gaps. A blank line ends a block, and belongs
/// to it.
fn blocks(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let bound = rest
            .find("\n\n")
            .map_or(rest.len(), |at| at + rest[at..].len() - rest[at..].trim_start_matches('\n').len());
        let block = start..start + bound;
        start = block.end;
        Some(block)
    })
}

/// Adds the sentences of `range`.
fn add_sentences(text: &str, range: Range<usize>, chunking: &Chunking, pieces: &mut Vec<Piece>) {
    for sentence in sentences(&text[range.clone()]) {
        let sentence = range.start + sentence.start..range.start + sentence.end;
        if text[sentence.clone()].trim().is_empty() {
            join_white_space(text, sentence, chunking.unit, pieces);
        } else {
            add_pieces(text, sentence, chunking, pieces);
        }
    }
}

/// Adds `range` as one piece if it fits into a chunk, else its words, and the characters of a word
/// that does not fit.
fn add_pieces(text: &str, range: Range<usize>, chunking: &Chunking, pieces: &mut Vec<Piece>) {
    let whole = &text[range.clone()];
    let size = chunking.unit.measure(whole);
    if size <= chunking.size {
        pieces.push(Piece { range, size });
        return;
    }
    for (at, word) in whole.split_word_bound_indices() {
        let start = range.start + at;
        if word.trim().is_empty() {
            join_white_space(text, start..start + word.len(), chunking.unit, pieces);
            continue;
        }
        let size = chunking.unit.measure(word);
        if size <= chunking.size {
            pieces.push(Piece { range: start..start + word.len(), size });
            continue;
        }
        // Graphemes would not do here, since a single one can have any length.
        pieces.extend(word.char_indices().map(|(at, character)| {
            let start = start + at;
            Piece { range: start..start + character.len_utf8(), size: 1 }
        }));
    }
}

/// Adds white space to the piece before it, so that no chunk consists of repetition and white space
/// alone. A piece that becomes larger than a chunk this way fits again once its ends are trimmed.
fn join_white_space(text: &str, range: Range<usize>, unit: Unit, pieces: &mut [Piece]) {
    if let Some(last) = pieces.last_mut() {
        last.size += unit.measure(&text[range.clone()]);
        last.range.end = range.end;
    }
}

/// Returns the end of the longest run of pieces from `start` that fits into `size`, with at least
/// one piece.
fn fill(pieces: &[Piece], start: usize, size: usize) -> usize {
    let mut total = pieces[start].size;
    let mut end = start + 1;
    while end < pieces.len() && total + pieces[end].size <= size {
        total += pieces[end].size;
        end += 1;
    }
    end
}

/// Returns the start of the chunk after `start..end`: as far before `end` as the overlap allows,
/// while the new piece at `end` still fits.
fn step_back(pieces: &[Piece], start: usize, end: usize, chunking: &Chunking) -> usize {
    let room = chunking.overlap.min(chunking.size.saturating_sub(pieces[end].size));
    let mut shared = 0;
    let mut next = end;
    while next > start + 1 && shared + pieces[next - 1].size <= room {
        next -= 1;
        shared += pieces[next].size;
    }
    next
}

/// Returns `range` without white space at its ends. A first line keeps its indent.
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let end = range.start + part.trim_end().len();
    let blank = part.len() - part.trim_start().len();
    let line_start = part[..blank].rfind('\n').map(|at| range.start + at + 1);
    let is_at_line_start = range.start == 0 || text[..range.start].ends_with('\n');
    let start = line_start.or(is_at_line_start.then_some(range.start)).unwrap_or(range.start + blank);
    start.min(end)..end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Heading;

    fn document(text: &str) -> Document {
        Document::plain("a.txt", text)
    }

    fn cut(text: &str, unit: Unit, size: usize, overlap: usize) -> Vec<Chunk> {
        chunk(&document(text), &Chunking::new(unit, size, overlap).expect("valid"))
    }

    fn texts(chunks: &[Chunk]) -> Vec<&str> {
        chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    #[test]
    fn chunks_end_and_overlap_at_sentence_bounds() {
        let text = "One is here. Two is here. Three is here. Four is here.";
        let chunks = cut(text, Unit::Tokens, 8, 4);
        let expected = ["One is here. Two is here.", "Two is here. Three is here.", "Three is here. Four is here."];
        assert_eq!(texts(&chunks), expected);
    }

    #[test]
    fn without_overlap_nothing_is_repeated() {
        let text = "One is here. Two is here. Three is here.";
        assert_eq!(texts(&cut(text, Unit::Chars, 26, 0)), ["One is here. Two is here.", "Three is here."]);
    }

    #[test]
    fn a_sentence_longer_than_a_chunk_is_cut_between_words() {
        let chunks = cut("alpha beta gamma delta epsilon", Unit::Chars, 12, 0);
        assert_eq!(texts(&chunks), ["alpha beta", "gamma delta", "epsilon"]);
    }

    #[test]
    fn a_word_longer_than_a_chunk_is_cut_between_characters() {
        assert_eq!(texts(&cut("ééééé", Unit::Chars, 2, 0)), ["éé", "éé", "é"]);
    }

    #[test]
    fn a_chunk_never_spans_two_sections() {
        let mut document = document("Setup\n\nPlug it in.\n\nCare\n\nWipe it.");
        document.headings = vec![
            Heading { start: 0, level: 1, title: "Setup".to_owned() },
            Heading { start: 20, level: 1, title: "Care".to_owned() },
        ];
        let chunks = chunk(&document, &Chunking::new(Unit::Tokens, 100, 10).expect("valid"));
        assert_eq!(texts(&chunks), ["Setup\n\nPlug it in.", "Care\n\nWipe it."]);
        assert_eq!(chunks[1].headings, ["Care"]);
    }

    #[test]
    fn lines_of_a_list_or_of_code_are_not_torn_and_keep_their_indents() {
        let text =
            "Steps:\n\n1. Press it. Wait.\n2. Go on.\n\ndef f(x):\n    # One. Two.\n    return x\n\nThe end. It is.";
        let chunks = cut(text, Unit::Chars, 24, 0);
        let expected = [
            "Steps:",
            "1. Press it. Wait.",
            "2. Go on.\n\ndef f(x):",
            "    # One. Two.",
            "    return x\n\nThe end.",
            "It is.",
        ];
        assert_eq!(texts(&chunks), expected);
        assert_eq!(texts(&cut(text, Unit::Tokens, 100, 0)), [text]);
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_cut_between_sentences() {
        let chunks = cut("- One is here. Two is here.\n- Three.", Unit::Chars, 16, 0);
        assert_eq!(texts(&chunks), ["- One is here.", "Two is here.", "- Three."]);
    }

    #[test]
    fn an_overlap_as_large_as_the_chunk_is_refused() {
        assert!(Chunking::new(Unit::Chars, 10, 10).is_err());
        assert!(Chunking::new(Unit::Chars, 0, 0).is_err());
    }
}
