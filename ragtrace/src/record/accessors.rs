//! The public accessors of a record.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ragtrace_core::StageKind;
use ragtrace_core::context::Request;
use ragtrace_core::{ErrorInfo, Event, Level, SpanId, SpanLink, Timestamp, TraceId, Value, json};
use uuid::Uuid;

use super::chunk::Chunk;
use super::fields::NamedValue;
use super::item::RecordItem;
use super::messages::message_of;
use super::origin::Origin;
use super::parts::{OwnedSubject, RecordFlags, RecordParts, Subject};
use super::path::PathStep;
use super::score::RecordScore;

/// The logger of records in which the pipeline reports on itself.
pub(crate) const SELF_REPORT_LOGGER: &str = "ragtrace";

/// A record of a stage's start or end, of a log line, or of a score.
///
/// Records are immutable, and a clone is cheap and shares the contents. Sinks read records from a
/// [`Batch`](crate::sink::Batch), tests from a capture; [`from_json`](Self::from_json) reads them
/// from their canonical JSON.
///
/// ```
/// use ragtrace::Record;
///
/// let json = r#"{"id":"0199a5b2-6f1e-7c3a-8a4b-0123456789ab","timestamp":"2026-11-22T08:20:11.123456Z","level":"WARN",
///     "logger":"app::db","message":"slow query","event":"log","context":{"table":"chunks"},
///     "instance":"0199a5b2-6f1e-7c3a-8a4b-0123456789ac"}"#;
/// let record = Record::from_json(json)?;
/// assert_eq!(record.message(), "slow query");
/// assert_eq!(record.field("table").unwrap(), "chunks");
/// # Ok::<(), ragtrace::DecodeRecordError>(())
/// ```
#[derive(Clone)]
pub struct Record {
    pub(super) chunk: Arc<Chunk>,
    /// The index of the record in its chunk.
    pub(super) index: u32,
}

const _: () = assert!(size_of::<Record>() == RecordParts::HANDLE_MEMORY);

impl Record {
    /// Returns the id of the record, which stays the same over all retries.
    pub fn id(&self) -> Uuid {
        let parts = self.parts();
        let given = parts.extras.as_deref().and_then(|extras| extras.id);
        given.unwrap_or_else(|| self.chunk.ids.starting_at(self.index as usize).id_of_first(parts.timestamp))
    }

    /// Returns the time at which the record was made: the start or end of a run, or the time of a
    /// log line or score.
    pub fn timestamp(&self) -> Timestamp {
        self.parts().timestamp
    }

    /// Returns the level of the record.
    pub fn level(&self) -> Level {
        self.parts().level
    }

    /// Returns the logger: the target of the stage or log line, by default the path of its module.
    pub fn logger(&self) -> &str {
        match self.parts().subject() {
            Subject::Stage(stage) => stage.target(),
            Subject::Owned(subject) => &subject.logger,
        }
    }

    /// Returns the message: `{stage}_{event}` for a stage, the message of the event for an HTTP
    /// request, such as `http_request_received`, or the text of a log line.
    pub fn message(&self) -> Cow<'_, str> {
        match (self.given_message(), self.parts().subject()) {
            (Some(message), _) => Cow::Borrowed(message),
            (None, Subject::Stage(stage)) => Cow::Owned(message_of(stage, self.event()).concat()),
            (None, Subject::Owned(OwnedSubject { stage: Some(stage), .. })) => {
                Cow::Owned([stage, self.event().ending()].concat())
            }
            (None, Subject::Owned(_)) => Cow::Borrowed(self.event().as_str()),
        }
    }

    /// Returns the event that the record reports.
    pub fn event(&self) -> Event {
        self.parts().event
    }

    /// Returns the name of the stage, or for a log line the name of the stage that it was written
    /// in.
    pub fn stage(&self) -> Option<&str> {
        match self.parts().subject() {
            Subject::Stage(stage) => Some(stage.name()),
            Subject::Owned(subject) => subject.stage.as_deref(),
        }
    }

    /// Returns the kind of the stage.
    pub fn kind(&self) -> Option<StageKind> {
        match self.parts().subject() {
            Subject::Stage(stage) => Some(stage.kind()),
            Subject::Owned(subject) => subject.kind,
        }
    }

    /// Returns the id of the trace that the record belongs to.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.request().map(|request| request.trace_id)
    }

    /// Returns the span id of the run that the record belongs to.
    pub fn span_id(&self) -> Option<SpanId> {
        self.parts().span_id
    }

    /// Returns the span id of the run that encloses this one, which may be in another process.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.parts().parent_span_id
    }

    /// Returns `true` if the run has no parent in its process.
    ///
    /// A local root may still have a parent id, which then came from another process.
    pub fn is_local_root(&self) -> bool {
        self.parts().flags.has(RecordFlags::LOCAL_ROOT)
    }

    /// Returns the spans of other traces that led to this run but are not part of its trace.
    ///
    /// Only records of local roots have links.
    pub fn links(&self) -> &[SpanLink] {
        let request = self.request().filter(|_| self.is_local_root());
        request.map_or(&[], |request| &request.links)
    }

    /// Returns the id of the request that the record belongs to.
    pub fn request_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.request_id.as_deref())
    }

    /// Returns the id of the user that made the request.
    pub fn user_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.user_id.as_deref())
    }

    /// Returns the id of the user's tenant.
    pub fn tenant_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.tenant_id.as_deref())
    }

    /// Returns the id of the session that the request belongs to, such as a conversation.
    pub fn session_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.session_id.as_deref())
    }

    /// Returns the type of the request.
    pub fn request_type(&self) -> Option<&str> {
        self.request().and_then(|request| request.request_type.as_deref())
    }

    /// Returns the name of the service, as set with [`Builder::service`](crate::Builder::service).
    pub fn service(&self) -> Option<&str> {
        self.origin().service.as_deref()
    }

    /// Returns the deployment environment, as set with
    /// [`Builder::environment`](crate::Builder::environment).
    pub fn environment(&self) -> Option<&str> {
        self.origin().environment.as_deref()
    }

    /// Returns the version of the service, as set with
    /// [`Builder::version`](crate::Builder::version).
    pub fn version(&self) -> Option<&str> {
        self.origin().version.as_deref()
    }

    /// Returns the name of the host.
    pub fn host(&self) -> Option<&str> {
        self.origin().host.as_deref()
    }

    /// Returns the id of the process, a new one for each installation of telemetry.
    pub fn instance(&self) -> Uuid {
        self.origin().instance
    }

    /// Returns a description of the process that the record comes from.
    pub fn origin(&self) -> &Origin {
        &self.chunk.origin
    }

    /// Returns the name of the thread, or its number if it has no name.
    pub fn thread(&self) -> Option<&str> {
        self.thread_name().map(AsRef::as_ref)
    }

    /// Returns the duration of the run, from its start to its end; only end records have one.
    pub fn duration(&self) -> Option<Duration> {
        self.parts().duration.duration()
    }

    /// Returns the time that an asynchronous stage spent inside of polls and, if it was cancelled,
    /// inside of its drop.
    pub fn busy(&self) -> Option<Duration> {
        self.parts().busy.duration()
    }

    /// Returns the number of items that the stage returned.
    pub fn count(&self) -> Option<u64> {
        self.parts().count.get()
    }

    /// Returns the fields in `context`: those that are not numbers, and all fields of the start.
    pub fn context(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.context_fields().iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Returns the fields in `metrics`: the numbers of `ok`, `err` and `record`.
    ///
    /// `duration_ms`, `busy_ms` and `count` are not included; they have accessors of their own.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.metrics_fields().iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Returns the field of `context` with the given name.
    pub fn field(&self, name: &str) -> Option<&Value> {
        find(self.context_fields(), name)
    }

    /// Returns the number in `metrics` with the given name in the canonical JSON, which includes
    /// `duration_ms`, `busy_ms` and `count`.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let millis = |duration: Option<Duration>| duration.map(json::millis);
        match name {
            "duration_ms" => millis(self.duration()),
            "busy_ms" => millis(self.busy()),
            "count" => self.count().and_then(|count| Value::U64(count).as_f64()),
            _ => find(self.metrics_fields(), name).and_then(Value::as_f64),
        }
    }

    /// Returns the error that the stage failed with.
    pub fn error(&self) -> Option<&ErrorInfo> {
        self.parts().failure().map(|(error, _)| error)
    }

    /// Returns the backtrace of a panic or an error, if one was captured.
    pub fn stack_trace(&self) -> Option<&str> {
        self.parts().failure().and_then(|(_, stack_trace)| stack_trace.as_deref())
    }

    /// Returns the items that the stage worked on, declared with `used(…)`.
    pub fn used(&self) -> &[RecordItem] {
        self.parts().extras.as_deref().map(|extras| &*extras.used).unwrap_or_default()
    }

    /// Returns the items that the stage made or found, declared with `generated(…)`.
    pub fn generated(&self) -> &[RecordItem] {
        self.parts().extras.as_deref().map(|extras| &*extras.generated).unwrap_or_default()
    }

    /// Returns the path of the run: all runs from the local root down to this one, which is the
    /// last.
    ///
    /// Only end records and scores have a path, and only if a sink needs it
    /// ([`Needs::with_ancestry`](crate::sink::Needs::with_ancestry)). It has at most
    /// [`PathStep::MOST`] steps.
    ///
    /// Levels hide no run from a path. The path begins below the local root if the process does not
    /// know a run above: its start was refused by a full queue and it has not ended yet, it began
    /// before telemetry was installed, or it ended about 20,000 runs ago or earlier.
    pub fn path(&self) -> &[PathStep] {
        self.parts().extras.as_deref().and_then(|extras| extras.path.as_deref()).unwrap_or_default()
    }

    /// Returns the score that the record reports, if its event is [`Event::Score`].
    pub fn score(&self) -> Option<&RecordScore> {
        self.parts().extras.as_deref().and_then(|extras| extras.score.as_deref())
    }

    /// Returns the LangSmith run that the request continues, as its dotted order.
    pub fn langsmith_parent(&self) -> Option<&str> {
        self.request().and_then(|request| request.langsmith_parent.as_deref())
    }

    /// Returns the source file and line of the stage's declaration, or of the log line.
    pub fn source(&self) -> Option<(&str, u32)> {
        match self.parts().subject() {
            Subject::Stage(stage) => Some((stage.file(), stage.line())),
            Subject::Owned(subject) => subject.source.as_ref().map(|(file, line)| (file.as_ref(), *line)),
        }
    }

    /// Returns the canonical JSON of the record, without a line break.
    ///
    /// [`stages_schema`](crate::stages_schema) describes the JSON of a program's stages.
    pub fn to_json(&self) -> String {
        let mut line = Vec::with_capacity(640);
        self.write_json(&mut line);
        // All bytes come from a `str` or are ASCII, so the conversion never fails, and the lossy
        // one is never used.
        String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Returns `true` if the pipeline reports on itself with this record.
    pub(crate) fn is_self_report(&self) -> bool {
        self.event() == Event::Log && self.logger() == SELF_REPORT_LOGGER
    }

    /// Estimates the size of the canonical JSON in bytes.
    pub(crate) fn size_estimate(&self) -> usize {
        self.parts().size as usize
    }

    /// Estimates the memory that the record takes in bytes, including a request that no other
    /// record shares.
    pub(crate) fn memory_estimate(&self) -> usize {
        self.parts().memory as usize
    }

    pub(crate) fn request(&self) -> Option<&Arc<Request>> {
        self.parts().request.of(&self.chunk.requests)
    }

    /// Returns the message if it does not follow from the stage and the event.
    pub(super) fn given_message(&self) -> Option<&str> {
        self.parts().extras.as_deref()?.subject.message.as_deref()
    }

    pub(super) fn thread_name(&self) -> Option<&Arc<str>> {
        self.parts().thread.of(&self.chunk.threads)
    }

    pub(super) fn context_fields(&self) -> &[NamedValue] {
        self.chunk.fields_of(self.index as usize).0
    }

    pub(super) fn metrics_fields(&self) -> &[NamedValue] {
        self.chunk.fields_of(self.index as usize).1
    }

    #[inline]
    pub(super) fn parts(&self) -> &RecordParts {
        // The index was taken when the record was added to the chunk, and a chunk never changes
        // afterwards.
        &self.chunk.parts[self.index as usize]
    }
}

impl PartialEq for Record {
    /// Compares the canonical JSON of both records.
    fn eq(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

fn find<'a>(fields: &'a [NamedValue], name: &str) -> Option<&'a Value> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}
