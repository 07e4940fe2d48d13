//! A builder of records, for tests of code that reads them.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ragtrace_core::context::Request;
use ragtrace_core::{ErrorInfo, Event, Level, SpanId, SpanLink, StageKind, Timestamp, TraceId, Value};
use uuid::Uuid;

use super::parts::{ChunkIndex, OwnedSubject};
use super::{ChunkBuilder, Extras, OptionalU64, Origin, Record, RecordFlags, RecordParts};
use super::{PathStep, RecordItem, RecordScore};

/// A builder that makes a [`Record`] without a pipeline, for tests of a sink or of other code that
/// reads records.
///
/// Parts that are not set have the values that a stage would give them: new ids for the record, the
/// trace and the span, the current time, and the level of the event. Optional parts are absent.
///
/// ```
/// use std::time::Duration;
/// use ragtrace::testing::RecordBuilder;
///
/// let started = RecordBuilder::started("chunking").user_id("alice").field("doc.name", "report.pdf");
/// let failed = started
///     .clone()
///     .failure("IngestError", "the file is empty")
///     .caused_by("unexpected end of file")
///     .duration(Duration::from_millis(12));
/// let (started, failed) = (started.build(), failed.build());
/// assert_eq!(started.span_id(), failed.span_id(), "two records of one run");
/// assert_eq!(failed.message(), "chunking_failed");
/// assert_eq!(failed.field("doc.name").unwrap(), "report.pdf");
/// assert_eq!(failed.error().unwrap().chain(), ["unexpected end of file"]);
/// ```
#[derive(Clone, Debug)]
#[must_use = "call `build()` to make the record"]
pub struct RecordBuilder {
    event: Event,
    id: Option<Uuid>,
    timestamp: Option<Timestamp>,
    level: Option<Level>,
    subject: OwnedSubject,
    request: Option<Request>,
    span_id: Option<SpanId>,
    parent_span_id: Option<SpanId>,
    is_local_root: Option<bool>,
    origin: Arc<Origin>,
    thread: Option<Arc<str>>,
    duration: Option<Duration>,
    busy: Option<Duration>,
    count: Option<u64>,
    context: Vec<(String, Value)>,
    metrics: Vec<(String, Value)>,
    failure: Option<(ErrorInfo, Option<String>)>,
    used: Vec<RecordItem>,
    generated: Vec<RecordItem>,
    path: Vec<PathStep>,
    score: Option<RecordScore>,
}

/// The process of all records whose origin is not set.
static ORIGIN: LazyLock<Arc<Origin>> = LazyLock::new(|| Arc::new(Origin::new(Uuid::now_v7())));

impl RecordBuilder {
    /// Begins the start record of the stage `stage`.
    pub fn started(stage: impl Into<String>) -> Self {
        Self::of_stage(Event::Started, stage.into())
    }

    /// Begins the end record of a run of the stage `stage` that completed.
    pub fn completed(stage: impl Into<String>) -> Self {
        Self::of_stage(Event::Completed, stage.into())
    }

    /// Begins the end record of a run of the stage `stage` that failed with an error of this type
    /// and message.
    pub fn failed(stage: impl Into<String>, error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of_stage(Event::Failed, stage.into()).failure(error_type, message)
    }

    /// Begins the end record of a run of the stage `stage` that was cancelled.
    pub fn cancelled(stage: impl Into<String>) -> Self {
        Self::of_stage(Event::Cancelled, stage.into())
    }

    /// Begins the record of a log line. It belongs to no trace unless one is set.
    pub fn log(message: impl Into<String>) -> Self {
        let subject = OwnedSubject { message: Some(Cow::Owned(message.into())), ..OwnedSubject::default() };
        Self::new(Event::Log, subject)
    }

    /// Begins the record of a score. It belongs to no trace unless one is set.
    pub fn score(score: RecordScore) -> Self {
        let subject =
            OwnedSubject { message: Some(Cow::Owned(format!("{}_scored", score.name()))), ..OwnedSubject::default() };
        let mut builder = Self::new(Event::Score, subject);
        builder.score = Some(score);
        builder
    }

    /// Turns the record into the end record of the same run, which failed with an error of this
    /// type and message.
    pub fn failure(mut self, error_type: impl Into<String>, message: impl Into<String>) -> Self {
        let stack_trace = self.failure.and_then(|(_, stack_trace)| stack_trace);
        self.failure = Some((ErrorInfo::new(error_type.into(), message.into(), Vec::new()), stack_trace));
        self.event = Event::Failed;
        self
    }

    /// Adds a source of the error; the direct source comes first.
    pub fn caused_by(mut self, message: impl Into<String>) -> Self {
        let (error, _) = self.failure.get_or_insert_default();
        let (_, _, chain) = error.parts_mut();
        chain.push(message.into());
        self
    }

    /// Sets the backtrace of the failure.
    pub fn stack_trace(mut self, text: impl Into<String>) -> Self {
        self.failure.get_or_insert_default().1 = Some(text.into());
        self
    }

    /// Sets the id of the record; a new one by default.
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// Sets the time of the record; the current time by default.
    pub fn timestamp(mut self, timestamp: Timestamp) -> Self {
        self.timestamp = Some(timestamp);
        self
    }

    /// Sets the level; by default `error` for a failure, `warn` for a cancellation and `info`
    /// otherwise.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// Sets the logger; `app` by default.
    pub fn logger(mut self, logger: impl Into<String>) -> Self {
        self.subject.logger = Cow::Owned(logger.into());
        self
    }

    /// Sets the stage, or for a log line the stage that it was written in.
    pub fn stage(mut self, stage: impl Into<String>) -> Self {
        self.subject.stage = Some(Cow::Owned(stage.into()));
        self
    }

    /// Sets the kind of the stage; `task` by default.
    pub fn kind(mut self, kind: StageKind) -> Self {
        self.subject.kind = Some(kind);
        self
    }

    /// Sets the id of the trace.
    pub fn trace_id(mut self, trace_id: TraceId) -> Self {
        self.request().trace_id = trace_id;
        self
    }

    /// Sets the span id of the run.
    pub fn span_id(mut self, span_id: SpanId) -> Self {
        self.span_id = Some(span_id);
        self
    }

    /// Sets the span id of the enclosing run.
    pub fn parent_span_id(mut self, parent_span_id: SpanId) -> Self {
        self.parent_span_id = Some(parent_span_id);
        self
    }

    /// Sets whether the stage has no parent in its process; by default `true` unless a parent is
    /// set.
    pub fn local_root(mut self, is_local_root: bool) -> Self {
        self.is_local_root = Some(is_local_root);
        self
    }

    /// Sets the id of the request.
    pub fn request_id(mut self, id: impl Into<String>) -> Self {
        self.request().request_id = Some(id.into().into());
        self
    }

    /// Sets the id of the user.
    pub fn user_id(mut self, id: impl Into<String>) -> Self {
        self.request().user_id = Some(id.into().into());
        self
    }

    /// Sets the id of the tenant.
    pub fn tenant_id(mut self, id: impl Into<String>) -> Self {
        self.request().tenant_id = Some(id.into().into());
        self
    }

    /// Sets the id of the session.
    pub fn session_id(mut self, id: impl Into<String>) -> Self {
        self.request().session_id = Some(id.into().into());
        self
    }

    /// Sets the type of the request.
    pub fn request_type(mut self, name: impl Into<String>) -> Self {
        self.request().request_type = Some(name.into().into());
        self
    }

    /// Sets the process that the record comes from; by default one that all records of the test
    /// share.
    pub fn origin(mut self, origin: impl Into<Arc<Origin>>) -> Self {
        self.origin = origin.into();
        self
    }

    /// Sets the name of the thread.
    pub fn thread(mut self, name: impl Into<String>) -> Self {
        self.thread = Some(name.into().into());
        self
    }

    /// Sets the duration of the run; by default one millisecond for the end of a stage.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = Some(duration);
        self
    }

    /// Sets the time that the run spent inside of polls.
    pub fn busy(mut self, busy: Duration) -> Self {
        self.busy = Some(busy);
        self
    }

    /// Sets the number of items that the stage returned.
    pub fn count(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Adds a field to `context`. As in a stage, a field that is `None` or [`Value::Null`] is left
    /// out.
    pub fn field(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = value.into();
        if value != Value::Null {
            self.context.push((name.into(), value));
        }
        self
    }

    /// Adds a number to `metrics`. As in a stage, a value that is not a number goes to `context`.
    pub fn metric(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_number() {
            return self.field(name, value);
        }
        self.metrics.push((name.into(), value));
        self
    }

    /// Adds an item that the stage used.
    pub fn used(mut self, item: RecordItem) -> Self {
        self.used.push(item);
        self
    }

    /// Adds an item that the stage generated.
    pub fn generated(mut self, item: RecordItem) -> Self {
        self.generated.push(item);
        self
    }

    /// Sets the path of the run: the runs from the local root down to this one, which is the last.
    pub fn path(mut self, steps: impl IntoIterator<Item = PathStep>) -> Self {
        self.path = steps.into_iter().collect();
        self
    }

    /// Sets the LangSmith run that the request continues, as its dotted order.
    pub fn langsmith_parent(mut self, dotted_order: impl Into<String>) -> Self {
        self.request().langsmith_parent = Some(dotted_order.into().into());
        self
    }

    /// Adds a link to a span of another trace; only records of local roots have links.
    pub fn link(mut self, trace_id: TraceId, span_id: SpanId) -> Self {
        let request = self.request();
        request.links = request.links.iter().copied().chain([SpanLink::new(trace_id, span_id)]).collect();
        self
    }

    /// Sets the message of a stage's record, where it is not `{stage}_{event}`, as in the records
    /// of HTTP requests.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.subject.message = Some(Cow::Owned(message.into()));
        self
    }

    /// Sets the source file and line of the stage's declaration, or of the log line.
    pub fn source(mut self, file: impl Into<String>, line: u32) -> Self {
        self.subject.source = Some((Cow::Owned(file.into()), line));
        self
    }

    /// Builds the record.
    pub fn build(self) -> Record {
        let Self { event, failure, .. } = self;
        let level = self.level.unwrap_or(match event {
            Event::Failed => Level::Error,
            Event::Cancelled => Level::Warn,
            _ => Level::Info,
        });
        let timestamp = self.timestamp.unwrap_or_else(Timestamp::now);
        let duration = self.duration.or(event.is_end().then_some(Duration::from_millis(1)));
        let is_local_root =
            self.is_local_root.unwrap_or(!matches!(event, Event::Log | Event::Score) && self.parent_span_id.is_none());
        let extras = Extras {
            id: Some(self.id.unwrap_or_else(Uuid::now_v7)),
            subject: self.subject,
            failure,
            used: self.used,
            generated: self.generated,
            path: Some(self.path.into()),
            score: self.score.map(Box::new),
        };
        let mut chunk = ChunkBuilder::new(Arc::clone(&self.origin));
        let request = self.request.map(Arc::new);
        let parts = RecordParts {
            extras: Some(Box::new(extras)),
            span_id: self.span_id,
            parent_span_id: self.parent_span_id,
            flags: RecordFlags::default().with(RecordFlags::LOCAL_ROOT, is_local_root),
            request: request.map_or(ChunkIndex::NONE, |request| chunk.request_index(&request)),
            thread: self.thread.map_or(ChunkIndex::NONE, |thread| chunk.thread_index(&thread)),
            duration: duration.into(),
            busy: self.busy.into(),
            count: OptionalU64::from(self.count),
            ..RecordParts::new(timestamp, event, level, None)
        };
        self.context.into_iter().for_each(|(name, value)| chunk.add_context(Cow::Owned(name), value));
        self.metrics.into_iter().for_each(|(name, value)| chunk.add_metric(Cow::Owned(name), value));
        chunk.add(parts);
        chunk.finish().remove(0)
    }

    fn of_stage(event: Event, stage: String) -> Self {
        let subject =
            OwnedSubject { stage: Some(Cow::Owned(stage)), kind: Some(StageKind::Task), ..OwnedSubject::default() };
        let mut builder = Self::new(event, subject);
        builder.request();
        builder.span_id = Some(SpanId::new());
        builder
    }

    fn new(event: Event, subject: OwnedSubject) -> Self {
        Self {
            event,
            id: None,
            timestamp: None,
            level: None,
            subject: OwnedSubject { logger: Cow::Borrowed("app"), ..subject },
            request: None,
            span_id: None,
            parent_span_id: None,
            is_local_root: None,
            origin: Arc::clone(&ORIGIN),
            thread: None,
            duration: None,
            busy: None,
            count: None,
            context: Vec::new(),
            metrics: Vec::new(),
            failure: None,
            used: Vec::new(),
            generated: Vec::new(),
            path: Vec::new(),
            score: None,
        }
    }

    /// Returns the ids of the request, adding a request with a trace id if there is none.
    fn request(&mut self) -> &mut Request {
        self.request.get_or_insert_with(|| Request::new(TraceId::new()))
    }
}
