//! The connection to `tracing`: the application's events become records, its spans carry contexts,
//! and stages appear as spans.
//!
//! The [`layer`](fn@layer) promises to change nothing for other layers: it has no level hint,
//! disables nothing, and never tells a callsite that nobody listens. It checks level and target
//! when an event occurs and caches the verdict for the callsite, so that the next event there costs
//! one lookup without a lock. An event without texts allocates nothing. Code of the application
//! (`Debug`, `Display`, errors) is called before any lock is taken, and its panics are caught. No
//! event is recorded twice: a second layer in a subscriber does nothing (if the subscriber tells it
//! about the first), lines that `tracing` also wrote to `log` are ignored, and stages shown as
//! spans (`mirror`) are recognized. Threads of the pipeline are ignored, because their events would
//! produce more events without end.
//!
//! Stages are spans for the other layers (`mirror`). A span that is created in a context carries
//! the context to wherever it is entered, by [`ragtrace_core::context::carried`].
//!
//! The layer does not promise to see what a filter in front of all layers leaves out, such as a
//! global `EnvFilter`.
//!
//! In order of dependency: `ours` (threads that are ignored), `demand` (the lines that some sink
//! takes), `callsite` (what is cached for a callsite), `error_chain` and `visitor` (values of
//! fields), `span` (what is stored with a span), `log_copy` (lines that already came as events),
//! `mirror` (stages as spans), `layer`; and `capture`, for programs that have no subscriber.

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
