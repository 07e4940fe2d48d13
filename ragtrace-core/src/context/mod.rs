//! Who asked, and in which trace: what every record of a request shares.
//!
//! A thread holds at most one current context. It is put there for the length of a poll or a call
//! and taken back after it, also when that one panics, so it never leaks into whatever the thread
//! does next. A context crosses tasks and threads only where the code says so: [`spawn`],
//! [`InContext::in_current_context`], [`RequestContext::scope`] and [`RequestContext::sync_scope`],
//! and where a span of somebody else's carries one along (`carried`).

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
