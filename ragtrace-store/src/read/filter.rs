//! Filters: which records and which traces to read.

use ragtrace::metrics::RunStatus;
use ragtrace::{Level, StageDescriptor, Timestamp, TraceId};

use super::position::Position;

/// A filter of records: all that match every part that is set, the newest first, 1,000 at most
/// unless set otherwise.
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
    pub(crate) level: Option<Level>,
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
            level: None,
            since: None,
            until: None,
            after: Position::START,
            limit: 1_000,
        }
    }
}

impl LogFilter {
    /// Returns a filter that every record matches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes records of this trace only.
    pub fn trace_id(mut self, id: TraceId) -> Self {
        self.trace_id = Some(id);
        self
    }

    /// Takes records of this request only.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// Takes records of this user only.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.user_id = Some(id.into());
        self
    }

    /// Takes records of this tenant only.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.tenant_id = Some(id.into());
        self
    }

    /// Takes records of this session only, such as a conversation.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// Takes records of the stage of this name only, log lines written in it included.
    pub fn stage(mut self, name: impl Into<String>) -> Self {
        (self.stage, self.renamed_from) = (Some(name.into()), None);
        self
    }

    /// Takes records of this stage only, log lines written in it included. Records that it left
    /// under the name it had before ([`StageDescriptor::renamed_from`]) are found too.
    pub fn of(mut self, stage: &StageDescriptor) -> Self {
        (self.stage, self.renamed_from) = (Some(stage.name().to_owned()), stage.renamed_from());
        self
    }

    /// Takes records that are at least this severe only.
    pub fn level(mut self, at_least: Level) -> Self {
        self.level = Some(at_least);
        self
    }

    /// Takes records at or after this time only.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Takes records before this time only.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Takes records after this position in the list only
    /// ([`LogRow::position`](crate::LogRow::position)): the next page.
    pub fn after(mut self, position: Position) -> Self {
        self.after = position;
        self
    }

    /// Sets how many records are taken at most.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Returns a filter for each name of the stage: one, unless it was renamed.
    pub(crate) fn by_name(self) -> Vec<Self> {
        let old = self.renamed_from.map(|old| Self { stage: Some(old.to_owned()), ..self.clone() });
        std::iter::once(self).chain(old).collect()
    }
}

/// A filter of finished traces: all that match every part that is set, the newest first, 100 at
/// most unless set otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceFilter {
    pub(crate) user_id: Option<String>,
    pub(crate) tenant_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) operation: Option<String>,
    renamed_from: Option<&'static str>,
    pub(crate) status: Option<RunStatus>,
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
            since: None,
            until: None,
            after: Position::START,
            limit: 100,
        }
    }
}

impl TraceFilter {
    /// Returns a filter that every finished trace matches.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes traces of this user only.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.user_id = Some(id.into());
        self
    }

    /// Takes traces of this tenant only.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.tenant_id = Some(id.into());
        self
    }

    /// Takes traces of this session only, such as a conversation.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// Takes traces of this operation only: the name of their local root stage.
    pub fn operation(mut self, name: impl Into<String>) -> Self {
        (self.operation, self.renamed_from) = (Some(name.into()), None);
        self
    }

    /// Takes traces whose local root is this stage only. Those that it left under the name it had
    /// before ([`StageDescriptor::renamed_from`]) are found too.
    pub fn of(mut self, stage: &StageDescriptor) -> Self {
        (self.operation, self.renamed_from) = (Some(stage.name().to_owned()), stage.renamed_from());
        self
    }

    /// Takes traces that ended with this status only.
    pub fn status(mut self, status: RunStatus) -> Self {
        self.status = Some(status);
        self
    }

    /// Takes traces that ended at or after this time only.
    pub fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    /// Takes traces that ended before this time only.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.until = Some(until);
        self
    }

    /// Takes traces after this position in the list only
    /// ([`TraceSummary::position`](crate::TraceSummary::position)): the next page.
    pub fn after(mut self, position: Position) -> Self {
        self.after = position;
        self
    }

    /// Sets how many traces are taken at most.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Returns a filter for each name of the operation: one, unless its stage was renamed.
    pub(crate) fn by_name(self) -> Vec<Self> {
        let old = self.renamed_from.map(|old| Self { operation: Some(old.to_owned()), ..self.clone() });
        std::iter::once(self).chain(old).collect()
    }
}
