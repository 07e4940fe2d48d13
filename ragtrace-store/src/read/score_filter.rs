//! The filter that selects scores.

use ragtrace::Timestamp;

use super::position::Position;

/// A filter that selects scores: those that match every condition set, newest first.
///
/// At most 100 scores are returned unless [`limit`](Self::limit) is set.
///
/// ```
/// use ragtrace_store::ScoreFilter;
///
/// let thumbs = ScoreFilter::new().name("helpful").by("human").limit(20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreFilter {
    pub(crate) name: Option<String>,
    pub(crate) by: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) after: Position,
    pub(crate) limit: usize,
}

impl Default for ScoreFilter {
    fn default() -> Self {
        Self { name: None, by: None, tenant_id: None, since: None, until: None, after: Position::START, limit: 100 }
    }
}

impl ScoreFilter {
    /// Creates a filter that matches every score.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects scores with this name, such as `faithfulness`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Selects scores by this judge: `human`, `llm` or `code`.
    pub fn by(mut self, judge: impl Into<String>) -> Self {
        self.by = Some(judge.into());
        self
    }

    /// Selects scores of the tenant with this id.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.tenant_id = Some(id.into());
        self
    }

    /// Selects scores given at or after this time.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Selects scores given before this time.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Selects scores that follow this position in the list, for the next page.
    ///
    /// The position is that of the last score of the page before
    /// ([`ScoreRow::position`](crate::ScoreRow::position)).
    pub fn after(mut self, position: Position) -> Self {
        self.after = position;
        self
    }

    /// Sets the largest number of scores to return. The default is 100.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}
