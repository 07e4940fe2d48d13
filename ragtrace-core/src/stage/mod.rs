//! Stages at run time: the beginning and end of a run, and the fields recorded from its result.
//!
//! A run records exactly one start and one end. The end is recorded when its body returns, panics,
//! or is dropped before it returned. Afterwards the thread's context is what it was before.
//! Generated code calls [`open`] and then `run` or `call`. It never handles a clock, an id or a
//! queue.
//!
//! | module | contents |
//! | --- | --- |
//! | `span` | the run itself |
//! | `call`, `future`, `deferred`, `stream` | wrappers for each shape of function |
//! | `named` | stages whose names are created at run time |
//! | `manual` | runs that are begun and ended by explicit calls |
//! | `outcome`, `countable`, `typed` | reading of results |
//! | `recorder` | `record!` |
//! | `panic`, `abort`, `panic_hook`, `unwind` | handling of panics |

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
