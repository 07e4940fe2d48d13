//! Items that stages use and generate.

use super::id::ItemId;

/// An item that a stage uses or generates, such as a document or a chunk: its id, with an optional
/// score, content, source and origin.
///
/// Ids, pairs of an id and a score, and references to these convert into items. For your own type,
/// implement `From`.
///
/// # Examples
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
    /// Creates an item from its id, which must be unique among the items of its type.
    ///
    /// An item whose id is longer than 256 bytes is counted but not recorded.
    pub fn new(id: impl Into<ItemId<'a>>) -> Self {
        Self { id: id.into(), score: None, content: None, source: None, derived_from: None }
    }

    /// Sets the item's relevance, as a retriever or a reranker scores it. A score that is not
    /// finite is ignored.
    pub fn score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets the item's text. The first 2 KiB are kept, and secrets are redacted as in any text.
    pub fn content(mut self, text: &'a str) -> Self {
        self.content = Some(text);
        self
    }

    /// Sets the item's source: a title, a path or a URL. The first 1 KiB is kept.
    pub fn source(mut self, source: &'a str) -> Self {
        self.source = Some(source);
        self
    }

    /// Sets the id of the item from which this item was made. By default an item derives from the
    /// items that its stage used.
    pub fn derived_from(mut self, id: impl Into<ItemId<'a>>) -> Self {
        self.derived_from = Some(id.into());
        self
    }
}
