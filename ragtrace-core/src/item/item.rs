//! An item: its id, and what else is known of it.

use super::id::ItemId;

/// An item that a stage uses or generates, such as a document or a chunk: its id, and what else is
/// known of it.
///
/// Ids, pairs of an id and a score, and references to these are items by themselves. Of a type of
/// your own, implement `From` for it.
///
/// ```
/// use ragtrace::{Item, traced_stage};
///
/// struct Hit {
///     id: u64,
///     distance: f64,
///     text: String,
/// }
///
/// impl<'a> From<&'a Hit> for Item<'a> {
///     fn from(hit: &'a Hit) -> Self {
///         Item::new(hit.id).score(1.0 - hit.distance).content(&hit.text)
///     }
/// }
///
/// #[traced_stage(kind = retrieve, generated(|hits| chunk = hits))]
/// fn search(query: &str) -> Vec<Hit> {
///     vec![Hit { id: 7, distance: 0.2, text: query.to_owned() }]
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Item<'a> {
    pub(crate) id: ItemId<'a>,
    pub(crate) score: Option<f64>,
    pub(crate) content: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) derived_from: Option<ItemId<'a>>,
}

impl<'a> Item<'a> {
    /// Makes an item of its id, which is unique among the items of its type. An id of more than 256
    /// bytes is counted, and not kept.
    pub fn new(id: impl Into<ItemId<'a>>) -> Self {
        Self { id: id.into(), score: None, content: None, source: None, derived_from: None }
    }

    /// Sets how well it fits, as a retriever or a reranker scores it. A score that is not finite is
    /// left out.
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets its text, of which 2 KiB are kept. It is redacted, as every text is.
    pub fn content(mut self, text: &'a str) -> Self {
        self.content = Some(text);
        self
    }

    /// Sets where it comes from: a title, a path or a URL, of which 1 KiB is kept.
    pub fn source(mut self, source: &'a str) -> Self {
        self.source = Some(source);
        self
    }

    /// Sets the id of the item that it was made of. Without one, it derives from what its stage
    /// used.
    pub fn derived_from(mut self, id: impl Into<ItemId<'a>>) -> Self {
        self.derived_from = Some(id.into());
        self
    }
}
