//! Reranks the search's results: chooses the few best passages, all of them different.
//!
//! A passage's score is absolute, so that it tells whether the documents answer the question at
//! all: the share of the question's words that the passage contains, weighted by their rarity in
//! the documents, together with the likeness of the vectors. Words count more if they stand close
//! together, and a passage counts less if it lacks the kind of fact that is asked for, such as a
//! date. A passage that repeats a chosen one gives way to others (maximal marginal relevance).

use std::collections::{HashMap, HashSet};

use ragtrace::Item;

use crate::embed::Similarity;
use crate::question::Question;
use crate::store::{Found, Hit, Weighted};
use crate::terms::terms;
use crate::words;

/// The score below which a passage does not answer a question, unless the user sets another.
pub const MIN_SCORE: f32 = 0.62;

/// The weight of the words in neighbouring sentences against those anywhere in the passage.
const FOCUS: f32 = 0.8;

/// The share of a word that only the headings contain.
const IN_HEADING: f32 = 0.9;

/// The share of a word that only other candidates of the same document contain. A document names
/// its subject once, and goes on without it.
const IN_DOCUMENT: f32 = 0.4;

/// The factor of a passage that has the kind of fact that is asked for, but elsewhere, and of one
/// that has it nowhere.
const FACT_ELSEWHERE: f32 = 0.9;
const NO_FACT: f32 = 0.7;

/// The factor of a passage without the word that names the fact.
const NOT_NAMED: f32 = 0.85;

/// The weight of relevance against being different.
const RELEVANCE_SHARE: f32 = 0.8;

/// A chunk that was chosen to answer from.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The chunk.
    pub hit: Hit,
    /// Its fit to the question, from 0 to 1.
    pub score: f32,
}

impl<'a> From<&'a Passage> for Item<'a> {
    fn from(passage: &'a Passage) -> Self {
        Self::from(&passage.hit).score(passage.score.into())
    }
}

/// Returns at most `keep` of the chunks found, best first.
pub fn rerank(question: &Question, found: Found, similarity: Similarity, keep: usize) -> Vec<Passage> {
    let Found { hits, words } = found;
    let said: Vec<Said> = hits.iter().map(Said::by).collect();
    let mut documents: HashMap<String, HashSet<String>> = HashMap::new();
    for (hit, said) in hits.iter().zip(&said) {
        documents.entry(hit.path.clone()).or_default().extend(said.all());
    }
    let mut left: Vec<(Passage, HashSet<String>)> = hits
        .into_iter()
        .zip(said)
        .map(|(hit, said)| {
            let around = Around { headings: &said.headings, document: &documents[&hit.path] };
            let lexical = lexical(question, &words, (&hit, &said), around);
            let likeness = similarity.likeness(hit.score);
            let score = (1.0 - similarity.trust) * lexical + similarity.trust * likeness;
            (Passage { hit, score }, said.all())
        })
        .filter(|(passage, _)| passage.score > 0.0)
        .collect();

    let mut chosen: Vec<(Passage, HashSet<String>)> = Vec::new();
    while chosen.len() < keep {
        let gain = |(passage, terms): &(Passage, HashSet<String>)| {
            let repeated = chosen.iter().map(|(_, other)| likeness(terms, other)).fold(0.0, f32::max);
            RELEVANCE_SHARE * passage.score - (1.0 - RELEVANCE_SHARE) * repeated
        };
        // Among equals, the one that the search ranked first is chosen.
        let best = (0..left.len()).rev().max_by(|a, b| gain(&left[*a]).total_cmp(&gain(&left[*b])));
        let Some(best) = best else { break };
        chosen.push(left.remove(best));
    }
    chosen.into_iter().map(|(passage, _)| passage).collect()
}

/// The terms of a chunk, sentence by sentence.
struct Said {
    /// The terms of the headings and of the document's name.
    headings: HashSet<String>,
    /// The sentences, and the terms of each.
    sentences: Vec<(std::ops::Range<usize>, HashSet<String>)>,
}

impl Said {
    fn by(hit: &Hit) -> Self {
        let name = hit.name.rsplit_once('.').map_or(hit.name.as_str(), |(name, _)| name);
        let headings = hit.headings.iter().map(String::as_str).chain([name]).flat_map(terms).collect();
        let sentences = words::sentences(&hit.text).map(|range| (range.clone(), set(&hit.text[range]))).collect();
        Self { headings, sentences }
    }

    fn all(&self) -> HashSet<String> {
        self.sentences.iter().flat_map(|(_, said)| said).chain(&self.headings).cloned().collect()
    }
}

fn set(text: &str) -> HashSet<String> {
    terms(text).into_iter().collect()
}

/// The terms around the text of a chunk.
#[derive(Clone, Copy)]
struct Around<'a> {
    headings: &'a HashSet<String>,
    document: &'a HashSet<String>,
}

impl Around<'_> {
    /// Returns the share of the word that is earned by its being around.
    fn credit(self, word: &Weighted) -> f32 {
        (IN_HEADING * word.credit(self.headings)).max(IN_DOCUMENT * word.credit(self.document))
    }
}

/// Returns how much of the question the chunk contains, from 0 to 1.
fn lexical(question: &Question, words: &[Weighted], (hit, said): (&Hit, &Said), around: Around<'_>) -> f32 {
    let asked: f32 = words.iter().map(|word| word.weight).sum();
    if asked <= 0.0 {
        return 0.0;
    }
    let implied: Vec<f32> = words.iter().map(|word| around.credit(word)).collect();
    let of_sentences: Vec<Vec<f32>> =
        said.sentences.iter().map(|(_, terms)| words.iter().map(|word| word.credit(terms)).collect()).collect();
    let share = |sentences: &[Vec<f32>]| {
        let earned = words.iter().enumerate().map(|(at, word)| {
            let best = sentences.iter().map(|credits| credits[at]).fold(implied[at], f32::max);
            word.weight * best
        });
        earned.sum::<f32>() / asked
    };
    let has_fact =
        |range: std::ops::Range<usize>| question.expected.as_ref().is_none_or(|fact| fact.is_in(&hit.text[range]));
    let anywhere = if has_fact(0..hit.text.len()) { FACT_ELSEWHERE } else { NO_FACT };
    // Two neighbours: a sentence that names the thing, and the one that goes on about it.
    let focused = (0..said.sentences.len()).map(|at| {
        let end = (at + 2).min(said.sentences.len());
        let range = said.sentences[at].0.start..said.sentences[end - 1].0.end;
        let fact = if has_fact(range) { 1.0 } else { anywhere };
        fact * (FOCUS * share(&of_sentences[at..end]) + (1.0 - FOCUS) * share(&of_sentences))
    });
    let lacks = |(at, word): (usize, &Weighted)| {
        word.is_wanted && implied[at] < 0.5 && of_sentences.iter().all(|credits| credits[at] < 0.5)
    };
    let named = if words.iter().enumerate().any(lacks) { NOT_NAMED } else { 1.0 };
    named * focused.fold(0.0, f32::max)
}

/// Returns the share of terms that two texts have in common (Jaccard).
#[expect(clippy::cast_precision_loss, reason = "terms of a chunk are few")]
fn likeness(a: &HashSet<String>, b: &HashSet<String>) -> f32 {
    let common = a.intersection(b).count();
    let all = a.len() + b.len() - common;
    if all == 0 { 0.0 } else { common as f32 / all as f32 }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::store::Form;

    pub(crate) fn hit(text: &str, score: f32) -> Hit {
        Hit {
            id: crate::chunk::chunk_id("a.md", 0),
            name: "manual.md".to_owned(),
            path: "/manual.md".to_owned(),
            position: 0,
            text: text.to_owned(),
            headings: Vec::new(),
            page: None,
            language: None,
            keywords: Vec::new(),
            score,
        }
    }

    /// Returns the words of a question, each of the weight of its importance.
    pub(crate) fn weighted(question: &Question) -> Vec<Weighted> {
        let words = question.words.iter().map(|word| Weighted {
            term: word.term.clone(),
            forms: vec![Form { term: word.term.clone(), credit: 1.0 }],
            weight: word.importance,
            ..Weighted::default()
        });
        words.collect()
    }

    const SIMILARITY: Similarity = Similarity { unrelated: 0.1, alike: 0.5, trust: 0.1 };

    fn ranked(asked: &str, hits: Vec<Hit>) -> Vec<Passage> {
        let question = Question::new(asked);
        let words = weighted(&question);
        rerank(&question, Found { hits, words }, SIMILARITY, 2)
    }

    #[test]
    fn a_passage_with_the_words_of_the_question_comes_first() {
        let hits = vec![hit("The mast carries the vane.", 0.5), hit("The battery lasts eleven days.", 0.45)];
        let passages = ranked("How long does the battery last?", hits);
        assert!(passages[0].hit.text.contains("battery"));
        assert!(passages[0].score > 0.9 && passages[1].score < MIN_SCORE, "{passages:?}");
    }

    #[test]
    fn a_passage_that_repeats_another_gives_way() {
        let said = "The battery lasts eleven days without sun.";
        let hits = vec![hit(said, 0.9), hit(said, 0.9), hit("A flat battery is charged over the service port.", 0.7)];
        let passages = ranked("battery", hits);
        assert_eq!(passages[0].hit.text, said);
        assert!(passages[1].hit.text.contains("service port"));
    }

    #[test]
    fn a_passage_without_the_fact_that_is_asked_for_counts_less() {
        let with = ranked("When was the mill built?", vec![hit("The mill was built in 1802.", 0.3)]);
        let without = ranked("When was the mill built?", vec![hit("The mill was built of oak.", 0.3)]);
        assert!(with[0].score > without[0].score + 0.2);
    }

    #[test]
    fn nothing_found_is_nothing_chosen() {
        assert!(ranked("battery", Vec::new()).is_empty());
    }
}
