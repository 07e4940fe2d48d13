//! A record: what a stage leaves behind at its start and at its end, and an application's own log line.
//!
//! A record is immutable once the worker has made it, and a cheap clone: every sink shares one copy. Its canonical
//! JSON ([`Record::to_json`]) is the form that spools, dead letters, tests and the console use; sinks with a format of
//! their own read the accessors.

mod bounds;
mod decode;
mod encode;
pub(crate) mod json;
mod origin;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

pub use bounds::RecordLimits;
pub use decode::DecodeRecordError;
pub use origin::Origin;

use crate::context::Request;
use crate::level::Level;
use crate::stage::StageKind;
use crate::time::Timestamp;
use crate::{SpanId, TraceId, Value};

/// The logger of records that the pipeline makes of its own doings.
pub(crate) const OWN_LOGGER: &str = "ragtrace";

/// Names and values, in the order they were recorded.
pub(crate) type Fields = Vec<(Cow<'static, str>, Value)>;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A stage began.
    Started,
    /// A stage returned, and not an `Err`.
    Completed,
    /// A stage returned an `Err`, or panicked.
    Failed,
    /// A stage was dropped before its end.
    Cancelled,
    /// A log line that is not a stage's.
    Log,
}

impl Event {
    /// The name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Log => "log",
        }
    }

    /// Whether it is the end of a stage.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Started, Self::Completed, Self::Failed, Self::Cancelled, Self::Log]
            .into_iter()
            .find(|event| event.as_str() == name)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a stage failed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ErrorInfo {
    pub(crate) type_name: Cow<'static, str>,
    pub(crate) message: String,
    pub(crate) chain: Vec<String>,
}

impl ErrorInfo {
    /// The error's type without its path, or `panic`.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The error's own message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The messages of its sources, the nearest first.
    pub fn chain(&self) -> &[String] {
        &self.chain
    }
}

/// One record. A clone shares its contents.
#[derive(Clone, PartialEq)]
pub struct Record(pub(crate) Arc<Parts>);

/// The parts of a record while the worker puts it together.
#[derive(Clone, PartialEq)]
pub(crate) struct Parts {
    pub(crate) id: Uuid,
    pub(crate) timestamp: Timestamp,
    pub(crate) level: Level,
    pub(crate) logger: Cow<'static, str>,
    /// `None` for a stage's record, whose message follows from stage and event.
    pub(crate) message: Option<Cow<'static, str>>,
    pub(crate) event: Event,
    pub(crate) stage: Option<Cow<'static, str>>,
    pub(crate) kind: Option<StageKind>,
    pub(crate) request: Option<Arc<Request>>,
    pub(crate) span_id: Option<SpanId>,
    pub(crate) parent_span_id: Option<SpanId>,
    pub(crate) local_root: bool,
    pub(crate) origin: Arc<Origin>,
    pub(crate) thread: Option<Arc<str>>,
    pub(crate) duration: Option<Duration>,
    pub(crate) busy: Option<Duration>,
    pub(crate) count: Option<u64>,
    pub(crate) context: Fields,
    pub(crate) metrics: Fields,
    pub(crate) error: Option<ErrorInfo>,
    pub(crate) stack_trace: Option<String>,
    pub(crate) source: Option<(Cow<'static, str>, u32)>,
}

impl Record {
    /// The record's own id, the same over every retry.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// When it happened.
    pub fn timestamp(&self) -> Timestamp {
        self.0.timestamp
    }

    /// How severe it is.
    pub fn level(&self) -> Level {
        self.0.level
    }

    /// The stage's target or the log line's: a module path unless set.
    pub fn logger(&self) -> &str {
        &self.0.logger
    }

    /// The message: for a stage `{stage}_{event}`.
    pub fn message(&self) -> Cow<'_, str> {
        match (&self.0.message, &self.0.stage) {
            (Some(message), _) => Cow::Borrowed(message),
            (None, Some(stage)) => Cow::Owned(format!("{stage}_{}", self.0.event)),
            (None, None) => Cow::Borrowed(self.0.event.as_str()),
        }
    }

    /// What happened.
    pub fn event(&self) -> Event {
        self.0.event
    }

    /// The stage's name; for a log line, that of the stage it was written in.
    pub fn stage(&self) -> Option<&str> {
        self.0.stage.as_deref()
    }

    /// The stage's kind.
    pub fn kind(&self) -> Option<StageKind> {
        self.0.kind
    }

    /// The trace it belongs to.
    pub fn trace_id(&self) -> Option<TraceId> {
        self.request().map(|request| request.trace_id)
    }

    /// The run of the stage it belongs to.
    pub fn span_id(&self) -> Option<SpanId> {
        self.0.span_id
    }

    /// The run that this one is part of, perhaps in another process.
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.0.parent_span_id
    }

    /// Whether its stage has no parent in this process: a parent id, if there is one, came from elsewhere.
    pub fn is_local_root(&self) -> bool {
        self.0.local_root
    }

    /// The request it belongs to.
    pub fn request_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.request_id.as_deref())
    }

    /// Who asked.
    pub fn user_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.user_id.as_deref())
    }

    /// Which tenant the user belongs to.
    pub fn tenant_id(&self) -> Option<&str> {
        self.request().and_then(|request| request.tenant_id.as_deref())
    }

    /// What sort of request it is.
    pub fn request_type(&self) -> Option<&str> {
        self.request().and_then(|request| request.request_type.as_deref())
    }

    /// The service, as set up.
    pub fn service(&self) -> Option<&str> {
        self.0.origin.service.as_deref()
    }

    /// The environment, as set up.
    pub fn environment(&self) -> Option<&str> {
        self.0.origin.environment.as_deref()
    }

    /// The service's version, as set up.
    pub fn version(&self) -> Option<&str> {
        self.0.origin.version.as_deref()
    }

    /// The host's name.
    pub fn host(&self) -> Option<&str> {
        self.0.origin.host.as_deref()
    }

    /// The id of the process.
    pub fn instance(&self) -> Uuid {
        self.0.origin.instance
    }

    /// All that is known of the process.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The thread's name, or its number if it has none.
    pub fn thread(&self) -> Option<&str> {
        self.0.thread.as_deref()
    }

    /// An end record's time from start to end.
    pub fn duration(&self) -> Option<Duration> {
        self.0.duration
    }

    /// An asynchronous stage's time inside polls.
    pub fn busy(&self) -> Option<Duration> {
        self.0.busy
    }

    /// How many items the stage yielded.
    pub fn count(&self) -> Option<u64> {
        self.0.count
    }

    /// The fields that describe what the stage worked on.
    pub fn context(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.context.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The numbers that the stage recorded, without `duration_ms`, `busy_ms` and `count`, which have accessors.
    pub fn metrics(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.metrics.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// One field of `context`.
    pub fn field(&self, name: &str) -> Option<&Value> {
        find(&self.0.context, name)
    }

    /// One number of `metrics` by its name in the canonical JSON: `duration_ms`, `busy_ms` and `count` too.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let millis = |duration: Option<Duration>| duration.map(encode::millis);
        match name {
            "duration_ms" => millis(self.0.duration),
            "busy_ms" => millis(self.0.busy),
            "count" => self.0.count.and_then(|count| Value::U64(count).as_f64()),
            _ => find(&self.0.metrics, name).and_then(Value::as_f64),
        }
    }

    /// Why the stage failed.
    pub fn error(&self) -> Option<&ErrorInfo> {
        self.0.error.as_ref()
    }

    /// Where a panic or an error came from, if a backtrace was taken.
    pub fn stack_trace(&self) -> Option<&str> {
        self.0.stack_trace.as_deref()
    }

    /// The source file and line that declare the stage or the log line.
    pub fn source(&self) -> Option<(&str, u32)> {
        self.0.source.as_ref().map(|(file, line)| (file.as_ref(), *line))
    }

    /// The canonical JSON: one line without its end.
    pub fn to_json(&self) -> String {
        let mut line = Vec::with_capacity(640);
        self.write_json(&mut line);
        // Every byte comes from a `str` or is ASCII of ours, so this conversion never takes its second way.
        String::from_utf8(line).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Whether the pipeline tells of itself with it.
    pub(crate) fn is_own(&self) -> bool {
        self.0.event == Event::Log && self.0.logger == OWN_LOGGER
    }

    /// About how many bytes the canonical JSON takes.
    pub(crate) fn size_estimate(&self) -> usize {
        Self::size_of(&self.0)
    }

    pub(crate) fn size_of(parts: &Parts) -> usize {
        // What a stage's record takes without the texts that its user gives.
        const REST: usize = 480;
        let fields = |fields: &Fields| -> usize {
            fields.iter().map(|(name, value)| name.len() + 4 + value.as_str().map_or(16, str::len)).sum()
        };
        let error = parts
            .error
            .as_ref()
            .map_or(0, |error| error.message.len() + error.chain.iter().map(String::len).sum::<usize>());
        let message = parts.message.as_ref().map_or(0, |message| message.len());
        let stack_trace = parts.stack_trace.as_ref().map_or(0, String::len);
        REST + fields(&parts.context) + fields(&parts.metrics) + error + message + stack_trace
    }

    fn request(&self) -> Option<&Request> {
        self.0.request.as_deref()
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}
