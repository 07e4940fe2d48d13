//! A traced RAG service: upload documents and ask questions on a web page.
//!
//! The pipeline is that of the crate `ragtrace_examples`; here it is served over HTTP. Each request
//! is one trace, from ragtrace's HTTP layer down to the stages of the pipeline, and its sender can
//! follow it while it runs.
//!
//! | to learn how | look at |
//! | --- | --- |
//! | a request becomes a trace, with its user and tenant | `api/trace.rs` |
//! | to write a custom sink | [`live`] |
//! | to follow a trace while it runs | `api/events.rs` |
//! | a thumb becomes a score | `api/feedback.rs` |
//! | to accept uploads without trusting them | `upload` |
//! | to limit connections and requests | `accept.rs`, `api/in_time.rs`, `upload/part_head.rs` |
//! | to end a service without losing a record | `serve.rs`, `shutdown.rs` |

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
