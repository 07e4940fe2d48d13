//! HTTP: a tower layer that makes each request a trace, and headers that carry a trace on.

mod body;
mod exchange;
mod failure;
mod fields;
mod future;
mod grpc;
mod headers;
mod identity;
mod inject;
mod layer;
mod request_fields;
mod route;
mod service;
mod settings;
mod text;

pub use body::ResponseBody;
pub use future::ResponseFuture;
pub use headers::extract;
pub use inject::{Injector, inject};
pub use layer::TraceLayer;
pub use service::Trace;
