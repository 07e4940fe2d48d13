//! The part of `ragtrace` that runs inside an application's functions: stages, their context,
//! clocks and ids, and the queue to the worker thread. Applications depend on `ragtrace`, which
//! re-exports the public API.
//!
//! This is a separate crate because linkers include whole units of code: a program that only
//! declares stages must not pull in the pipeline, the spool and their libraries. Items that are
//! public here but not re-exported by `ragtrace` exist for `ragtrace` itself and change without
//! notice.
//!
//! Modules are listed from the lowest layer to the highest. Each uses only the modules above it in
//! this table:
//!
//! | module | contents |
//! | --- | --- |
//! | `parse`, `level`, `event`, `time`, `id` | basic parts of a record, and parsers for their text forms |
//! | `fork` | detection of forked processes |
//! | `guard` | calls into the application's code that catch panics |
//! | `value` | field values, their encoding, and the buffer that holds them |
//! | `item` | items that stages use and generate, and their encoding |
//! | `json` | a JSON writer |
//! | `catalog` | static descriptions of stages and log lines |
//! | `context` | the request that a run belongs to, and the listener for its entries |
//! | `entry` | entries: the messages that a thread sends to the worker |
//! | `queue` | the queue that carries entries to the worker |
//! | `dispatch` | the choice between the queue, a listener, and no recipient |
//! | `log` | log lines |
//! | `score` | scores of traces and spans |
//! | `capture` | a listener for tests |
//! | `observer` | callbacks for the beginning and end of runs |
//! | `stage` | runs of stages |

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[doc(hidden)]
#[cfg(feature = "testing")]
pub mod capture;
mod catalog;
#[doc(hidden)]
pub mod context;
#[doc(hidden)]
pub mod dispatch;
#[doc(hidden)]
pub mod entry;
mod event;
#[doc(hidden)]
pub mod fork;
#[doc(hidden)]
pub mod guard;
#[doc(hidden)]
pub mod id;
#[doc(hidden)]
pub mod item;
#[doc(hidden)]
pub mod json;
mod level;
#[doc(hidden)]
pub mod log;
#[doc(hidden)]
pub mod observer;
mod parse;
#[doc(hidden)]
pub mod queue;
mod score;
#[doc(hidden)]
pub mod stage;
#[doc(hidden)]
pub mod time;
#[doc(hidden)]
pub mod value;

pub use catalog::{FieldDescriptor, FieldSource, LogDescriptor, StageDescriptor, StageKind, stages, stages_schema};
#[doc(hidden)]
pub use catalog::{intern, intern_in, intern_listed, watch_interned};
pub use context::{InContext, RequestContext, Scoped, SpanLink, spawn};
#[doc(hidden)]
pub use event::Failure;
pub use event::{ErrorInfo, Event};
pub use id::{SpanId, TraceId};
pub use item::{Item, ItemId};
pub use level::Level;
pub use parse::ParseError;
pub use queue::QueueLimits;
pub use score::{Score, ScoreError};
pub use stage::{Countable, NamedStage};
pub use time::Timestamp;
pub use value::{Secret, ToValue, Value};
