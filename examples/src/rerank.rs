//! Reranks the search's results: chooses the few best passages, all of them different.
//!
//! The vectors say which chunks are near the question. Here the question's words themselves are
//! looked for (BM25 over the candidates), and a passage that repeats a chosen one gives way to
//! others (maximal marginal relevance).

use std::collections::{BTreeMap, BTreeSet};

use ragtrace::Item;

use crate::store::Hit;
use crate::words;

/// BM25's usual saturation and length correction (Robertson and Zaragoza, "The Probabilistic
/// Relevance Framework", section 3.4.3).
const K1: f32 = 1.2;
const B: f32 = 0.75;

/// The weight of the words against the vectors.
const WORDS_SHARE: f32 = 0.6;

/// The weight of relevance against being different.
const RELEVANCE_SHARE: f32 = 0.8;

/// The share of the best score below which a candidate is not about the question.
const LEAST_SCORE: f32 = 0.3;

/// A chunk that was chosen to answer from.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The chunk.
    pub hit: Hit,
    /// Its fit to the question compared with the other candidates, from 0 to 1.
    pub score: f32,
}

impl<'a> From<&'a Passage> for Item<'a> {
    fn from(passage: &'a Passage) -> Self {
        Self::from(&passage.hit).score(passage.score.into())
    }
}

/// Returns at most `keep` of the candidates, best first.
pub fn rerank(question: &str, hits: Vec<Hit>, keep: usize) -> Vec<Passage> {
    let asked: BTreeSet<String> = question_words(question).collect();
    let candidates: Vec<BTreeMap<String, f32>> = hits.iter().map(word_counts).collect();
    let lexical = scaled(&bm25(&asked, &candidates));
    let semantic = scaled(&hits.iter().map(|hit| hit.score.max(0.0)).collect::<Vec<_>>());
    let mut left: Vec<(Passage, BTreeMap<String, f32>)> = hits
        .into_iter()
        .zip(lexical.iter().zip(&semantic))
        .map(|(hit, (words, vectors))| Passage { hit, score: WORDS_SHARE * words + (1.0 - WORDS_SHARE) * vectors })
        .zip(candidates)
        .collect();

    let least = LEAST_SCORE * left.iter().map(|(passage, _)| passage.score).fold(0.0, f32::max);
    left.retain(|(passage, _)| passage.score >= least);

    let mut chosen: Vec<(Passage, BTreeMap<String, f32>)> = Vec::new();
    while chosen.len() < keep {
        let gain = |(passage, words): &(Passage, BTreeMap<String, f32>)| {
            let repeated = chosen.iter().map(|(_, other)| likeness(words, other)).fold(0.0, f32::max);
            RELEVANCE_SHARE * passage.score - (1.0 - RELEVANCE_SHARE) * repeated
        };
        // Among equals, the one that the search ranked first is chosen.
        let best = (0..left.len()).rev().max_by(|a, b| gain(&left[*a]).total_cmp(&gain(&left[*b])));
        let Some(best) = best else { break };
        chosen.push(left.remove(best));
    }
    chosen.into_iter().map(|(passage, _)| passage).collect()
}

/// Returns the significant words of a question, or all of its words if none is significant.
pub fn question_words(question: &str) -> impl Iterator<Item = String> + '_ {
    // A question is often too short to recognize its language, and then it is most likely English.
    let stop_words = words::stop_words(words::language(question).or(Some("en")));
    let telling = |word: &String| !stop_words.contains(&word.as_str());
    let any = words::words(question).any(|word| telling(&word));
    words::words(question).filter(move |word| !any || telling(word))
}

fn word_counts(hit: &Hit) -> BTreeMap<String, f32> {
    let mut counts = BTreeMap::new();
    for text in hit.headings.iter().chain([&hit.text]) {
        for word in words::words(text) {
            *counts.entry(word).or_default() += 1.0;
        }
    }
    counts
}

#[expect(clippy::cast_precision_loss, reason = "a few dozen candidates")]
fn bm25(asked: &BTreeSet<String>, candidates: &[BTreeMap<String, f32>]) -> Vec<f32> {
    let total = candidates.len() as f32;
    let length = |candidate: &BTreeMap<String, f32>| candidate.values().sum::<f32>();
    let mean = candidates.iter().map(length).sum::<f32>() / total.max(1.0);
    let score = |candidate: &BTreeMap<String, f32>| {
        asked
            .iter()
            .filter_map(|word| {
                let count = candidate.get(word)?;
                let having = candidates.iter().filter(|other| other.contains_key(word)).count() as f32;
                let rarity = (1.0 + (total - having + 0.5) / (having + 0.5)).ln();
                Some(rarity * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length(candidate) / mean)))
            })
            .sum()
    };
    candidates.iter().map(score).collect()
}

/// Returns the scores divided by the largest one, so that scores of two kinds can be weighted
/// against each other.
fn scaled(scores: &[f32]) -> Vec<f32> {
    let greatest = scores.iter().copied().fold(0.0, f32::max);
    scores.iter().map(|score| if greatest > 0.0 { score / greatest } else { 0.0 }).collect()
}

/// Returns the share of words that two texts have in common (Jaccard).
#[expect(clippy::cast_precision_loss, reason = "words of a chunk are few")]
fn likeness(a: &BTreeMap<String, f32>, b: &BTreeMap<String, f32>) -> f32 {
    let common = a.keys().filter(|word| b.contains_key(*word)).count();
    let all = a.len() + b.len() - common;
    if all == 0 { 0.0 } else { common as f32 / all as f32 }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

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

    #[test]
    fn a_passage_with_the_words_of_the_question_comes_first() {
        let hits = vec![hit("The mast carries the vane.", 0.5), hit("The battery lasts eleven days.", 0.45)];
        let passages = rerank("How long does the battery last?", hits, 2);
        assert!(passages[0].hit.text.contains("battery"));
        assert!(passages[0].score > passages[1].score);
    }

    #[test]
    fn a_passage_that_repeats_another_gives_way() {
        let said = "The battery lasts eleven days without sun.";
        let hits = vec![hit(said, 0.9), hit(said, 0.9), hit("A flat battery is charged over the service port.", 0.7)];
        let passages = rerank("battery", hits, 2);
        assert_eq!(passages[0].hit.text, said);
        assert!(passages[1].hit.text.contains("service port"));
    }

    #[test]
    fn nothing_found_is_nothing_chosen() {
        assert!(rerank("battery", Vec::new(), 5).is_empty());
    }

    #[test]
    fn a_question_of_stop_words_keeps_them() {
        assert_eq!(question_words("Who is it?").count(), 3);
        assert_eq!(question_words("Who is the founder?").collect::<Vec<_>>(), ["founder"]);
    }
}
