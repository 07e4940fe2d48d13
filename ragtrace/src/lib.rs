#![cfg_attr(feature = "pipeline", doc = include_str!("guide/front.md"))]
#![cfg_attr(
    not(feature = "pipeline"),
    doc = "Structured stage logs for RAG pipelines, as a library needs them: what declares stages. See the feature `pipeline`."
)]

#[cfg(feature = "pipeline")]
mod console;
#[cfg(all(fuzzing, feature = "pipeline"))]
#[doc(hidden)]
pub mod fuzzing;
// Its programs are compiled by those who run them (`examples/guides`): they need what this crate
// does not depend on.
#[cfg(all(doc, not(doctest), feature = "pipeline"))]
pub mod guide;
#[cfg(any(feature = "pipeline", feature = "testing"))]
mod hash;
#[cfg(feature = "tower")]
pub mod http;
#[cfg(any(feature = "pipeline", feature = "testing"))]
mod json_members;
#[cfg(feature = "pipeline")]
pub mod metrics;
#[cfg(all(feature = "testing", not(feature = "pipeline")))]
#[expect(dead_code, unreachable_pub, unused_imports, reason = "what only the pipeline uses")]
mod metrics;
#[cfg(any(feature = "pipeline", feature = "testing"))]
#[cfg_attr(not(feature = "pipeline"), expect(dead_code, reason = "what only the pipeline uses"))]
mod pipeline;
#[cfg(any(feature = "pipeline", feature = "testing"))]
#[cfg_attr(
    not(feature = "pipeline"),
    expect(dead_code, unreachable_pub, unused_imports, reason = "what only the pipeline uses")
)]
mod record;
#[cfg(feature = "pipeline")]
mod redact;
#[cfg(feature = "pipeline")]
mod sample;
#[cfg(feature = "pipeline")]
mod setup;
#[cfg(feature = "pipeline")]
pub mod sink;
#[cfg(feature = "pipeline")]
pub mod spool;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(all(feature = "tracing", feature = "pipeline"))]
mod tracing;
#[cfg(feature = "pipeline")]
mod warning;

#[doc = include_str!("guide/block.md")]
pub use ragtrace_macros::stage;
#[doc = include_str!("guide/attribute.md")]
pub use ragtrace_macros::traced_stage;

#[cfg(all(feature = "tracing", feature = "pipeline"))]
pub use self::tracing::{Layer, layer};
#[cfg(feature = "pipeline")]
pub use console::Console;
#[cfg(feature = "pipeline")]
pub use pipeline::{Dropped, Report, SinkStats, Stats};
#[cfg(feature = "pipeline")]
#[doc(inline)]
pub use ragtrace_core::QueueLimits;
#[cfg(feature = "serde")]
#[doc(inline)]
pub use ragtrace_core::value::{AsJson, json};
#[doc(inline)]
pub use ragtrace_core::{
    Countable, ErrorInfo, Event, FieldDescriptor, FieldSource, InContext, Item, ItemId, Level, NamedStage, ParseError,
    RequestContext, Scoped, Score, ScoreError, Secret, SpanId, SpanLink, StageDescriptor, StageKind, Timestamp,
    ToValue, TraceId, Value, spawn, stages, stages_schema,
};
#[cfg(feature = "pipeline")]
pub use record::RecordLimits;
#[cfg(any(feature = "pipeline", feature = "testing"))]
pub use record::{DecodeRecordError, Origin, PathStep, Record, RecordItem, RecordScore};
#[cfg(feature = "pipeline")]
pub use redact::Redactor;
#[cfg(feature = "pipeline")]
pub use sample::Sampler;
#[cfg(feature = "pipeline")]
pub use setup::{Builder, IntoLevel, SetupError, Telemetry, TelemetryHandle, builder};
#[cfg(feature = "pipeline")]
pub use sink::Sink;
#[cfg(feature = "pipeline")]
pub use spool::{Durability, SpoolLimits};

/// The type of ids of records, batches and processes, which public signatures name: that of the
/// crate `uuid`.
// Not the whole crate: it has a `Variant::Future`, and with a second `Future` in sight the compiler
// calls the one of the standard library by its path, in the messages of every crate that uses this
// one.
pub mod uuid {
    pub use ::uuid::Uuid;
}

#[cfg(feature = "pipeline")]
#[doc(hidden)]
pub use ragtrace_core::queue::SINK_THREAD as __SINK_THREAD;

/// The JSON writer of the sinks in the crate `ragtrace-sinks`, and of nobody else: it changes
/// without notice.
#[cfg(feature = "pipeline")]
#[doc(hidden)]
pub mod __json {
    pub use ragtrace_core::json::{Object, write_float, write_parts, write_text, write_whole};

    pub use crate::record::FieldValue;
}

/// What generated code may name, and nobody else: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use ragtrace_core::__private::*;
    pub use ragtrace_macros::undeclared;

    // Where the attribute is told the crate's path, generated code calls this module by the crate's
    // name.
    pub use crate::__private;
}
