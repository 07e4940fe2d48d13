//! The contract between the pipeline and a sink, the destination of records.
//!
//! A sink turns a batch into requests to its backend, and judges the answer. Everything else is
//! done by the pipeline: batching, retries and their timing, splitting, and setting aside records
//! that a backend refuses for good. A sink has no loop, no timer and no queue, and keeps no record
//! after it has returned its outcome. It connects when the first batch is delivered, so an
//! application starts while its database is down.
//!
//! A batch may be delivered more than once, because an answer may be lost; its [`Batch::id`] is the
//! same each time. A sink that writes the id and the rows in one transaction delivers exactly once.
//!
//! | task | item |
//! | --- | --- |
//! | write a sink | [`Sink`], [`BatchLimits`], [`Needs`] |
//! | read a batch | [`Batch`] |
//! | return the outcome of a delivery | [`Delivered`], [`SinkError`] |
//! | hold sinks of several types | [`BoxSink`] |
//! | use an existing sink | [`Discard`], [`JsonLines`], and those of the crate `ragtrace-sinks` |
//! | test a sink of your own | `ragtrace::testing::sink` (feature `testing`) |

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
