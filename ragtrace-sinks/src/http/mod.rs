//! One HTTP client for all sinks that have one, and the judgement of what comes back.
//!
//! It promises: a request ends within its time, with an answer or with a [`SinkError`] that says
//! what the pipeline does next and what an operator reads: method, host and path, the whole cause,
//! the beginning of the answer. No key, password or query of a URL is in any error or `Debug`, also
//! where a server repeats it. A key is read anew before each request, so one that was exchanged is
//! in use with the next probe. Connections are kept and used again; one that the server closed
//! meanwhile costs no delivery. Nothing is connected, and no file is read, before the first
//! request.
//!
//! It does not: follow redirects, since the key would go along; keep cookies; ask for compressed
//! answers; read more of an answer than [`Answer::LONGEST`]; try again what failed on the way, but
//! where a connection that had been kept turned out to be closed. That, and all waiting, is the
//! pipeline's.
//!
//! | to | there is |
//! | --- | --- |
//! | say where to | [`Endpoint`] |
//! | hold a key | [`Key`] |
//! | set up | [`Client::builder`] |
//! | compress what is sent | [`Compression`], [`BodyWriter`], [`Body`] |
//! | send | [`Request`], [`Client::send`] |
//! | judge | [`Answer`], [`Verdicts`] |
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
