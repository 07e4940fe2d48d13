//! The status of a gRPC call, which is in the head of a response without a body, and in the
//! trailers of any other (gRPC over HTTP/2, section "Responses").

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;

use super::text::bounded;

static STATUS: HeaderName = HeaderName::from_static("grpc-status");
static MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The maximum length of a recorded status message, in bytes.
const LONGEST_MESSAGE: usize = 2_048;

/// The names of the status codes, by number (`google.rpc.Code`).
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
const UNKNOWN: &str = NAMES[2];
/// The codes that are errors of the server (OpenTelemetry, "Semantic conventions for gRPC", server
/// spans).
const SERVER_ERRORS: [&str; 6] =
    ["UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"];

/// The status of a call.
#[derive(Clone, Debug)]
pub(super) struct GrpcStatus {
    pub(super) name: &'static str,
    /// The server's message, which may be empty.
    pub(super) message: String,
}

impl GrpcStatus {
    /// Reads the status from the head or the trailers of a response. An unknown code is `UNKNOWN`,
    /// as it is for clients.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get(&STATUS)?;
        let number = code.to_str().ok().and_then(|code| code.parse::<usize>().ok());
        let name = number.and_then(|number| NAMES.get(number)).copied().unwrap_or(UNKNOWN);
        let message =
            headers.get(&MESSAGE).map_or(Cow::Borrowed(&b""[..]), |message| percent_decode(message.as_bytes()).into());
        Some(Self { name, message: bounded(&String::from_utf8_lossy(&message), LONGEST_MESSAGE).into_owned() })
    }

    /// Returns the status that a client assumes if the server sent none.
    pub(super) fn missing() -> Self {
        Self { name: UNKNOWN, message: "the response ended without a status".to_owned() }
    }

    /// Returns `true` if the status is an error of the server.
    pub(super) fn is_server_error(&self) -> bool {
        SERVER_ERRORS.contains(&self.name)
    }
}

/// Returns `true` if the `content-type` is that of gRPC-Web.
pub(super) fn is_grpc_web(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc-web");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'-' | b'+' | b';')))
}

/// Returns `true` if the `content-type` is that of gRPC. In gRPC-Web, which is not included, the
/// trailers are part of the body.
pub(super) fn is_grpc(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}
