//! Determines the language and the keywords of a chunk, without a model.

use std::collections::HashSet;

use ragtrace::Item;
use unicode_segmentation::UnicodeSegmentation;

use crate::chunk::Chunk;
use crate::document::Document;
use crate::{stop_words, words};

/// The largest number of keywords of a chunk.
const KEYWORDS: usize = 6;

/// The weight of a pair of words, which says more than each of them.
const PHRASE_WEIGHT: f64 = 1.6;

/// The weight of a word in a heading above the chunk, which tells what the chunk is about.
const HEADING_WEIGHT: f64 = 1.5;

/// A chunk with its language and keywords.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrichedChunk {
    /// The chunk itself.
    pub chunk: Chunk,
    /// The two-letter code (ISO 639-1) of its language, if it can be recognized.
    pub language: Option<&'static str>,
    /// The words and pairs of words that distinguish this chunk from the document's others, most
    /// distinctive first.
    pub keywords: Vec<String>,
}

impl<'a> From<&'a EnrichedChunk> for Item<'a> {
    fn from(enriched: &'a EnrichedChunk) -> Self {
        Self::from(&enriched.chunk)
    }
}

impl EnrichedChunk {
    /// Returns the text to embed: the headings above the chunk and its text. A chunk alone often
    /// does not say what it is about.
    pub fn text_to_embed(&self) -> String {
        let mut text = self.chunk.headings.join(" > ");
        if !text.is_empty() {
            text.push_str("\n\n");
        }
        text.push_str(&self.chunk.text);
        text
    }
}

/// Enriches the chunks of `document`. A chunk that is too short to recognize its language takes the
/// document's.
pub fn enrich(document: &Document, chunks: Vec<Chunk>) -> Vec<EnrichedChunk> {
    Enricher::new(document, &chunks).enrich(chunks)
}

/// Enriches the chunks of a document, all at once or part by part.
///
/// It goes over the text twice: first to count in how many chunks each term occurs, then to choose
/// the keywords of each chunk. Between the two it keeps counters of a bounded size, and no terms.
#[derive(Debug, Clone)]
pub struct Enricher {
    /// The languages of the chunks by their positions, since recognizing one costs more than all
    /// the rest.
    languages: Vec<Option<&'static str>>,
    frequencies: Frequencies,
}

impl Enricher {
    /// Reads all `chunks` of `document`, so that any of them can be enriched.
    pub fn new(document: &Document, chunks: &[Chunk]) -> Self {
        let main_language = main_language(&document.text);
        let mut languages = Vec::with_capacity(chunks.len());
        let mut frequencies = Frequencies::of_chunks(chunks.len());
        for chunk in chunks {
            let text = chunk.text.to_lowercase();
            let language = language(&text, main_language);
            for term in terms(&text, language) {
                frequencies.count(term.hash);
            }
            languages.push(language);
        }
        Self { languages, frequencies }
    }

    /// Enriches some of the chunks that [`new`](Self::new) read.
    pub fn enrich(&self, chunks: Vec<Chunk>) -> Vec<EnrichedChunk> {
        chunks.into_iter().map(|chunk| self.enrich_one(chunk)).collect()
    }

    fn enrich_one(&self, chunk: Chunk) -> EnrichedChunk {
        let language = self.languages.get(chunk.position).copied().flatten();
        let text = chunk.text.to_lowercase();
        let rarity = |term: &Term<'_>| inverse_frequency(self.frequencies.of(term.hash), self.languages.len());
        let keywords = keywords(&chunk.headings, &terms(&text, language), rarity);
        EnrichedChunk { chunk, language, keywords }
    }
}

/// The number of chunks with each term, by the terms' hashes. Terms that share a counter count as
/// one, and look a little more common than they are.
#[derive(Debug, Clone)]
struct Frequencies {
    /// A power of two.
    counters: Vec<u32>,
}

impl Frequencies {
    /// The number of counters for each chunk. A chunk has some hundred terms.
    const FOR_EACH: usize = 512;
    /// The largest number of counters, 8 MB, for a document of any length.
    const MOST: usize = 1 << 21;

    fn of_chunks(chunks: usize) -> Self {
        let size = chunks.saturating_mul(Self::FOR_EACH).clamp(1, Self::MOST).next_power_of_two();
        Self { counters: vec![0; size] }
    }

    fn at(&self, hash: u64) -> usize {
        // The mask is below the number of counters, which is a usize.
        usize::try_from(hash & (self.counters.len() as u64 - 1)).unwrap_or(0)
    }

    fn count(&mut self, hash: u64) {
        let at = self.at(hash);
        self.counters[at] = self.counters[at].saturating_add(1);
    }

    fn of(&self, hash: u64) -> u32 {
        self.counters[self.at(hash)].max(1)
    }
}

/// The largest part of a text that is looked at for the language of a whole document, in bytes.
/// More would not tell more.
const SAMPLE: usize = 16 * 1024;

/// Returns the language of a document: of a part from its middle, since many begin with a title and
/// end with references in other languages.
fn main_language(text: &str) -> Option<&'static str> {
    let spare = text.len().saturating_sub(SAMPLE) / 2;
    let start = text.ceil_char_boundary(spare);
    words::language(&text[start..text.floor_char_boundary(start + SAMPLE)])
}

/// Returns the language of a chunk's text in lower case, or the document's if the chunk does not
/// tell.
fn language(text: &str, main: Option<&'static str>) -> Option<&'static str> {
    if is_prose_in(text, main) { main } else { words::language(text).or(main) }
}

/// Returns `true` if so many words of the text are stop words of the language that it need not be
/// examined further: recognizing a language takes far longer than looking up its stop words.
fn is_prose_in(text: &str, language: Option<&'static str>) -> bool {
    /// The least number of stop words.
    const LEAST: usize = 6;
    // A related language has fewer of them, and English has no close relative.
    let least_percent = if language == Some("en") { 22 } else { 40 };
    let stop_words = stop_words::of(language);
    if stop_words.is_empty() {
        return false;
    }
    let (mut words, mut found) = (0, 0);
    for word in text.unicode_words() {
        words += 1;
        found += usize::from(stop_words.contains(word));
    }
    found >= LEAST && found * 100 >= words * least_percent
}

/// A word, or a pair of neighbouring words, of a text in lower case.
#[derive(Debug, Clone, Copy)]
struct Term<'a> {
    hash: u64,
    first: &'a str,
    second: Option<&'a str>,
    count: u32,
}

impl<'a> Term<'a> {
    fn words(&self) -> impl Iterator<Item = &'a str> {
        [self.first].into_iter().chain(self.second)
    }

    fn text(&self) -> String {
        self.words().collect::<Vec<_>>().join(" ")
    }
}

/// Returns each word and each pair of neighbouring words in `text` with the number of occurrences,
/// without stop words, numbers, and pairs that occur once.
fn terms<'a>(text: &'a str, language: Option<&str>) -> Vec<Term<'a>> {
    let stop_words = stop_words::of(language);
    let telling = |word: &str| {
        word.chars().nth(2).is_some() && word.chars().any(char::is_alphabetic) && !stop_words.contains(word)
    };
    let mut terms: Vec<Term<'a>> = Vec::new();
    let mut last: Option<(u64, &str)> = None;
    for word in text.unicode_words() {
        if !telling(word) {
            last = None;
            continue;
        }
        let hash = hash(word);
        if let Some((before, first)) = last {
            // The rotation tells "wind vane" from "vane wind".
            terms.push(Term { hash: mixed(before.rotate_left(21) ^ hash), first, second: Some(word), count: 1 });
        }
        terms.push(Term { hash, first: word, second: None, count: 1 });
        last = Some((hash, word));
    }
    terms.sort_unstable_by_key(|term| term.hash);
    terms.dedup_by(|next, kept| {
        let same = next.hash == kept.hash;
        kept.count += u32::from(same);
        same
    });
    terms.retain(|term| term.count > 1 || term.second.is_none());
    terms
}

/// Returns a hash of a word: FNV-1a (64 bit), mixed.
fn hash(word: &str) -> u64 {
    mixed(
        word.bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)),
    )
}

/// Spreads a hash over all of its bits: the first half of the finalizer of `MurmurHash3`.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

/// Returns the inverse document frequency, smoothed as in BM25. A term of every chunk still counts
/// a little, since a document may be a single chunk.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn inverse_frequency(chunks_with: u32, chunks: usize) -> f64 {
    (1.0 + chunks as f64 / f64::from(chunks_with)).ln()
}

fn keywords(headings: &[String], terms: &[Term<'_>], rarity: impl Fn(&Term<'_>) -> f64) -> Vec<String> {
    let heading: HashSet<String> = headings.iter().flat_map(|heading| words::words(heading)).collect();
    let mut scored: Vec<(f64, Term<'_>)> = terms
        .iter()
        .map(|term| {
            let phrase = if term.second.is_some() { PHRASE_WEIGHT } else { 1.0 };
            let titled = if term.words().any(|word| heading.contains(word)) { HEADING_WEIGHT } else { 1.0 };
            ((1.0 + f64::from(term.count).ln()) * rarity(term) * phrase * titled, *term)
        })
        .collect();
    scored.sort_unstable_by(|(a, one), (b, other)| {
        b.total_cmp(a).then_with(|| (one.first, one.second).cmp(&(other.first, other.second)))
    });

    let mut chosen: Vec<Term<'_>> = Vec::new();
    for (_, term) in scored {
        let said = chosen.iter().any(|earlier| term.words().all(|word| earlier.words().any(|one| one == word)));
        if !said {
            chosen.push(term);
        }
        if chosen.len() == KEYWORDS {
            break;
        }
    }
    chosen.iter().map(Term::text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{Chunking, Unit, chunk};
    use crate::document::Heading;

    fn enriched(text: &str, heading: Option<&str>) -> Vec<EnrichedChunk> {
        let headings = heading.map(|title| Heading { start: 0, level: 1, title: title.to_owned() });
        let document = Document { headings: headings.into_iter().collect(), ..Document::plain("a.txt", text) };
        let chunks = chunk(&document, &Chunking::new(Unit::Tokens, 24, 0).expect("valid"));
        enrich(&document, chunks)
    }

    #[test]
    fn keywords_are_what_tells_a_chunk_from_the_others() {
        let text = "The station has a mast. The wind vane turns, and the wind vane holds its bearing. \
                    The station has a roof. The rain gauge tips, and the rain gauge is empty again.";
        let chunks = enriched(text, None);
        assert_eq!(chunks.len(), 2);
        assert_eq!(chunks[0].keywords[0], "wind vane");
        assert_eq!(chunks[1].keywords[0], "rain gauge");
        assert!(chunks.iter().all(|chunk| !chunk.keywords.iter().any(|keyword| keyword == "the")));
        assert_eq!(chunks[0].language, Some("en"));
    }

    #[test]
    fn chunks_enriched_part_by_part_have_the_keywords_of_the_whole() {
        let text = "Wind turns the vane. Rain fills the gauge. Sun warms the panel. Hail hits the guard. ".repeat(20);
        let document = Document::plain("a.txt", text);
        let chunks = chunk(&document, &Chunking::new(Unit::Tokens, 12, 0).expect("valid"));
        let enricher = Enricher::new(&document, &chunks);
        let parts: Vec<_> = chunks.chunks(7).flat_map(|part| enricher.enrich(part.to_vec())).collect();
        assert_eq!(parts, enrich(&document, chunks));
    }

    #[test]
    fn a_chunk_is_embedded_under_its_headings() {
        let chunks = enriched("Rain gauge\n\nIt tips.", Some("Rain gauge"));
        assert_eq!(chunks[0].text_to_embed(), "Rain gauge\n\nRain gauge\n\nIt tips.");
        assert!(chunks[0].keywords.contains(&"rain".to_owned()));
    }
}
