//! The failure of a request, as its end record describes it.

#![expect(clippy::unnecessary_box_returns, reason = "an end takes it in a box")]

use std::any::Any;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::Arc;

use http::StatusCode;
use ragtrace_core::__private::ErrorProbe;
use ragtrace_core::{ErrorInfo, Failure};

use super::grpc::GrpcStatus;

/// Returns the failure of a response with this status.
pub(super) fn of_status(status: StatusCode) -> Box<Failure> {
    let message = status.canonical_reason().unwrap_or_default().to_owned();
    Box::new(Failure::new(ErrorInfo::new(status.as_str().to_owned(), message, Vec::new())))
}

/// Returns the failure of a response with this gRPC status.
pub(super) fn of_grpc(status: &GrpcStatus) -> Box<Failure> {
    Box::new(Failure::new(ErrorInfo::new(status.name, status.message.clone(), Vec::new())))
}

/// Returns the failure of a body that ended after `sent` of `length` bytes.
pub(super) fn of_length(sent: u64, length: u64) -> Box<Failure> {
    let message = format!("the body ended after {sent} of {length} bytes");
    Box::new(Failure::new(ErrorInfo::new("IncompleteBody", message, Vec::new())))
}

/// Returns the failure of an error that the service or a body returned.
///
/// Boxed errors, which most services return, do not implement `Error`, so the bound can only be
/// `Display`. The sources are read from the types that are known to have them. Of other errors only
/// the text is recorded, and if they are boxed, their sources too.
pub(super) fn of_error<E: Display + 'static>(error: &E) -> Box<Failure> {
    macro_rules! known {
        ($($known:ty),*) => {
            $(if let Some(error) = (error as &dyn Any).downcast_ref::<$known>() {
                return ErrorProbe::new(error).capture();
            })*
        };
    }
    known!(Box<dyn Error + Send + Sync>, Box<dyn Error + Send>, Box<dyn Error>);
    known!(Arc<dyn Error + Send + Sync>, io::Error, http::Error);
    #[cfg(feature = "anyhow")]
    known!(ragtrace_core::__private::AnyhowError);
    #[cfg(feature = "axum")]
    known!(axum::Error);
    ErrorProbe::new(error).capture()
}
