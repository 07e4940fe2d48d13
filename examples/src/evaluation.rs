//! Asks questions whose answers are known, and counts how many are answered right.

use std::error::Error;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use crate::ask::{AskError, Library, question};
use crate::embed::Embedder;

/// Questions about a folder of documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// The questions that the documents answer.
    pub answerable: Vec<Answerable>,
    /// The questions that they do not answer.
    pub unanswerable: Vec<String>,
}

/// A question with the place of its answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answerable {
    /// The question.
    pub question: String,
    /// The name of the document that answers it.
    pub document: String,
    /// Words of the passage that answers it.
    pub passage: String,
}

impl Questions {
    /// Reads questions from a JSON file.
    pub fn read(path: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    }
}

/// The outcome of one question.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The question.
    pub question: String,
    /// `true` if the right passage came first, or if nothing was found where nothing is.
    pub is_right: bool,
    /// The document and the score of the first passage, if there was an answer.
    pub first: Option<(String, f32)>,
    /// The words of the passage that should have come first.
    pub expected: Option<String>,
}

/// The outcomes of all questions.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// The outcomes of the questions with an answer.
    pub answerable: Vec<Outcome>,
    /// The outcomes of the questions without one.
    pub unanswerable: Vec<Outcome>,
}

impl Evaluation {
    /// Asks `library` all of the questions.
    pub async fn of<E: Embedder>(library: &Library<E>, questions: &Questions) -> Result<Self, AskError> {
        let mut answerable = Vec::new();
        for asked in &questions.answerable {
            answerable.push(answer(library, &asked.question, Some(asked)).await?);
        }
        let mut unanswerable = Vec::new();
        for asked in &questions.unanswerable {
            unanswerable.push(answer(library, asked, None).await?);
        }
        Ok(Self { answerable, unanswerable })
    }

    /// Returns the number of questions with an answer whose right passage came first.
    pub fn right_first(&self) -> usize {
        self.answerable.iter().filter(|outcome| outcome.is_right).count()
    }

    /// Returns the number of questions without an answer that got none.
    pub fn rightly_nothing(&self) -> usize {
        self.unanswerable.iter().filter(|outcome| outcome.is_right).count()
    }
}

async fn answer<E: Embedder>(
    library: &Library<E>,
    asked: &str,
    expected: Option<&Answerable>,
) -> Result<Outcome, AskError> {
    let passages = match question(library, asked, |_| ()).await {
        Ok(passages) => passages,
        Err(AskError::NoAnswer) => Vec::new(),
        Err(error) => return Err(error),
    };
    let first = passages.first();
    let is_right = match (expected, first) {
        (Some(expected), Some(first)) => {
            first.hit.name == expected.document && contains(&first.hit.text, &expected.passage)
        }
        (None, None) => true,
        _ => false,
    };
    Ok(Outcome {
        question: asked.to_owned(),
        is_right,
        first: first.map(|passage| (passage.hit.name.clone(), passage.score)),
        expected: expected.map(|expected| expected.passage.clone()),
    })
}

/// Returns `true` if the text contains the words, however its lines are broken.
fn contains(text: &str, words: &str) -> bool {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.contains(words)
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (outcomes, title) in [(&self.answerable, "with an answer"), (&self.unanswerable, "without an answer")] {
            writeln!(f, "{title}:")?;
            for Outcome { question, is_right, first, expected } in outcomes {
                let mark = if *is_right { "✓" } else { "✗" };
                let found =
                    first.as_ref().map_or_else(|| "nothing".to_owned(), |(name, score)| format!("{name} {score:.2}"));
                let missed = expected
                    .as_ref()
                    .filter(|_| !is_right)
                    .map(|words| format!(", not \"{words}\""))
                    .unwrap_or_default();
                writeln!(f, "  {mark} {question:<76} {found}{missed}")?;
            }
        }
        let (right, nothing) = (self.right_first(), self.rightly_nothing());
        write!(
            f,
            "right passage first: {right} of {}; rightly nothing: {nothing} of {}",
            self.answerable.len(),
            self.unanswerable.len()
        )
    }
}
