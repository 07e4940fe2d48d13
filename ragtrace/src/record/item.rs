//! Items: what a stage worked on and what it made, by type and id.

use std::borrow::Cow;

use ragtrace_core::json::Object;

/// An item that a stage used or generated, such as a document or a chunk.
///
/// Its words are those of W3C PROV: an item that a stage `used` is what it worked on, one that it
/// `generated` is what it made or found.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordItem {
    pub(crate) item_type: Cow<'static, str>,
    pub(crate) id: Box<str>,
    pub(crate) score: Option<f64>,
    pub(crate) content: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) derived_from: Option<Box<str>>,
}

impl RecordItem {
    /// Makes an item of a type, such as `chunk`, and an id.
    pub fn new(item_type: impl Into<Cow<'static, str>>, id: impl Into<Box<str>>) -> Self {
        Self {
            item_type: item_type.into(),
            id: id.into(),
            score: None,
            content: None,
            source: None,
            derived_from: None,
        }
    }

    /// Sets how well it fits, as a retriever or a reranker scores it.
    pub fn with_score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets its text.
    pub fn with_content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// Sets where it comes from: a title, a path or a URL.
    pub fn with_source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the id of the item that it was made of.
    pub fn with_derived_from(mut self, id: impl Into<Box<str>>) -> Self {
        self.derived_from = Some(id.into());
        self
    }

    /// Returns its type, such as `document` or `chunk`.
    pub fn item_type(&self) -> &str {
        &self.item_type
    }

    /// Returns its id, which is never shortened and never redacted.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns how well it fits, if it was scored.
    pub fn score(&self) -> Option<f64> {
        self.score
    }

    /// Returns its text, if the stage recorded it.
    pub fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// Returns where it comes from: a title, a path or a URL.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Returns the id of the item that it was made of, if it names one.
    pub fn derived_from(&self) -> Option<&str> {
        self.derived_from.as_deref()
    }

    /// Writes its part of the canonical JSON.
    pub(super) fn write(&self, mut object: Object<'_>) {
        object.text("type", &self.item_type);
        object.text("id", &self.id);
        if let Some(score) = self.score {
            object.float("score", score);
        }
        object.optional_text("content", self.content.as_deref());
        object.optional_text("source", self.source.as_deref());
        object.optional_text("derived_from", self.derived_from.as_deref());
        object.close();
    }

    /// Returns its texts that may be cut and redacted.
    pub(super) fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.content.iter_mut().chain(&mut self.source)
    }

    /// Returns about how many bytes its part of the canonical JSON takes.
    pub(super) fn json_size(&self) -> usize {
        // The names of the members, and the score.
        const REST: usize = 64;
        let texts = [Some(&*self.item_type), Some(&*self.id), self.content(), self.source(), self.derived_from()];
        REST + texts.into_iter().flatten().map(str::len).sum::<usize>()
    }

    /// Puts marks of how long they are in the places of its content and source.
    pub(crate) fn mark_texts(&mut self) {
        for text in self.content.iter_mut().chain(&mut self.source).filter(|text| !Self::is_mark(text)) {
            *text = format!("{MARK}{} bytes]", text.len());
        }
    }

    /// Returns true for a text that [`Self::mark_texts`] left.
    pub(crate) fn is_mark(text: &str) -> bool {
        text.starts_with(MARK)
    }
}

/// Begins the mark of a text that was cut.
const MARK: &str = "…[truncated ";
