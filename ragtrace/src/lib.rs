#![doc = include_str!("guide/front.md")]

mod console;
mod hash;
mod members;
pub mod metrics;
mod pipeline;
mod record;
mod redact;
mod sample;
mod setup;
pub mod sink;
pub mod spool;
#[cfg(feature = "testing")]
pub mod testing;
mod warning;

#[doc = include_str!("guide/block.md")]
pub use ragtrace_macros::stage;
#[doc = include_str!("guide/attribute.md")]
pub use ragtrace_macros::traced_stage;

pub use console::Console;
pub use pipeline::{Dropped, Report, SinkStats, Stats};
#[doc(inline)]
pub use ragtrace_core::{
    Countable, ErrorInfo, Event, FieldDescriptor, FieldSource, InContext, Level, ParseError, QueueLimits,
    RequestContext, Scoped, SpanId, StageDescriptor, StageKind, Timestamp, ToValue, TraceId, Value, spawn, stages,
    stages_schema,
};
pub use record::{DecodeRecordError, Origin, Record, RecordLimits};
pub use redact::{Redactor, Secret};
pub use sample::Sampler;
pub use setup::{Builder, IntoLevel, SetupError, Telemetry, TelemetryHandle, builder};
pub use sink::Sink;
pub use spool::{Durability, SpoolLimits};

/// What generated code may name, and nobody else: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use ragtrace_core::__private::*;
    pub use ragtrace_macros::undeclared;

    // Where the attribute is told the crate's path, generated code calls this module by the crate's name.
    pub use crate::__private;
}
