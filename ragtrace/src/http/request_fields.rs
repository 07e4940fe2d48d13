//! The fields of a request's start.

use std::borrow::Cow;
use std::net::IpAddr;

use http::request::Parts;
use http::{Version, header};
use ragtrace_core::value::FieldBuffer;

use super::fields::{LONGEST_TEXT, at, header_text, known_method};
use super::grpc;
use super::settings::Settings;
use super::text::bounded;

/// The maximum length of an unknown method that is recorded, in bytes.
const LONGEST_METHOD: usize = 64;
/// The maximum length of a host name in bytes (RFC 1035, section 3.1).
const LONGEST_HOST: usize = 255;

/// Writes the fields of a request's start.
pub(super) struct RequestFields<'a> {
    pub(super) settings: &'a Settings,
    pub(super) route: Option<&'a str>,
    pub(super) client_address: Option<IpAddr>,
}

impl RequestFields<'_> {
    pub(super) fn write(&self, parts: &Parts, buffer: &mut FieldBuffer) {
        let method = known_method(&parts.method);
        buffer.set(at::METHOD, method);
        if method == "_OTHER" {
            buffer.set(at::METHOD_ORIGINAL, &*bounded(parts.method.as_str(), LONGEST_METHOD));
        }
        if let Some(route) = self.route {
            buffer.set(at::ROUTE, &*bounded(route, LONGEST_TEXT));
        }
        self.write_url(parts, buffer);
        buffer.set(at::PROTOCOL_VERSION, &version(parts.version));
        if let Some(address) = self.client_address {
            buffer.set(at::CLIENT_ADDRESS, &*address.to_string());
        }
        if let Some(agent) = parts.headers.get(header::USER_AGENT) {
            let agent = match str::from_utf8(agent.as_bytes()) {
                Ok(agent) => Cow::Borrowed(agent),
                Err(_) => String::from_utf8_lossy(agent.as_bytes()),
            };
            buffer.set(at::USER_AGENT, &*bounded(&agent, LONGEST_TEXT));
        }
        if parts.headers.get(header::CONTENT_TYPE).is_some_and(grpc::is_grpc) {
            buffer.set(at::RPC_SYSTEM, "grpc");
            let method = parts.uri.path().trim_start_matches('/');
            buffer.set(at::RPC_METHOD, &*bounded(method, LONGEST_TEXT));
        }
        let names = self.settings.request_headers.iter();
        for (index, name) in (at::HEADERS..).zip(names) {
            buffer.set(index, &header_text(&parts.headers, name));
        }
    }

    fn write_url(&self, parts: &Parts, buffer: &mut FieldBuffer) {
        let path = parts.uri.path();
        if !path.is_empty() {
            buffer.set(at::PATH, &*bounded(path, LONGEST_TEXT));
        }
        if self.settings.has_query
            && let Some(query) = parts.uri.query()
        {
            buffer.set(at::QUERY, &*bounded(query, LONGEST_TEXT));
        }
        buffer.set(at::SCHEME, &parts.uri.scheme_str());
        let authority = match parts.uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()),
        };
        if let Some((host, port)) = authority.and_then(host_and_port) {
            buffer.set(at::SERVER_ADDRESS, host);
            buffer.set(at::SERVER_PORT, &port);
        }
    }
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

/// Parses an authority (RFC 3986, section 3.2) without its user information, which may contain a
/// password. Returns `None` if the host cannot be one.
fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        || host.parse::<IpAddr>().is_ok();
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
}
