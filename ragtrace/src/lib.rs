#![cfg_attr(feature = "pipeline", doc = include_str!("guide/front.md"))]
#![cfg_attr(
    not(feature = "pipeline"),
    doc = "Structured stage logs for RAG pipelines.\n\nWithout the feature `pipeline`, the crate has only the items that a library needs to declare stages."
)]

#[cfg(feature = "pipeline")]
mod console;
#[cfg(all(fuzzing, feature = "pipeline"))]
#[doc(hidden)]
pub mod fuzzing;
// The programs of the guide are compiled by the crate `examples/guides`, because they need
// dependencies that this crate does not have.
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
#[expect(dead_code, unreachable_pub, unused_imports, reason = "only the pipeline uses it")]
mod metrics;
#[cfg(any(feature = "pipeline", feature = "testing"))]
#[cfg_attr(not(feature = "pipeline"), expect(dead_code, reason = "only the pipeline uses it"))]
mod pipeline;
#[cfg(any(feature = "pipeline", feature = "testing"))]
#[cfg_attr(
    not(feature = "pipeline"),
    expect(dead_code, unreachable_pub, unused_imports, reason = "only the pipeline uses it")
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

/// The type of the ids of records, batches and processes, re-exported from the crate `uuid`.
// Only the type is re-exported, not the whole crate, because `uuid` has a `Variant::Future`. If two
// items called `Future` are in sight, the compiler writes the standard library's one with its full
// path in the error messages of every dependent crate.
pub mod uuid {
    pub use ::uuid::Uuid;
}

#[cfg(feature = "pipeline")]
#[doc(hidden)]
pub use ragtrace_core::queue::SINK_THREAD as __SINK_THREAD;

/// The JSON writer for the crate `ragtrace-sinks`. It is not part of the public interface and may
/// change at any time.
#[cfg(feature = "pipeline")]
#[doc(hidden)]
pub mod __json {
    pub use ragtrace_core::json::{Object, write_float, write_parts, write_text, write_whole};

    pub use crate::record::FieldValue;
}

/// Items that generated code names. They are not part of the public interface and may change at any
/// time.
#[doc(hidden)]
pub mod __private {
    pub use ragtrace_core::__private::*;
    pub use ragtrace_macros::undeclared;

    // If the attribute has a `crate` argument, generated code refers to this module through that
    // path.
    pub use crate::__private;
}
