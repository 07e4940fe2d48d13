//! The filter that selects finished traces.

use std::time::Duration;

use ragtrace::metrics::RunStatus;
use ragtrace::{StageDescriptor, Timestamp};

use super::condition::Condition;
use super::position::Position;

/// A filter that selects finished traces: those that match every condition set, newest first.
///
/// At most 100 traces are returned unless [`limit`](Self::limit) is set.
///
/// ```
/// use ragtrace::metrics::RunStatus;
/// use ragtrace_store::TraceFilter;
/// use std::time::Duration;
///
/// let filter = TraceFilter::new().operation("ingestion").status(RunStatus::Failed).limit(20);
/// let slow = TraceFilter::new().longer_than(Duration::from_secs(5)).ran("chunk_embedding");
/// ```
///
/// [`ran`](Self::ran), [`error`](Self::error) and [`field`](Self::field) are conditions on the
/// records of a trace, in the archive too. A trace whose records a level, sampling or retention
/// removed does not match; records from more than a day before [`since`](Self::since), or from more
/// than a day after the end of the trace, may be overlooked. Each of the three may be set several
/// times, and all have to be met, by one record or by several. If few traces match, many records
/// are read to find them, so set `since` too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFilter {
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) operation: Option<String>,
    renamed_from: Option<&'static str>,
    pub(crate) status: Option<RunStatus>,
    pub(crate) longer_than: Option<Duration>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) after: Position,
    pub(crate) limit: usize,
}

impl Default for TraceFilter {
    fn default() -> Self {
        Self {
            user_id: None,
            tenant_id: None,
            session_id: None,
            operation: None,
            renamed_from: None,
            status: None,
            longer_than: None,
            conditions: Vec::new(),
            since: None,
            until: None,
            after: Position::START,
            limit: 100,
        }
    }
}

impl TraceFilter {
    /// Creates a filter that matches every finished trace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects traces of the user with this id.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.user_id = Some(id.into());
        self
    }

    /// Selects traces of the tenant with this id.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.tenant_id = Some(id.into());
        self
    }

    /// Selects traces of the session with this id, such as a conversation.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// Selects traces of the operation with this name, which is the name of their local root stage.
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        (self.operation, self.renamed_from) = (Some(name.into()), None);
        self
    }

    /// Selects traces whose local root is this stage.
    ///
    /// Traces written under the stage's older name ([`StageDescriptor::renamed_from`]) are found
    /// too.
    pub fn of(mut self, stage: &StageDescriptor) -> Self {
        (self.operation, self.renamed_from) = (Some(stage.name().to_owned()), stage.renamed_from());
        self
    }

    /// Selects traces that ended with this status.
    pub fn status(mut self, status: RunStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Selects traces whose local root took at least this long.
    pub fn longer_than(mut self, at_least: Duration) -> Self {
        self.longer_than = Some(at_least);
        self
    }

    /// Selects traces in which a stage of this name ran, at any depth.
    pub fn ran(mut self, stage: impl Into<String>) -> Self {
        self.conditions.push(Condition::Ran(stage.into()));
        self
    }

    /// Selects traces with an error whose type or message contains this text, ignoring the case of
    /// ASCII letters. No character has a special meaning.
    ///
    /// Errors are those of failed stages, including ones that an enclosing stage handled, and log
    /// lines of level ERROR.
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.conditions.push(Condition::Error(text.into()));
        self
    }

    /// Selects traces with a record whose context has this field with this value.
    ///
    /// A number or a boolean is compared by its JSON form, such as `512.5` or `true`.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.conditions.push(Condition::Field { name: name.into(), value: value.into() });
        self
    }

    /// Selects traces that ended at or after this time.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Selects traces that ended before this time.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Selects traces that follow this position in the list, for the next page.
    ///
    /// The position is that of the last row of the page before
    /// ([`TraceSummary::position`](crate::TraceSummary::position)).
    pub fn after(mut self, position: Position) -> Self {
        self.after = position;
        self
    }

    /// Sets the largest number of traces to return. The default is 100.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Returns one filter for each name of the operation: two if its stage was renamed, else one.
    pub(crate) fn by_name(self) -> Vec<Self> {
        let old = self.renamed_from.map(|old| Self { operation: Some(old.to_owned()), ..self.clone() });
        std::iter::once(self).chain(old).collect()
    }
}
