//! The part of `ragtrace` that runs inside an application's functions: stages, their context, time and ids, and the
//! queue to the worker. Applications name `ragtrace` alone, which re-exports what is for them.
//!
//! It is a crate of its own because programs are linked by whole units of code: what a stage calls must not bring the
//! pipeline, the spool and their libraries into a program that only declares stages. What is public here and not
//! re-exported by `ragtrace` is for `ragtrace`, and changes without notice.

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[doc(hidden)]
pub mod capture;
#[doc(hidden)]
pub mod context;
mod event;
#[doc(hidden)]
pub mod gate;
#[doc(hidden)]
pub mod id;
#[doc(hidden)]
pub mod json;
mod level;
mod parse;
#[doc(hidden)]
pub mod queue;
#[doc(hidden)]
pub mod stage;
#[doc(hidden)]
pub mod time;
pub mod value;

pub use context::{InContext, RequestContext, Scoped, spawn};
pub use event::{ErrorInfo, Event};
pub use id::{SpanId, TraceId};
pub use level::Level;
pub use parse::ParseError;
pub use queue::QueueLimits;
pub use stage::{Countable, FieldDescriptor, FieldSource, StageDescriptor, StageKind, stages, stages_schema};
pub use time::Timestamp;
pub use value::{ToValue, Value};
