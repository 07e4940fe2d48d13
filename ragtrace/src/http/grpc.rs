//! gRPC: the status of a call, which is in the head of an answer without a body, and in the
//! trailers of any other (gRPC over HTTP/2, section "Responses").

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;

use super::text::bounded;

static STATUS: HeaderName = HeaderName::from_static("grpc-status");
static MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The longest message of a status that is recorded, in bytes.
const LONGEST_MESSAGE: usize = 2_048;

/// The names of status codes, by number (`google.rpc.Code`).
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
/// The codes that are the server's fault (OpenTelemetry, "Semantic conventions for gRPC", server
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
    /// Reads the status in the head or the trailers of an answer. A code that nobody knows is
    /// `UNKNOWN`, as it is for clients.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let code = headers.get(&STATUS)?;
        let number = code.to_str().ok().and_then(|code| code.parse::<usize>().ok());
        let name = number.and_then(|number| NAMES.get(number)).copied().unwrap_or(UNKNOWN);
        let message =
            headers.get(&MESSAGE).map_or(Cow::Borrowed(&b""[..]), |message| percent_decode(message.as_bytes()).into());
        Some(Self { name, message: bounded(&String::from_utf8_lossy(&message), LONGEST_MESSAGE).into_owned() })
    }

    /// The status that a client makes up where the server sent none.
    pub(super) fn missing() -> Self {
        Self { name: UNKNOWN, message: "the answer ended without a status".to_owned() }
    }

    /// Returns whether the server is to blame.
    pub(super) fn is_server_error(&self) -> bool {
        SERVER_ERRORS.contains(&self.name)
    }
}

/// Returns whether a message is of gRPC-Web by the value of its `content-type`.
pub(super) fn is_grpc_web(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc-web");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'-' | b'+' | b';')))
}

/// Returns whether a message is of gRPC by the value of its `content-type`. In gRPC-Web the
/// trailers are a part of the body.
pub(super) fn is_grpc(content_type: &HeaderValue) -> bool {
    let rest = content_type.as_bytes().strip_prefix(b"application/grpc");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}
