#![doc = include_str!("guide/front.md")]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
mod capture;
mod console;
mod context;
mod hash;
mod id;
mod level;
pub mod metrics;
mod pipeline;
mod record;
mod redact;
mod sample;
mod setup;
pub mod sink;
pub mod spool;
mod stage;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod value;
mod warning;

#[doc = include_str!("guide/block.md")]
pub use ragtrace_macros::stage;
#[doc = include_str!("guide/attribute.md")]
pub use ragtrace_macros::traced_stage;

pub use console::{Console, ParseConsoleError};
pub use context::{InContext, RequestContext, Scoped, TraceparentError, spawn};
pub use id::{ParseIdError, SpanId, TraceId};
pub use level::{Level, ParseLevelError};
pub use pipeline::{Dropped, QueueLimits, Report, SinkStats, Stats};
pub use record::{DecodeRecordError, ErrorInfo, Event, Origin, Record, RecordLimits};
pub use redact::{Redactor, Secret};
pub use sample::Sampler;
pub use setup::{Builder, SetupError, Telemetry, builder};
pub use sink::Sink;
pub use spool::{Durability, SpoolLimits};
pub use stage::{
    Countable, FieldDescriptor, FieldSource, ParseKindError, StageDescriptor, StageKind, stages, stages_schema,
};
pub use time::{ParseTimestampError, Timestamp};
pub use value::{ToValue, Value};
