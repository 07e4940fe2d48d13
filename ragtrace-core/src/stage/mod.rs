//! A stage at run time: how a run of it begins and ends, and what is recorded of its result.
//!
//! A run records exactly one start and one end. Its end is recorded when its body returns, panics,
//! or is dropped before it returned; the thread's context is then what it was before. Generated
//! code calls [`open`] and one of `run` and `call`; it never sees a clock, an id or a queue.
//!
//! `span` is the run; `call`, `future`, `deferred` and `stream` are the shapes of function around
//! it; `named` runs stages whose names are made at run time, and `manual` runs that are begun and
//! ended by hand; `outcome`, `countable` and `typed` read results; `recorder` is `record!`;
//! `panic`, `abort` and `panic_hook` are for panics.

pub mod abort;
mod call;
mod countable;
mod deferred;
mod future;
mod manual;
mod named;
mod outcome;
mod panic;
pub mod panic_hook;
mod recorder;
mod span;
mod stream;
mod typed;
mod unwind;

pub use call::is_large;
pub use countable::Countable;
pub use deferred::open_deferred;
pub use future::run;
pub use manual::{EnteredRun, ManualRun};
pub use named::NamedStage;
pub use outcome::{CountProbe, ErrorProbe, Probe};
pub use recorder::{record, record_cost, record_count};
pub use span::{Ending, open, open_bare, start_fields};
