//! Composes an answer of the documents' own sentences: those that say most about the question.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::rerank::{Passage, question_words};
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
/// Returns none if no passage contains a word of the question.
pub fn quotes(question: &str, passages: &[Passage]) -> Vec<Quote> {
    let asked: BTreeSet<String> = question_words(question).collect();
    let mut found: Vec<(f32, Quote)> = Vec::new();
    for (at, passage) in passages.iter().enumerate() {
        for range in words::sentences(&passage.hit.text) {
            let sentence = passage.hit.text[range].split_whitespace().collect::<Vec<_>>().join(" ");
            // A heading is not an answer, and an overlap is quoted only once.
            let heading = passage.hit.headings.contains(&sentence);
            if !sentence.is_empty() && !heading && !found.iter().any(|(_, quote)| quote.sentence == sentence) {
                let score = relevance(&asked, passage, &sentence);
                found.push((score, Quote { passage: at + 1, sentence }));
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

/// Returns the share of the question's words that the sentence contains, weighted by how well its
/// passage fits. A word that only its headings contain counts half, since the sentence then is
/// about it without naming it. A sentence with no word of the question counts only below a heading
/// that contains most of them, as in a list of questions and answers.
fn relevance(asked: &BTreeSet<String>, passage: &Passage, sentence: &str) -> f32 {
    let says = |text: &str| {
        let words: Vec<String> = words::words(text).collect();
        move |asked: &str| words.iter().any(|word| akin(word, asked))
    };
    let (said, titled) = (says(sentence), says(&passage.hit.headings.join(" ")));
    let direct = asked.iter().filter(|word| said(word)).count();
    let implied = asked.iter().filter(|word| !said(word) && titled(word)).count();
    if direct == 0 && implied * 3 < asked.len() * 2 {
        return 0.0;
    }
    (count(direct) + 0.5 * count(implied)) * (0.5 + passage.score)
}

#[expect(clippy::cast_precision_loss, reason = "words of a question are few")]
fn count(words: usize) -> f32 {
    words as f32
}

/// Returns `true` if two words are forms of one: equal, or with a long common beginning and short
/// ends ("last", "lasts").
fn akin(a: &str, b: &str) -> bool {
    let common = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count();
    let longest = a.chars().count().max(b.chars().count());
    a == b || (common >= 4 && longest - common <= 3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rerank::tests::hit;

    fn passages(texts: &[&str]) -> Vec<Passage> {
        texts.iter().map(|text| Passage { hit: hit(text, 1.0), score: 1.0 }).collect()
    }

    #[test]
    fn an_answer_is_the_sentences_that_speak_of_the_question() {
        let passages =
            passages(&["The mast is steel. The battery lasts eleven days. It rains.", "Charge the battery at 5 V."]);
        let quotes = quotes("How long does the battery last?", &passages);
        assert_eq!(quotes[0], Quote { passage: 1, sentence: "The battery lasts eleven days.".to_owned() });
        assert!(quotes.iter().all(|quote| quote.sentence.contains("battery")));
    }

    #[test]
    fn a_sentence_below_the_question_itself_answers_it() {
        let mut passages = passages(&["How often are readings sent?\n\nEvery five minutes."]);
        passages[0].hit.headings = vec!["Readings".to_owned(), "How often are readings sent?".to_owned()];
        let quotes = quotes("How often are readings sent?", &passages);
        assert_eq!(quotes, [Quote { passage: 1, sentence: "Every five minutes.".to_owned() }]);
    }

    #[test]
    fn a_question_about_something_else_has_no_answer() {
        assert!(quotes("Who painted the ceiling?", &passages(&["The mast is steel."])).is_empty());
        assert!(quotes("battery", &[]).is_empty());
    }

    #[test]
    fn forms_of_a_word_are_akin() {
        assert!(akin("batteries", "battery"));
        assert!(akin("clean", "cleaned"));
        assert!(!akin("station", "stating machine"));
        assert!(!akin("rain", "ray"));
    }
}
