//! Determines the language and the keywords of a chunk, without a model.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use ragtrace::Item;

use crate::chunk::Chunk;
use crate::document::Document;
use crate::words;

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
    let main_language = words::language(&document.text);
    let languages: Vec<_> = chunks.iter().map(|chunk| words::language(&chunk.text).or(main_language)).collect();
    let terms: Vec<_> = chunks.iter().zip(&languages).map(|(chunk, language)| terms(&chunk.text, *language)).collect();

    let mut chunks_with: BTreeMap<&str, usize> = BTreeMap::new();
    for term in terms.iter().flat_map(BTreeMap::keys) {
        *chunks_with.entry(term).or_default() += 1;
    }
    let keywords: Vec<_> = chunks
        .iter()
        .zip(&terms)
        .map(|(chunk, terms)| keywords(chunk, terms, |term| inverse_frequency(chunks_with[term], chunks.len())))
        .collect();

    chunks
        .into_iter()
        .zip(languages)
        .zip(keywords)
        .map(|((chunk, language), keywords)| EnrichedChunk { chunk, language, keywords })
        .collect()
}

/// Enriches the chunks of a document, all at once or part by part.
#[derive(Debug, Clone)]
pub struct Enricher(Vec<EnrichedChunk>);

impl Enricher {
    /// Reads all `chunks` of `document`, so that any of them can be enriched.
    pub fn new(document: &Document, chunks: &[Chunk]) -> Self {
        Self(enrich(document, chunks.to_vec()))
    }

    /// Enriches some of the chunks that [`new`](Self::new) read.
    pub fn enrich(&self, chunks: Vec<Chunk>) -> Vec<EnrichedChunk> {
        chunks.into_iter().map(|chunk| self.0[chunk.position].clone()).collect()
    }
}

/// Returns the number of occurrences of each word and each pair of neighbouring words in `text`,
/// without stop words, numbers, and pairs that occur once.
fn terms(text: &str, language: Option<&str>) -> BTreeMap<String, usize> {
    let stop_words: HashSet<&str> = words::stop_words(language).iter().copied().collect();
    let telling =
        |word: &str| word.chars().count() > 2 && word.chars().any(char::is_alphabetic) && !stop_words.contains(word);
    let mut terms: BTreeMap<String, usize> = BTreeMap::new();
    let mut last: Option<String> = None;
    for word in words::words(text) {
        if !telling(&word) {
            last = None;
            continue;
        }
        if let Some(last) = &last {
            *terms.entry(format!("{last} {word}")).or_default() += 1;
        }
        *terms.entry(word.clone()).or_default() += 1;
        last = Some(word);
    }
    terms.retain(|term, count| *count > 1 || !term.contains(' '));
    terms
}

/// Returns the inverse document frequency, smoothed as in BM25. A term of every chunk still counts
/// a little, since a document may be a single chunk.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn inverse_frequency(chunks_with: usize, chunks: usize) -> f64 {
    (1.0 + chunks as f64 / chunks_with as f64).ln()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn keywords(chunk: &Chunk, terms: &BTreeMap<String, usize>, rarity: impl Fn(&str) -> f64) -> Vec<String> {
    let heading: HashSet<String> = chunk.headings.iter().flat_map(|heading| words::words(heading)).collect();
    let mut scored: Vec<(f64, &str)> = terms
        .iter()
        .map(|(term, count)| {
            let phrase = if term.contains(' ') { PHRASE_WEIGHT } else { 1.0 };
            let titled = if term.split(' ').any(|word| heading.contains(word)) { HEADING_WEIGHT } else { 1.0 };
            ((1.0 + (*count as f64).ln()) * rarity(term) * phrase * titled, term.as_str())
        })
        .collect();
    scored.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal).then_with(|| a.1.cmp(b.1)));

    let mut chosen: Vec<String> = Vec::new();
    for (_, term) in scored {
        let said = chosen.iter().any(|earlier| term.split(' ').all(|word| earlier.split(' ').any(|one| one == word)));
        if !said {
            chosen.push(term.to_owned());
        }
        if chosen.len() == KEYWORDS {
            break;
        }
    }
    chosen
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
    fn a_chunk_is_embedded_under_its_headings() {
        let chunks = enriched("Rain gauge\n\nIt tips.", Some("Rain gauge"));
        assert_eq!(chunks[0].text_to_embed(), "Rain gauge\n\nRain gauge\n\nIt tips.");
        assert!(chunks[0].keywords.contains(&"rain".to_owned()));
    }
}
