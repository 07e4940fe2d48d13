//! Structured stage logs for RAG pipelines.

mod context;
mod id;
mod level;
mod record;
pub mod sink;
mod stage;
mod time;
mod value;

pub use context::{InContext, RequestContext, Scoped, TraceparentError, spawn};
pub use id::{ParseIdError, SpanId, TraceId};
pub use level::{Level, ParseLevelError};
pub use record::{DecodeRecordError, ErrorInfo, Event, Record};
pub use sink::Sink;
pub use stage::{FieldDescriptor, FieldSource, ParseKindError, StageDescriptor, StageKind};
pub use time::{ParseTimestampError, Timestamp};
pub use value::{ToValue, Value};
