//! The fields of a request's records, named after OpenTelemetry's semantic conventions for HTTP
//! (stable) and RPC (release candidate).

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use ragtrace_core::FieldDescriptor;

use super::text::bounded;

/// The fields of every request. Fields of the response that are numbers but belong in `context` are
/// declared as fields of the start.
pub(super) static FIELDS: [FieldDescriptor; 18] = [
    FieldDescriptor::start("http.request.method"),
    FieldDescriptor::start("http.request.method_original"),
    FieldDescriptor::start("http.route"),
    FieldDescriptor::start("url.path"),
    FieldDescriptor::start("url.query"),
    FieldDescriptor::start("url.scheme"),
    FieldDescriptor::start("server.address"),
    FieldDescriptor::start("server.port"),
    FieldDescriptor::start("client.address"),
    FieldDescriptor::start("network.protocol.version"),
    FieldDescriptor::start("user_agent.original"),
    FieldDescriptor::start("rpc.system.name"),
    FieldDescriptor::start("rpc.method"),
    FieldDescriptor::start("http.response.status_code"),
    FieldDescriptor::ok("rpc.status_code"),
    FieldDescriptor::ok("head_ms"),
    FieldDescriptor::ok("http.request.body.size"),
    FieldDescriptor::ok("http.response.body.size"),
];

/// Indices into [`FIELDS`].
pub(super) mod at {
    pub(crate) const METHOD: u16 = 0;
    pub(crate) const METHOD_ORIGINAL: u16 = 1;
    pub(crate) const ROUTE: u16 = 2;
    pub(crate) const PATH: u16 = 3;
    pub(crate) const QUERY: u16 = 4;
    pub(crate) const SCHEME: u16 = 5;
    pub(crate) const SERVER_ADDRESS: u16 = 6;
    pub(crate) const SERVER_PORT: u16 = 7;
    pub(crate) const CLIENT_ADDRESS: u16 = 8;
    pub(crate) const PROTOCOL_VERSION: u16 = 9;
    pub(crate) const USER_AGENT: u16 = 10;
    pub(crate) const RPC_SYSTEM: u16 = 11;
    pub(crate) const RPC_METHOD: u16 = 12;
    pub(crate) const STATUS: u16 = 13;
    pub(crate) const RPC_STATUS: u16 = 14;
    pub(crate) const HEAD_MS: u16 = 15;
    pub(crate) const REQUEST_SIZE: u16 = 16;
    pub(crate) const RESPONSE_SIZE: u16 = 17;
    /// The index of the first recorded header.
    pub(crate) const HEADERS: u16 = 18;
}

/// The maximum length of a recorded path, query, header or user agent, in bytes.
pub(super) const LONGEST_TEXT: usize = 2_048;

/// Returns the name of the method, or `_OTHER` for a method that neither RFC 9110 nor RFC 5789
/// defines.
pub(super) fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

/// Declares the field of a recorded header.
pub(super) fn captured_header(prefix: &str, name: &HeaderName) -> FieldDescriptor {
    FieldDescriptor::start(format!("{prefix}{name}").leak())
}

/// Returns the values of a header, joined as in RFC 9110 (section 5.3). Headers with credentials
/// are never recorded, even if the application asks for them.
pub(super) fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter().filter(|value| !value.is_sensitive());
    let mut text = beginning(values.next()?).into_owned();
    for value in values {
        // The text is long enough to be cut at the limit.
        if text.len() > LONGEST_TEXT {
            break;
        }
        text.push_str(", ");
        text.push_str(&beginning(value));
    }
    Some(bounded(&text, LONGEST_TEXT).into_owned())
}

/// Returns the part of a value that may be recorded, and a little more, so that the text is
/// recognized as too long.
fn beginning(value: &HeaderValue) -> Cow<'_, str> {
    let bytes = value.as_bytes();
    String::from_utf8_lossy(&bytes[..bytes.len().min(2 * LONGEST_TEXT)])
}

/// Returns `true` for a header that carries credentials.
pub(super) fn is_credential(name: &HeaderName) -> bool {
    static CREDENTIALS: [HeaderName; 4] =
        [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE];
    CREDENTIALS.contains(name)
}

/// Returns the length of the body that the message's headers give.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_indices_are_those_of_the_fields() {
        let named = [
            (at::METHOD, "http.request.method"),
            (at::METHOD_ORIGINAL, "http.request.method_original"),
            (at::ROUTE, "http.route"),
            (at::PATH, "url.path"),
            (at::QUERY, "url.query"),
            (at::SCHEME, "url.scheme"),
            (at::SERVER_ADDRESS, "server.address"),
            (at::SERVER_PORT, "server.port"),
            (at::CLIENT_ADDRESS, "client.address"),
            (at::PROTOCOL_VERSION, "network.protocol.version"),
            (at::USER_AGENT, "user_agent.original"),
            (at::RPC_SYSTEM, "rpc.system.name"),
            (at::RPC_METHOD, "rpc.method"),
            (at::STATUS, "http.response.status_code"),
            (at::RPC_STATUS, "rpc.status_code"),
            (at::HEAD_MS, "head_ms"),
            (at::REQUEST_SIZE, "http.request.body.size"),
            (at::RESPONSE_SIZE, "http.response.body.size"),
        ];
        assert_eq!(named.len(), usize::from(at::HEADERS));
        for (index, name) in named {
            assert_eq!(FIELDS[usize::from(index)].name(), name);
        }
    }
}
