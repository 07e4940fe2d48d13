//! The HTTP client that all HTTP sinks share, and the verdicts on answers.
//!
//! A request ends within its time, either with an answer or with a [`SinkError`]. The error tells
//! the pipeline what to do next, and tells an operator the method, host and path, the complete
//! cause, and the beginning of the answer. No error and no `Debug` output contains a key, a
//! password, or a URL's query, even if a server repeats it.
//!
//! A key is read again before each request, so a key that was rotated is used with the next
//! request. Connections are reused. If a server has closed one meanwhile, no delivery fails for
//! that. Nothing is connected, and no file is read, before the first request.
//!
//! The client does not follow redirects, since the key would go along; does not keep cookies; does
//! not ask for compressed answers; and does not read more of an answer than [`Answer::LONGEST`]. It
//! does not retry, except when a reused connection turned out to be closed. All other retries, and
//! all waiting, are up to the pipeline.
//!
//! | purpose | type |
//! | --- | --- |
//! | the destination | [`Endpoint`] |
//! | a key | [`Key`] |
//! | the settings | [`Client::builder`] |
//! | compressing a body | [`Compression`], [`BodyWriter`], [`Body`] |
//! | sending | [`Request`], [`Client::send`] |
//! | judging | [`Answer`], [`Verdicts`] |
//!
//! [`SinkError`]: ragtrace::sink::SinkError

mod answer;
mod blocking;
mod body;
mod cause;
mod client;
mod connect;
mod endpoint;
mod key;
mod request;
mod retry_after;
mod secrets;
#[cfg(test)]
mod tests;
mod verdicts;

pub use answer::Answer;
pub use body::{Body, BodyWriter, Compression};
pub use client::{Client, ClientBuilder};
pub use endpoint::{Endpoint, EndpointError};
pub use key::Key;
pub use request::Request;
pub use verdicts::{Row, Verdicts};
