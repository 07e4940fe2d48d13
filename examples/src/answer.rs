//! Composes an answer of the documents' own sentences: those that say most about the question.

use std::collections::HashSet;

use serde::Serialize;

use crate::question::Question;
use crate::rerank::Passage;
use crate::store::Weighted;
use crate::terms::terms;
use crate::words;

/// The model's name that stages record. It is not a language model but a rule.
pub const MODEL: &str = "extractive-quotes-v1";

/// A price in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// The price of input tokens.
    pub input: f64,
    /// The price of output tokens.
    pub output: f64,
}

/// A notional price, so that there is a cost to be seen. Quoting costs nothing; a pipeline with a
/// hosted model has that model's price here.
pub const NOTIONAL_PRICE: Price = Price { input: 0.15, output: 0.60 };

impl Price {
    /// Returns the cost of a number of tokens, in US dollars.
    #[expect(clippy::cast_precision_loss, reason = "tokens are far below 2^52")]
    pub fn of(self, input_tokens: usize, output_tokens: usize) -> f64 {
        (input_tokens as f64 * self.input + output_tokens as f64 * self.output) / 1e6
    }
}

/// A message of a conversation, in the form that hosted models accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The role of the author: `system` or `user`.
    pub role: &'static str,
    /// The text of the message.
    pub content: String,
}

/// Returns the messages that would ask a language model for what [`quotes`] finds.
pub fn messages(question: &str, passages: &[Passage]) -> Vec<Message> {
    let numbered = |(at, passage): (usize, &Passage)| format!("[{}] {}", at + 1, passage.hit.text);
    let sources: Vec<_> = passages.iter().enumerate().map(numbered).collect();
    let system = format!("Answer in sentences of these passages:\n\n{}", sources.join("\n\n"));
    vec![Message { role: "system", content: system }, Message { role: "user", content: question.to_owned() }]
}

/// The largest number of sentences in an answer.
const SENTENCES: usize = 4;

/// The least relevance of a sentence, as a share of the best one's.
const AGAINST_BEST: f32 = 0.45;

/// A sentence of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The number of its passage, counted from 1.
    pub passage: usize,
    /// The sentence, on one line.
    pub sentence: String,
}

/// Returns the sentences that answer `question`, in the order of the passages and of their text.
/// `words` are the question's, weighted. Returns none if no passage contains one of them.
pub fn quotes(question: &Question, words: &[Weighted], passages: &[Passage]) -> Vec<Quote> {
    let mut found: Vec<(f32, Quote)> = Vec::new();
    for (at, passage) in passages.iter().enumerate() {
        let titled: HashSet<String> = passage.hit.headings.iter().flat_map(|heading| terms(heading)).collect();
        let mut before = 0.0;
        for range in words::sentences(&passage.hit.text) {
            let sentence = passage.hit.text[range].split_whitespace().collect::<Vec<_>>().join(" ");
            // A heading is not an answer.
            if sentence.is_empty() || passage.hit.headings.contains(&sentence) {
                continue;
            }
            let own = relevance(words, &titled, &sentence);
            let score = followed(question, own, before, &sentence);
            before = own;
            // An overlap is quoted only once.
            if !found.iter().any(|(_, quote)| quote.sentence == sentence) {
                found.push((score * (0.5 + passage.score), Quote { passage: at + 1, sentence }));
            }
        }
    }
    let mut scores: Vec<f32> = found.iter().map(|(score, _)| *score).filter(|score| *score > 0.0).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let Some(best) = scores.first() else { return Vec::new() };
    let least = scores[scores.len().min(SENTENCES) - 1].max(best * AGAINST_BEST);
    found.retain(|(score, _)| *score >= least);
    found.truncate(SENTENCES);
    found.into_iter().map(|(_, quote)| quote).collect()
}

/// Returns the first sentence of the best passage, for passages that are about a question in other
/// words than its own.
pub fn opening(passages: &[Passage]) -> Option<Quote> {
    let best = passages.first()?;
    let sentences = words::sentences(&best.hit.text);
    let mut sentences = sentences.map(|range| best.hit.text[range].split_whitespace().collect::<Vec<_>>().join(" "));
    let sentence = sentences.find(|sentence| !sentence.is_empty() && !best.hit.headings.contains(sentence))?;
    Some(Quote { passage: 1, sentence })
}

/// Returns the share of the question's words that the sentence contains, by weight. A word that
/// only the headings contain counts half, since the sentence then is about it without naming it. A
/// sentence with no word of the question counts only below a heading that contains most of them, as
/// in a list of questions and answers.
fn relevance(words: &[Weighted], titled: &HashSet<String>, sentence: &str) -> f32 {
    let asked: f32 = words.iter().map(|word| word.weight).sum();
    let said: HashSet<String> = terms(sentence).into_iter().collect();
    let (mut direct, mut implied) = (0.0, 0.0);
    for word in words {
        let own = word.credit(&said);
        direct += word.weight * own;
        implied += word.weight * (word.credit(titled) - own).max(0.0);
    }
    if asked <= 0.0 || (direct <= 0.0 && implied * 3.0 < asked * 2.0) {
        return 0.0;
    }
    (direct + 0.5 * implied) / asked
}

/// Returns the relevance of a sentence with regard to the one before it. The fact that is asked for
/// is often in the next sentence, where "it" stands for the thing.
fn followed(question: &Question, own: f32, before: f32, sentence: &str) -> f32 {
    match &question.expected {
        Some(expected) if expected.is_in(sentence) => own.max(0.75 * before) * 1.25,
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rerank::tests::{hit, weighted};

    fn quoted(asked: &str, passages: &[Passage]) -> Vec<Quote> {
        let question = Question::new(asked);
        quotes(&question, &weighted(&question), passages)
    }

    fn passages(texts: &[&str]) -> Vec<Passage> {
        texts.iter().map(|text| Passage { hit: hit(text, 1.0), score: 1.0 }).collect()
    }

    #[test]
    fn the_opening_is_the_first_sentence_that_is_no_heading() {
        let mut passages = passages(&["Power\n\nThe battery lasts eleven days. It rains.", "The mast is steel."]);
        passages[0].hit.headings = vec!["Power".to_owned()];
        let expected = Quote { passage: 1, sentence: "The battery lasts eleven days.".to_owned() };
        assert_eq!(opening(&passages), Some(expected));
        assert_eq!(opening(&[]), None);
    }

    #[test]
    fn an_answer_is_the_sentences_that_speak_of_the_question() {
        let passages =
            passages(&["The mast is steel. The battery lasts eleven days. It rains.", "Charge the battery at 5 V."]);
        let quotes = quoted("How long does the battery last?", &passages);
        assert_eq!(quotes[0], Quote { passage: 1, sentence: "The battery lasts eleven days.".to_owned() });
        assert!(quotes.iter().all(|quote| quote.sentence.contains("battery")));
    }

    #[test]
    fn a_sentence_below_the_question_itself_answers_it() {
        let mut passages = passages(&["How often are readings sent?\n\nEvery five minutes."]);
        passages[0].hit.headings = vec!["Readings".to_owned(), "How often are readings sent?".to_owned()];
        let quotes = quoted("How often are readings sent?", &passages);
        assert_eq!(quotes, [Quote { passage: 1, sentence: "Every five minutes.".to_owned() }]);
    }

    #[test]
    fn a_question_about_something_else_has_no_answer() {
        assert!(quoted("Who painted the ceiling?", &passages(&["The mast is steel."])).is_empty());
        assert!(quoted("battery", &[]).is_empty());
    }

    #[test]
    fn the_fact_may_be_in_the_next_sentence() {
        let passages = passages(&["The anchor lies in the yard. It weighs four tonnes. It is painted black."]);
        let quotes = quoted("How heavy is the anchor?", &passages);
        let sentences: Vec<&str> = quotes.iter().map(|quote| quote.sentence.as_str()).collect();
        assert_eq!(sentences, ["The anchor lies in the yard.", "It weighs four tonnes."]);
    }
}
