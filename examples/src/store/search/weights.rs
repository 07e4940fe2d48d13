//! Weighs the words of a question by their rarity in the documents, and finds the nearest words to
//! those that do not occur.

use std::collections::{HashMap, HashSet};

use super::words::{beginning_with, exactly};
use crate::question::{Question, Word, is_swapped_grammar};
use crate::store::{Store, StoreError};
use crate::terms::{is_near, related, terms};

/// A word of a question with its weight.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weighted {
    /// The term by which it is found.
    pub term: String,
    /// The terms that count as the word: the term itself first, then others that it may stand for.
    pub forms: Vec<Form>,
    /// The weight: more for a rarer word, and most for one that occurs nowhere.
    pub weight: f32,
    /// `true` for a term of a script without spaces.
    pub is_unspaced: bool,
    /// `true` if longer and shorter terms with the same beginning count, too, as in a language
    /// whose endings are not taken off.
    pub is_inflected: bool,
    /// `true` if the word names the fact that is asked for.
    pub is_wanted: bool,
    /// The expressions by which the index finds it.
    pub(crate) expressions: Vec<String>,
}

/// A term that counts as a word.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The term.
    pub term: String,
    /// The share of the word's weight that it earns, at most 1.
    pub credit: f32,
}

/// The number of chunks up to which it is counted how many contain a word. Beyond it, a word is
/// common.
const COUNTED: i64 = 5_000;

/// The credit of a word that is spelled a little differently.
const MISSPELLED: f32 = 0.8;

/// The importance of a misspelled word of grammar.
const SWAPPED: f32 = 0.1;

/// The credit of another word for the same fact.
const SYNONYM: f32 = 0.85;

/// The credit of a word with another ending.
const INFLECTED: f32 = 0.9;

/// The largest number of other spellings of a word.
const SPELLINGS: usize = 4;

impl Weighted {
    /// Returns the share of the weight that a text with the terms `said` earns, at most 1.
    pub fn credit(&self, said: &HashSet<String>) -> f32 {
        // A single character is part of the pairs.
        if self.is_unspaced && self.term.chars().nth(1).is_none() {
            return if said.iter().any(|said| said.contains(&self.term)) { 1.0 } else { 0.0 };
        }
        let best = self.forms.iter().filter(|form| said.contains(&form.term)).map(|form| form.credit).reduce(f32::max);
        best.unwrap_or_else(|| {
            if self.is_inflected && said.iter().any(|said| are_forms(&self.term, said)) { INFLECTED } else { 0.0 }
        })
    }
}

/// Returns `true` if one term is the other with an ending.
fn are_forms(one: &str, other: &str) -> bool {
    let (shorter, longer) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let common = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let tail = |word: &str| word.chars().count() - common;
    common >= 4 && tail(shorter) <= 1 && tail(longer) <= 3
}

impl Store {
    /// Returns the words of a question with their weights in the documents of `tenant`.
    pub(super) async fn weigh(&self, tenant: &str, question: &Question) -> Result<Vec<Weighted>, StoreError> {
        let chunks = self.chunk_count(tenant).await?;
        let mut weighted = Vec::with_capacity(question.words.len());
        for asked in &question.words {
            let (mut word, count) = self.weigh_one(tenant, asked, chunks).await?;
            word.is_wanted = asked.is_wanted;
            word.is_inflected = !word.is_unspaced && question.language != Some("en");
            weighted.push((word, count));
        }
        drop_seams(&mut weighted);
        Ok(weighted.into_iter().map(|(word, _)| word).collect())
    }

    /// Returns a word with its weight, and the number of chunks that contain it.
    async fn weigh_one(&self, tenant: &str, word: &Word, chunks: i64) -> Result<(Weighted, i64), StoreError> {
        let term = word.term.clone();
        let mut forms = vec![Form { term: term.clone(), credit: 1.0 }];
        if word.is_unspaced() {
            let count = self.count_containing(tenant, &term).await?;
            let weight = word.importance * rarity(count, chunks);
            let expressions = Vec::new();
            return Ok((
                Weighted { term, forms, weight, is_unspaced: true, expressions, ..Weighted::default() },
                count,
            ));
        }
        let mut expressions = expressions(&term);
        for synonym in &word.synonyms {
            expressions.extend(self::expressions(synonym));
            forms.push(Form { term: synonym.clone(), credit: SYNONYM });
        }
        let mut count = self.count_any(tenant, &expressions).await?;
        if count == 0 {
            for near in self.near_words(&term).await? {
                let found = exactly(&near);
                let chunks_with = self.count_matching(tenant, &found, COUNTED).await?;
                if chunks_with > 0 {
                    count += chunks_with;
                    expressions.push(found);
                    forms.extend(terms(&near).into_iter().map(|term| Form { term, credit: MISSPELLED }));
                }
            }
        }
        // "dose" that occurs nowhere is a misspelled "does".
        let importance = if count == 0 && is_swapped_grammar(&term) { SWAPPED } else { word.importance };
        let weight = importance * rarity(count, chunks);
        Ok((Weighted { term, forms, weight, is_unspaced: false, expressions, ..Weighted::default() }, count))
    }

    async fn count_any(&self, tenant: &str, expressions: &[String]) -> Result<i64, StoreError> {
        self.count_matching(tenant, &expressions.join(" OR "), COUNTED).await
    }

    /// Returns the words of the index that `term` may be a misspelling or another form of, nearest
    /// first. Hardly anybody mistakes the first letter.
    async fn near_words(&self, term: &str) -> Result<Vec<String>, StoreError> {
        let Some(first) = term.chars().next().filter(|first| first.is_alphabetic()) else { return Ok(Vec::new()) };
        // U+10FFFF is no character of a word, so it is behind all words that begin with the letter.
        let words: Vec<String> = sqlx::query_scalar(
            "SELECT term FROM chunks_vocabulary WHERE (term >= ?1 AND term < ?1 || ?2)
             OR (length(term) BETWEEN 3 AND 12 AND instr(?3, substr(term, 1, 3)) > 1)",
        )
        .bind(first.to_string())
        .bind("\u{10FFFF}")
        .bind(term)
        .fetch_all(&self.pool)
        .await
        .map_err(StoreError::Read)?;
        let stems: HashMap<String, String> =
            words.into_iter().filter_map(|word| Some((terms(&word).into_iter().next()?, word))).collect();
        let mut near: Vec<(usize, String)> =
            stems.iter().filter_map(|(stem, word)| Some((nearness(term, stem, &stems)?, word.clone()))).collect();
        near.sort();
        near.truncate(SPELLINGS);
        Ok(near.into_iter().map(|(_, word)| word).collect())
    }
}

/// Returns a number that is smaller for a nearer word, or `None` for one that is another word.
fn nearness(term: &str, stem: &str, stems: &HashMap<String, String>) -> Option<usize> {
    /// The number of a part of a compound: less near than any other spelling.
    const PART: usize = 9;
    is_near(term, stem).or_else(|| {
        // "Beehive" may be called a hive, and is something of bees.
        let rest = term.strip_suffix(stem).or_else(|| term.strip_prefix(stem))?;
        let is_compound = stems.contains_key(rest) && rest.chars().count() >= 3;
        (is_compound && stem.chars().count() >= 3).then_some(PART)
    })
}

/// Returns the expressions by which the index finds all forms of a term. Its words are not reduced
/// to terms, so they are found by the letters that all of them begin with.
fn expressions(term: &str) -> Vec<String> {
    let is_plain = term.chars().count() < 4 || term.contains(|character: char| character.is_ascii_digit());
    let mut expressions = match term {
        _ if is_plain => vec![exactly(term), exactly(&format!("{term}s"))],
        // "y" becomes "ie", and "e" was taken off.
        _ => vec![beginning_with(term.strip_suffix('y').unwrap_or(term))],
    };
    expressions.extend(related(term).map(exactly));
    // The index has the groups of "12,500" as neighbours.
    if let Some((thousands, rest)) =
        term.len().checked_sub(3).filter(|at| *at > 0).and_then(|at| term.split_at_checked(at))
        && term.bytes().all(|byte| byte.is_ascii_digit())
    {
        expressions.push(exactly(&format!("{thousands} {rest}")));
    }
    let mut seen = HashSet::new();
    expressions.retain(|expression| seen.insert(expression.clone()));
    expressions
}

/// Returns the inverse document frequency: 0 for a word of every chunk.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn rarity(chunks_with: i64, chunks: i64) -> f32 {
    let (with, all) = (chunks_with as f32, chunks.max(1) as f32);
    ((all + 1.0) / (with.min(all) + 0.5)).ln().max(0.05)
}

/// Removes pairs of characters that occur nowhere and only stand between two words: both of their
/// characters are in a pair that does occur.
fn drop_seams(words: &mut Vec<(Weighted, i64)>) {
    let known: HashSet<char> = words
        .iter()
        .filter(|(word, count)| word.is_unspaced && *count > 0)
        .flat_map(|(word, _)| word.term.chars())
        .collect();
    words.retain(|(word, count)| {
        let is_seam = word.is_unspaced && *count == 0 && word.term.chars().all(|character| known.contains(&character));
        !is_seam
    });
}
