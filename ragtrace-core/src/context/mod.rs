//! Request contexts: the ids that all records of a request share, and the current span.
//!
//! A thread has at most one current context. It is set for the length of a poll or call and removed
//! afterwards, even on panic, so it never leaks into other work on the thread. A context crosses to
//! other tasks and threads only through explicit calls: [`spawn`],
//! [`InContext::in_current_context`], [`RequestContext::scope`] and [`RequestContext::sync_scope`],
//! and through spans of the `tracing` crate that carry one (`carried`).

mod caller;
pub mod carried;
pub(crate) mod current;
pub(crate) mod entered;
mod request;
mod request_context;
mod request_id;
mod scope;
pub mod trace_flag;
mod traceparent;

pub use caller::Caller;
pub use request::{Listener, Request, SpanLink};
pub use request_context::RequestContext;
pub use request_id::RequestId;
pub use scope::{InContext, Scoped, spawn};
