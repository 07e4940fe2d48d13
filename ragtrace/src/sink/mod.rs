//! The contract of a sink: it turns a batch into requests and judges the answer.
//!
//! Everything else is the pipeline's: batching, retries and their timing, splitting, what to do
//! with a record that nobody wants. A sink holds no loop, no timer and no queue, and keeps no
//! record past its answer. It connects when it is first used, so an application starts while its
//! database is down.
//!
//! A batch may be delivered more than once (its answer may be lost); its [`Batch::id`] is the same
//! then. A sink that writes the id and the rows in one transaction delivers exactly once.
//!
//! | to | there is |
//! | --- | --- |
//! | write a sink | [`Sink`], [`BatchLimits`], [`Needs`] |
//! | read what it is given | [`Batch`] |
//! | answer | [`Delivered`], [`SinkError`] |
//! | hold sinks of several types | [`BoxSink`] |
//! | use one that is there | [`Discard`], [`JsonLines`], and those of the crate `ragtrace-sinks` |
//! | try one of your own | `ragtrace::testing::sink` (feature `testing`) |

mod batch;
mod boxed;
mod contract;
mod discard;
mod error;
mod guarded;
mod json_lines;
mod name;
mod needs;

pub use batch::{Batch, BatchLimits};
pub use boxed::BoxSink;
pub use contract::Sink;
pub use discard::Discard;
pub use error::{Delivered, SinkError, Verdict};
pub(crate) use guarded::{GuardedSink, deliver_guarded, message_of};
pub use json_lines::JsonLines;
pub(crate) use name::fault_of_name;
pub use needs::Needs;
