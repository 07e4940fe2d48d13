//! HTTP: a tower layer that makes each request a trace, and headers that carry a trace on.

mod headers;
mod inject;

pub use self::headers::extract;
pub use self::inject::{Injector, inject};
