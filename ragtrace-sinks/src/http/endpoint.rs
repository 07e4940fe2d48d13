//! The URL that requests go to, without the parts that errors must not show.

use std::error::Error;
use std::fmt::{self, Write};
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hyper::header::HeaderValue;
use hyper::http::uri::{Authority, PathAndQuery, Scheme, Uri};
use percent_encoding::percent_decode_str;

use crate::quote::quoted;

/// The longest URL in bytes, so that a path can be appended.
const LONGEST: usize = 8 * 1024;
/// The end of a host name that encodes the path of a socket, after its hexadecimal digits.
const SOCKET: &str = ".socket.invalid";

/// A URL of a backend: `http://`, `https://` or, on Unix, `unix://` and the path of a socket.
///
/// A user and password in it become an `Authorization` header. They and a query are never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl Endpoint {
    /// Returns the URL with `path` appended to its own path, which may end in a slash.
    ///
    /// # Panics
    ///
    /// Panics if `path`, which the sink itself provides, does not begin with `/` or contains
    /// characters that a path must not.
    pub fn join(&self, path: &str) -> Self {
        let own = self.uri.path().trim_end_matches('/');
        let mut joined = format!("{own}{path}");
        if let Some(query) = self.uri.query() {
            joined.push('?');
            joined.push_str(query);
        }
        let mut parts = self.uri.clone().into_parts();
        parts.path_and_query = Some(joined.parse().expect("a path"));
        let uri = Uri::from_parts(parts).expect("only the path is another");
        Self { uri, authorization: self.authorization.clone() }
    }

    /// Returns the host without the port: a name, an address, or `localhost` for a socket.
    pub fn host(&self) -> &str {
        if self.socket_path().is_some() { "localhost" } else { self.uri.host().unwrap_or_default() }
    }

    /// Returns the path, which is `/` if the URL has none.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns `true` if requests are encrypted.
    pub fn is_https(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    /// Returns `true` if scheme, host and port equal another URL's.
    pub fn has_origin_of(&self, other: &Self) -> bool {
        let origin = |uri: &Uri| {
            let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
            (uri.scheme().cloned(), uri.host().map(str::to_ascii_lowercase), uri.port_u16().unwrap_or(default))
        };
        origin(&self.uri) == origin(&other.uri)
    }

    pub(super) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    pub(super) fn socket_path(&self) -> Option<String> {
        socket_path(&self.uri)
    }
}

/// Returns the path of the socket that a URI stands for, if it does.
pub(super) fn socket_path(uri: &Uri) -> Option<String> {
    let digits = uri.host()?.strip_suffix(SOCKET)?;
    let bytes: Option<Vec<u8>> = (0..digits.len())
        .step_by(2)
        .map(|at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    String::from_utf8(bytes?).ok()
}

/// Returns a URI without user, password and query.
pub(super) fn shown(uri: &Uri) -> String {
    if let Some(path) = socket_path(uri) {
        return format!("unix://{path}{}", uri.path());
    }
    let scheme = uri.scheme().map(|scheme| format!("{scheme}://")).unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| without_user(authority.as_str()));
    let query = if uri.query().is_some() { "?…" } else { "" };
    format!("{scheme}{authority}{}{query}", uri.path())
}

fn without_user(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// Returns the value of an `Authorization` header for the user and password of a URL.
pub(super) fn basic(user: &str) -> HeaderValue {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut plain: Vec<u8> = percent_decode_str(name).collect();
    plain.push(b':');
    plain.extend(percent_decode_str(password));
    let text = format!("Basic {}", BASE64_STANDARD.encode(plain));
    let mut value = HeaderValue::from_str(&text).expect("base64 is ASCII");
    value.set_sensitive(true);
    value
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        let refused = |what: &str| EndpointError(format!("{what}, found {}", masked(text)));
        // A password with one of these characters, not encoded, would otherwise be sent to the host
        // that the user's name appears to be.
        if text.find(['?', '#']).is_some_and(|at| text[at..].contains('@')) {
            return Err(refused("expected `?`, `#` and `@` in a user, a password or a query as percent codes (`%23`)"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| refused("expected `https://host`"))?;
        match scheme.to_ascii_lowercase().as_str() {
            "unix" if !cfg!(unix) => Err(refused("expected `https://` or `http://`, since only Unix has `unix://`")),
            "unix" => of_socket(rest).ok_or_else(|| refused("expected `unix://` and the absolute path of a socket")),
            "http" | "https" => {
                of_host(text).ok_or_else(|| refused("expected `https://host`, perhaps with a port and a path"))
            }
            _ => Err(refused("expected `https://`, `http://` or `unix://`")),
        }
    }
}

fn of_host(text: &str) -> Option<Endpoint> {
    if text.len() > LONGEST {
        return None;
    }
    let text = text.split('#').next().unwrap_or(text);
    let uri: Uri = text.parse().ok()?;
    let mut parts = uri.into_parts();
    let authority = parts.authority.take()?;
    let host = without_user(authority.as_str());
    let is_port = |port: &str| port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    let port = host.strip_prefix(authority.host())?;
    if authority.host().is_empty() || !(port.is_empty() || is_port(port)) {
        return None;
    }
    let authorization = authority.as_str().rsplit_once('@').map(|(user, _)| basic(user));
    parts.authority = Some(host.parse::<Authority>().ok()?);
    if parts.path_and_query.is_none() {
        parts.path_and_query = Some(PathAndQuery::from_static("/"));
    }
    Some(Endpoint { uri: Uri::from_parts(parts).ok()?, authorization })
}

fn of_socket(path: &str) -> Option<Endpoint> {
    // A host name has at most 255 bytes and a socket's path 108, so twice that always fits.
    if !path.starts_with('/') || path.len() > 108 {
        return None;
    }
    let mut host = String::new();
    for byte in path.bytes() {
        write!(host, "{byte:02x}").expect("writing to a text cannot fail");
    }
    host.push_str(SOCKET);
    let uri = Uri::builder().scheme(Scheme::HTTP).authority(host).path_and_query("/").build().ok()?;
    Some(Endpoint { uri, authorization: None })
}

/// Returns an invalid URL in a form that an error may quote. Whatever may be a user, a password or
/// a query is left out, even if a character in it ends the host of the URL.
fn masked(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (format!("{scheme}://"), rest),
        Some(_) => return quoted(text),
        None => (String::new(), text),
    };
    let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
    // After these characters comes the rest of a password or a query, and not a host.
    let is_host = !user.is_some_and(|user| user.contains(['?', '#']));
    let rest = if is_host { rest.split(['?', '#']).next().unwrap_or_default() } else { "" };
    match (user, scheme.is_empty()) {
        (Some(_), _) if is_host => format!("{:?}", format!("{scheme}…@{rest}")),
        (Some(_), _) => format!("{:?}", format!("{scheme}…")),
        (None, true) if !is_host_and_port(rest) => quoted(rest),
        (None, _) => format!("{:?}", format!("{scheme}{rest}")),
    }
}

/// Returns `true` if the text can be the scheme of a URL (RFC 3986, "Scheme").
fn is_scheme(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_host_and_port(text: &str) -> bool {
    let is_host = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    text.split_once(':').is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok())
}

impl fmt::Display for Endpoint {
    /// Writes the URL without user, password and query, and without a slash at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(shown(&self.uri).trim_end_matches('/'))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// The error of a malformed URL. It says what was expected, and shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointError(String);

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for EndpointError {}
