//! The public face of a record: what a reader may ask.

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

/// One record. A clone shares its contents.
#[derive(Clone)]
pub struct Record {
    pub(super) chunk: Arc<Chunk>,
    /// Its index in the chunk.
    pub(super) index: u32,
}

const _: () = assert!(size_of::<Record>() == RecordParts::HANDLE_MEMORY);

impl Record {
    /// Returns the record's own id, the same over every retry.
    pub fn id(&self) -> Uuid {
        let parts = self.parts();
        let given = parts.extras.as_deref().and_then(|extras| extras.id);
        given.unwrap_or_else(|| self.chunk.ids.starting_at(self.index as usize).id_of_first(parts.timestamp))
    }

    /// Returns when it happened.
    pub fn timestamp(&self) -> Timestamp {
        self.parts().timestamp
    }

    /// Returns how severe it is.
    pub fn level(&self) -> Level {
        self.parts().level
    }

    /// Returns the stage's target or the log line's: a module path unless set.
    pub fn logger(&self) -> &str {
        match self.parts().subject() {
            Subject::Stage(stage) => stage.target(),
            Subject::Owned(subject) => &subject.logger,
        }
    }

    /// Returns the message: for a stage `{stage}_{event}`, for a request that of its event, such as
    /// `http_request_received`.
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

    /// Returns what happened.
    pub fn event(&self) -> Event {
        self.parts().event
    }

    /// Returns the stage's name; for a log line, that of the stage it was written in.
    pub fn stage(&self) -> Option<&str> {
        match self.parts().subject() {
            Subject::Stage(stage) => Some(stage.name()),
            Subject::Owned(subject) => subject.stage.as_deref(),
        }
    }

    /// Returns the stage's kind.
    pub fn kind(&self) -> Option<StageKind> {
        match self.parts().subject() {
            Subject::Stage(stage) => Some(stage.kind()),
            Subject::Owned(subject) => subject.kind,
        }
    }

    /// Returns the trace it belongs to.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.request().map(|request| request.trace_id)
    }

    /// Returns the run of the stage it belongs to.
    pub fn span_id(&self) -> Option<SpanId> {
        self.parts().span_id
    }

    /// Returns the run that this one is part of, perhaps in another process.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.parts().parent_span_id
    }

    /// Returns whether its stage has no parent in this process: a parent id, if there is one, came
    /// from elsewhere.
    pub fn is_local_root(&self) -> bool {
        self.parts().flags.has(RecordFlags::LOCAL_ROOT)
    }

    /// Returns the spans of other traces that led to it and that its trace does not continue, of
    /// the record of a local root.
    pub fn links(&self) -> &[SpanLink] {
        let request = self.request().filter(|_| self.is_local_root());
        request.map_or(&[], |request| &request.links)
    }

    /// Returns the id of the request it belongs to.
    pub fn request_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.request_id.as_deref())
    }

    /// Returns the user who asked.
    pub fn user_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.user_id.as_deref())
    }

    /// Returns the tenant that the user belongs to.
    pub fn tenant_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.tenant_id.as_deref())
    }

    /// Returns the session that the request belongs to, such as a conversation.
    pub fn session_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.session_id.as_deref())
    }

    /// Returns the type of the request.
    pub fn request_type(&self) -> Option<&str> {
        self.request().and_then(|request| request.request_type.as_deref())
    }

    /// Returns the service, as set up.
    pub fn service(&self) -> Option<&str> {
        self.origin().service.as_deref()
    }

    /// Returns the environment, as set up.
    pub fn environment(&self) -> Option<&str> {
        self.origin().environment.as_deref()
    }

    /// Returns the service's version, as set up.
    pub fn version(&self) -> Option<&str> {
        self.origin().version.as_deref()
    }

    /// Returns the host's name.
    pub fn host(&self) -> Option<&str> {
        self.origin().host.as_deref()
    }

    /// Returns the id of the process.
    pub fn instance(&self) -> Uuid {
        self.origin().instance
    }

    /// Returns all that is known of the process.
    pub fn origin(&self) -> &Origin {
        &self.chunk.origin
    }

    /// Returns the thread's name, or its number if it has none.
    pub fn thread(&self) -> Option<&str> {
        self.thread_name().map(AsRef::as_ref)
    }

    /// Returns the time from start to end of an end record's run.
    pub fn duration(&self) -> Option<Duration> {
        self.parts().duration.duration()
    }

    /// Returns an asynchronous stage's time inside polls and, if it was cancelled, inside its drop.
    pub fn busy(&self) -> Option<Duration> {
        self.parts().busy.duration()
    }

    /// Returns how many items the stage yielded.
    pub fn count(&self) -> Option<u64> {
        self.parts().count.get()
    }

    /// Returns the fields that describe what the stage worked on.
    pub fn context(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.context_fields().iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Returns the numbers that the stage recorded, without `duration_ms`, `busy_ms` and `count`,
    /// which have accessors.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.metrics_fields().iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// Returns one field of `context`.
    pub fn field(&self, name: &str) -> Option<&Value> {
        find(self.context_fields(), name)
    }

    /// Returns one number of `metrics` by its name in the canonical JSON: `duration_ms`, `busy_ms`
    /// and `count` too.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let millis = |duration: Option<Duration>| duration.map(json::millis);
        match name {
            "duration_ms" => millis(self.duration()),
            "busy_ms" => millis(self.busy()),
            "count" => self.count().and_then(|count| Value::U64(count).as_f64()),
            _ => find(self.metrics_fields(), name).and_then(Value::as_f64),
        }
    }

    /// Returns why the stage failed.
    pub fn error(&self) -> Option<&ErrorInfo> {
        self.parts().failure().map(|(error, _)| error)
    }

    /// Returns where a panic or an error came from, if a backtrace was taken.
    pub fn stack_trace(&self) -> Option<&str> {
        self.parts().failure().and_then(|(_, stack_trace)| stack_trace.as_deref())
    }

    /// Returns the items that the stage worked on, as it declares them with `used(…)`.
    pub fn used(&self) -> &[RecordItem] {
        self.parts().extras.as_deref().map(|extras| &*extras.used).unwrap_or_default()
    }

    /// Returns the items that the stage made or found, as it declares them with `generated(…)`.
    pub fn generated(&self) -> &[RecordItem] {
        self.parts().extras.as_deref().map(|extras| &*extras.generated).unwrap_or_default()
    }

    /// Returns the runs from the local root down to this one, which is the last. Only end records
    /// and scores of a sink that asks for them have any
    /// ([`Needs::with_ancestry`](crate::sink::Needs::with_ancestry)), up to [`PathStep::MOST`].
    ///
    /// Levels hide nothing in a path. It begins below the local root where a run above is not known
    /// to the process: its start was refused by a full queue and it has not ended yet, it began
    /// before telemetry was installed, or it ended very long ago, some 20,000 runs.
    pub fn path(&self) -> &[PathStep] {
        self.parts().extras.as_deref().and_then(|extras| extras.path.as_deref()).unwrap_or_default()
    }

    /// Returns the judgement that the record reports, if its event is a score.
    pub fn score(&self) -> Option<&RecordScore> {
        self.parts().extras.as_deref().and_then(|extras| extras.score.as_deref())
    }

    /// Returns the run of a LangSmith client that the request continues, as its dotted order.
    pub fn langsmith_parent(&self) -> Option<&str> {
        self.request().and_then(|request| request.langsmith_parent.as_deref())
    }

    /// Returns the source file and line that declare the stage or the log line.
    pub fn source(&self) -> Option<(&str, u32)> {
        match self.parts().subject() {
            Subject::Stage(stage) => Some((stage.file(), stage.line())),
            Subject::Owned(subject) => subject.source.as_ref().map(|(file, line)| (file.as_ref(), *line)),
        }
    }

    /// Returns the canonical JSON: one line without its end.
    pub fn to_json(&self) -> String {
        let mut line = Vec::with_capacity(640);
        self.write_json(&mut line);
        // Every byte comes from a `str` or is ASCII of ours, so this conversion never takes its
        // second way.
        String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Returns whether the pipeline reports on itself with it.
    pub(crate) fn is_self_report(&self) -> bool {
        self.event() == Event::Log && self.logger() == SELF_REPORT_LOGGER
    }

    /// Returns about how many bytes the canonical JSON takes.
    pub(crate) fn size_estimate(&self) -> usize {
        self.parts().size as usize
    }

    /// Returns about how many bytes of memory it takes, a request of its own included.
    pub(crate) fn memory_estimate(&self) -> usize {
        self.parts().memory as usize
    }

    pub(crate) fn request(&self) -> Option<&Arc<Request>> {
        self.parts().request.of(&self.chunk.requests)
    }

    /// Returns the message of what is no stage's, or is another than its stage's records have.
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
        // A record is made with its index in the chunk, and a chunk never changes.
        &self.chunk.parts[self.index as usize]
    }
}

impl PartialEq for Record {
    /// Compares the canonical JSON.
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
