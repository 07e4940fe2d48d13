//! The fields of a request's records, by the names of OpenTelemetry's semantic conventions for HTTP (stable) and RPC (release
//! candidate), and how a request and its answer fill them.

use std::borrow::Cow;
use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Version, header};
use ragtrace_core::{FieldDescriptor, StageDescriptor, ToValue, value::FieldBuffer};

use super::grpc;
use super::settings::{Settings, bounded};

/// The fields of every request. Those of the answer that are numbers and belong to `context` are declared as the start's.
pub(super) const FIELDS: [FieldDescriptor; 18] = [
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
    pub(crate) const METHOD: usize = 0;
    pub(crate) const METHOD_ORIGINAL: usize = 1;
    pub(crate) const ROUTE: usize = 2;
    pub(crate) const PATH: usize = 3;
    pub(crate) const QUERY: usize = 4;
    pub(crate) const SCHEME: usize = 5;
    pub(crate) const SERVER_ADDRESS: usize = 6;
    pub(crate) const SERVER_PORT: usize = 7;
    pub(crate) const CLIENT_ADDRESS: usize = 8;
    pub(crate) const PROTOCOL_VERSION: usize = 9;
    pub(crate) const USER_AGENT: usize = 10;
    pub(crate) const RPC_SYSTEM: usize = 11;
    pub(crate) const RPC_METHOD: usize = 12;
    pub(crate) const STATUS: usize = 13;
    pub(crate) const RPC_STATUS: usize = 14;
    pub(crate) const HEAD_MS: usize = 15;
    pub(crate) const REQUEST_SIZE: usize = 16;
    pub(crate) const RESPONSE_SIZE: usize = 17;
    /// Those of recorded headers begin here.
    pub(crate) const HEADERS: usize = 18;
}

/// The longest path, query, header or name of a user agent that is recorded, in bytes.
const LONGEST_TEXT: usize = 2_048;
/// The longest method that nobody knows that is recorded, in bytes.
const LONGEST_METHOD: usize = 64;
/// The longest name of a host, in bytes (RFC 1035, section 3.1).
const LONGEST_HOST: usize = 255;

/// Returns the method's name, or `_OTHER` for one that neither RFC 9110 nor RFC 5789 defines.
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

/// Declares the field of a header that is recorded.
pub(super) fn captured_header(prefix: &str, name: &HeaderName) -> FieldDescriptor {
    FieldDescriptor::start(format!("{prefix}{name}").leak())
}

/// Which indices the fields of a layer have in the descriptor of a stage. They are its own unless somebody else, such as another
/// layer that records other headers, made the stage of that name first.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldMap {
    ours: &'static [FieldDescriptor],
    declared: &'static [FieldDescriptor],
}

impl FieldMap {
    pub(super) fn new(template: &StageDescriptor, stage: &StageDescriptor) -> Self {
        Self { ours: template.fields(), declared: stage.fields() }
    }

    /// Returns the index in the stage's descriptor of the field that is the layer's at `index`.
    pub(super) fn index(self, index: usize) -> Option<u16> {
        if std::ptr::eq(self.ours, self.declared) {
            return u16::try_from(index).ok();
        }
        let name = self.ours.get(index)?.name();
        let index = self.declared.iter().position(|field| field.name() == name)?;
        u16::try_from(index).ok()
    }
}

/// Writes the fields of a request's start.
pub(super) struct RequestFields<'a> {
    pub(super) settings: &'a Settings,
    pub(super) map: FieldMap,
    pub(super) route: Option<&'a str>,
}

impl RequestFields<'_> {
    pub(super) fn write(&self, parts: &Parts, buffer: &mut FieldBuffer) {
        let method = known_method(&parts.method);
        self.set(buffer, at::METHOD, method);
        if method == "_OTHER" {
            self.set(buffer, at::METHOD_ORIGINAL, &*bounded(parts.method.as_str(), LONGEST_METHOD));
        }
        self.set(buffer, at::ROUTE, &self.route);
        self.write_url(parts, buffer);
        self.set(buffer, at::PROTOCOL_VERSION, &version(parts.version));
        let address = self.settings.client_address(parts);
        if let Some(address) = address {
            self.set(buffer, at::CLIENT_ADDRESS, &*address.to_string());
        }
        if let Some(agent) = parts.headers.get(header::USER_AGENT) {
            self.set(buffer, at::USER_AGENT, &*bounded(&String::from_utf8_lossy(agent.as_bytes()), LONGEST_TEXT));
        }
        if grpc::is_grpc(&parts.headers) {
            self.set(buffer, at::RPC_SYSTEM, "grpc");
            let method = parts.uri.path().trim_start_matches('/');
            self.set(buffer, at::RPC_METHOD, &*bounded(method, LONGEST_TEXT));
        }
        let names = self.settings.request_headers.iter();
        for (index, name) in (at::HEADERS..).zip(names) {
            self.set(buffer, index, &header_text(&parts.headers, name));
        }
    }

    fn write_url(&self, parts: &Parts, buffer: &mut FieldBuffer) {
        let path = parts.uri.path();
        if !path.is_empty() {
            self.set(buffer, at::PATH, &*bounded(path, LONGEST_TEXT));
        }
        if self.settings.has_query
            && let Some(query) = parts.uri.query()
        {
            self.set(buffer, at::QUERY, &*bounded(query, LONGEST_TEXT));
        }
        self.set(buffer, at::SCHEME, &parts.uri.scheme_str());
        let authority = match parts.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        };
        if let Some((host, port)) = authority.and_then(host_and_port) {
            self.set(buffer, at::SERVER_ADDRESS, host);
            self.set(buffer, at::SERVER_PORT, &port);
        }
    }

    fn set(&self, buffer: &mut FieldBuffer, index: usize, value: &(impl ToValue + ?Sized)) {
        if let Some(index) = self.map.index(index) {
            buffer.set(index, value);
        }
    }
}

/// Returns the values of a header that an application asked for, joined as RFC 9110 (section 5.3) does. Credentials are none that
/// anybody may ask for.
pub(super) fn header_text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    let texts: Vec<Cow<'_, str>> = values
        .filter(|value| !value.is_sensitive())
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    Some(bounded(&texts.join(", "), LONGEST_TEXT).into_owned())
}

/// Returns true for a header that carries credentials.
pub(super) fn is_credential(name: &HeaderName) -> bool {
    const CREDENTIALS: [HeaderName; 4] =
        [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE];
    CREDENTIALS.contains(name)
}

/// Returns the length that a message says its body has.
pub(super) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// Reads an authority (RFC 3986, section 3.2) without its user, whose password may stand there. A host that cannot be one is none.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_host = host.parse::<IpAddr>().is_ok()
        || host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let port = port.and_then(|port| port.parse().ok());
    (is_host && !host.is_empty() && host.len() <= LONGEST_HOST).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_read_without_its_user() {
        let cases = [
            ("example.org", Some(("example.org", None))),
            ("example.org:8080", Some(("example.org", Some(8080)))),
            ("alice:secret@example.org:80", Some(("example.org", Some(80)))),
            ("[::1]:443", Some(("::1", Some(443)))),
            ("[::1]", Some(("::1", None))),
            ("127.0.0.1:99999", Some(("127.0.0.1", None))),
            ("", None),
            (":80", None),
            ("a b", None),
            ("a/../b", None),
        ];
        for (authority, expected) in cases {
            assert_eq!(host_and_port(authority), expected, "{authority:?}");
        }
        assert_eq!(host_and_port(&"x".repeat(256)), None);
    }

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
        assert_eq!(named.len(), at::HEADERS);
        for (index, name) in named {
            assert_eq!(FIELDS[index].name(), name);
        }
    }
}
