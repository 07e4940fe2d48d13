//! The application's `tracing`: its events become records, and its spans carry contexts.
//!
//! The [`layer`](fn@layer) promises that it changes nothing for the layers beside it: it has no
//! hint of a level, disables nothing, and never tells a callsite that nobody listens. It judges
//! level and target when an event is there, and keeps the verdict with the callsite, so that the
//! next event of it costs a look into a table without a lock. An event without texts costs no
//! allocation. Whatever the application implements (`Debug`, `Display`, an error) is called before
//! any lock is taken, and what panics in it is caught. No event is recorded twice: a second layer
//! in one subscriber does nothing (where the subscriber tells it of the first), a line that
//! `tracing` has written to `log` besides is passed over, and what is shown of stages (`mirror`) is
//! known. Threads of ours are passed over, since what they log would come to them again without
//! end.
//!
//! Stages are spans for the layers beside it (`mirror`). A span that is made in a context carries
//! it to wherever it is entered, by [`ragtrace_core::context::carried`].
//!
//! It does not promise to see what a filter in front of all layers leaves out, such as a global
//! `EnvFilter`.
//!
//! Ground first: `ours` (threads that are passed over), `demand` (which lines somebody takes),
//! `callsite` (what is kept of one), `error_chain` and `visitor` (values of fields), `span` (what
//! is kept of a span), `log_copy` (lines that came as events already), `mirror` (stages as spans),
//! `layer`; and `capture`, for programs that have no subscriber.

mod callsite;
mod capture;
pub(crate) mod demand;
mod error_chain;
mod layer;
mod log_copy;
mod mirror;
mod ours;
mod span;
mod visitor;

pub(crate) use self::capture::capture;
pub use self::layer::{Layer, layer};
