//! Items that a stage used or generated, by type and id.

use std::borrow::Cow;

use ragtrace_core::json::Object;

/// An item that a stage used or generated, such as a document or a chunk.
///
/// The terms are those of W3C PROV: a stage *uses* the items that it works on, and *generates* the
/// items that it makes or finds.
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
    /// Creates an item from its type, such as `chunk`, and its id.
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

    /// Sets the relevance of the item, as a retriever or reranker scores it.
    pub fn with_score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets the text of the item.
    pub fn with_content(mut self, content: impl Into<String>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// Sets the origin of the item: a title, a path or a URL.
    pub fn with_source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Sets the id of the item that this one was made from.
    pub fn with_derived_from(mut self, id: impl Into<Box<str>>) -> Self {
        self.derived_from = Some(id.into());
        self
    }

    /// Returns the type of the item, such as `document` or `chunk`.
    pub fn item_type(&self) -> &str {
        &self.item_type
    }

    /// Returns the id of the item, which is never shortened and never redacted.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the relevance of the item, if it was scored.
    pub fn score(&self) -> Option<f64> {
        self.score
    }

    /// Returns the text of the item, if the stage recorded it.
    pub fn content(&self) -> Option<&str> {
        self.content.as_deref()
    }

    /// Returns the origin of the item: a title, a path or a URL.
    pub fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Returns the id of the item that this one was made from, if known.
    pub fn derived_from(&self) -> Option<&str> {
        self.derived_from.as_deref()
    }

    /// Writes the item's object of the canonical JSON.
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

    /// Returns the texts that may be cut and redacted.
    pub(super) fn texts_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.content.iter_mut().chain(&mut self.source)
    }

    /// Estimates the size of the item's canonical JSON in bytes.
    pub(super) fn json_size(&self) -> usize {
        // The names of the members, and the score.
        const REST: usize = 64;
        let texts = [Some(&*self.item_type), Some(&*self.id), self.content(), self.source(), self.derived_from()];
        REST + texts.into_iter().flatten().map(str::len).sum::<usize>()
    }

    /// Replaces content and source by marks that give their lengths.
    pub(crate) fn mark_texts(&mut self) {
        for text in self.content.iter_mut().chain(&mut self.source).filter(|text| !Self::is_mark(text)) {
            *text = format!("{MARK}{} bytes]", text.len());
        }
    }

    /// Returns `true` for a text that [`Self::mark_texts`] wrote.
    pub(crate) fn is_mark(text: &str) -> bool {
        text.starts_with(MARK)
    }
}

/// The beginning of the mark of a text that was cut.
const MARK: &str = "…[truncated ";
