//! A RAG service, traced: upload documents and ask questions in a page.
//!
//! The work is that of the crate `ragtrace_examples`; here it is served over HTTP. Each request is
//! one trace, from ragtrace's HTTP layer down to the stages of the pipeline, and whoever made it
//! can follow it while it runs.
//!
//! | to see how | look at |
//! | --- | --- |
//! | a request becomes a trace, with its user and tenant | `api/trace.rs` |
//! | a sink of one's own is written | [`live`] |
//! | a trace is followed while it runs | `api/events.rs` |
//! | a thumb becomes a score | `api/feedback.rs` |
//! | uploads are taken in without trusting them | `upload` |
//! | connections and requests are bounded | `accept.rs`, `api/in_time.rs`, `upload/part_head.rs` |
//! | a service ends without losing a record | `serve.rs`, `shutdown.rs` |

pub mod live;
pub mod settings;

mod accept;
mod api;
mod app;
mod history;
mod identity;
mod page;
mod run_view;
mod serve;
mod shutdown;
mod trace_view;
mod upload;

pub use serve::run;
pub use settings::Settings;
