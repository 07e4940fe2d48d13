//! The part of `ragtrace` that runs inside an application's functions: stages, their context, time
//! and ids, and the queue to the worker. Applications name `ragtrace` alone, which re-exports what
//! is for them.
//!
//! It is a crate of its own because programs are linked by whole units of code: what a stage calls
//! must not bring the pipeline, the spool and their libraries into a program that only declares
//! stages. What is public here and not re-exported by `ragtrace` is for `ragtrace`, and changes
//! without notice.
//!
//! The rooms, ground first; each knows those above it in this list and none below:
//!
//! | room | holds |
//! | --- | --- |
//! | `parse`, `level`, `event`, `time`, `id` | small parts of a record, and how their texts are read |
//! | `fork` | which process this is |
//! | `guard` | how implementations of the application's are called |
//! | `value` | values of fields, their encoding, the buffer they wait in |
//! | `item` | what stages use and generate, and how it is written |
//! | `json` | a writer of JSON |
//! | `catalog` | what is known of stages and log lines before they run |
//! | `context` | whose a run is, and who listens to it |
//! | `entry` | what a thread hands to the worker |
//! | `queue` | how it gets there |
//! | `dispatch` | whether it goes to the queue, to a listener, or nowhere |
//! | `log` | lines that are logged |
//! | `score` | what is judged of traces and runs |
//! | `capture` | a listener for tests |
//! | `observer` | who else follows runs |
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
