//! The filter that selects records.

use ragtrace::{Event, Level, StageDescriptor, Timestamp, TraceId};

use super::position::Position;

/// A filter that selects records: those that match every condition set, newest first.
///
/// At most 1,000 records are returned unless [`limit`](Self::limit) is set.
///
/// ```
/// use ragtrace::{Level, Timestamp};
/// use ragtrace_store::LogFilter;
/// use std::time::Duration;
///
/// let yesterday = Timestamp::now().minus(Duration::from_secs(86_400));
/// let filter = LogFilter::new().user_id("alice").level(Level::Warn).since(yesterday).limit(50);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFilter {
    pub(crate) trace_id: Option<TraceId>,
    pub(crate) request_id: Option<String>,
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) stage: Option<String>,
    renamed_from: Option<&'static str>,
    pub(crate) event: Option<Event>,
    pub(crate) level: Option<Level>,
    pub(crate) text: Option<String>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) after: Position,
    pub(crate) limit: usize,
}

impl Default for LogFilter {
    fn default() -> Self {
        Self {
            trace_id: None,
            request_id: None,
            user_id: None,
            tenant_id: None,
            session_id: None,
            stage: None,
            renamed_from: None,
            event: None,
            level: None,
            text: None,
            since: None,
            until: None,
            after: Position::START,
            limit: 1_000,
        }
    }
}

impl LogFilter {
    /// Creates a filter that matches every record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects records of the trace with this id.
    pub fn trace_id(mut self, id: TraceId) -> Self {
        self.trace_id = Some(id);
        self
    }

    /// Selects records of the request with this id.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Selects records of the user with this id.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.user_id = Some(id.into());
        self
    }

    /// Selects records of the tenant with this id.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.tenant_id = Some(id.into());
        self
    }

    /// Selects records of the session with this id, such as a conversation.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// Selects records of the stage with this name, including log lines written inside it.
    pub fn stage(mut self, name: impl Into<String>) -> Self {
        (self.stage, self.renamed_from) = (Some(name.into()), None);
        self
    }

    /// Selects records of a stage by its descriptor, including log lines written inside it.
    ///
    /// Records written under the stage's older name ([`StageDescriptor::renamed_from`]) are found
    /// too.
    pub fn of(mut self, stage: &StageDescriptor) -> Self {
        (self.stage, self.renamed_from) = (Some(stage.name().to_owned()), stage.renamed_from());
        self
    }

    /// Selects records that are at least this severe.
    pub fn level(mut self, at_least: Level) -> Self {
        self.level = Some(at_least);
        self
    }

    /// Selects records of this event, such as failed stages ([`Event::Failed`]) or the
    /// application's own log lines ([`Event::Log`]).
    ///
    /// Scores are not records of a log; [`LogStore::recent_scores`](crate::LogStore::recent_scores)
    /// lists them.
    pub fn event(mut self, event: Event) -> Self {
        self.event = Some(event);
        self
    }

    /// Selects records whose message, error type or error message contains this text, ignoring the
    /// case of ASCII letters. No character has a special meaning.
    pub fn text(mut self, contains: impl Into<String>) -> Self {
        self.text = Some(contains.into());
        self
    }

    /// Selects records at or after this time.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Selects records before this time.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Selects records that follow this position in the list, for the next page.
    ///
    /// The position is that of the last row of the page before
    /// ([`LogRow::position`](crate::LogRow::position)).
    pub fn after(mut self, position: Position) -> Self {
        self.after = position;
        self
    }

    /// Sets the largest number of records to return. The default is 1,000.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Returns one filter for each name of the stage: two if it was renamed, else one.
    pub(crate) fn by_name(self) -> Vec<Self> {
        let old = self.renamed_from.map(|old| Self { stage: Some(old.to_owned()), ..self.clone() });
        std::iter::once(self).chain(old).collect()
    }
}
