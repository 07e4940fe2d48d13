//! A server over real connections, for tests of the layer for HTTP services, and the records of its
//! requests.

mod client;
mod requests;
mod server;

pub use client::{Answer, Protocol};
pub use requests::{Request, Requests};
pub use server::{Server, served};
