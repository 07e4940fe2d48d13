//! The proxies that the environment names.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;

use hyper::header::HeaderValue;
use hyper::http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use crate::http::endpoint::shown;

/// The mapping from hosts to proxies.
#[derive(Debug, Default)]
pub(in crate::http) struct Proxies(Option<Matcher>);

/// The proxy for one host.
pub(super) struct Proxy {
    pub(super) uri: Uri,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxies {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` as curl does, in upper case or
    /// else in lower case.
    ///
    /// `HTTP_PROXY` in upper case is ignored in a CGI program, where the sender of a request can
    /// set it.
    ///
    /// # Errors
    ///
    /// Returns an error if one of them is not a valid proxy. The message shows no password.
    pub(in crate::http) fn from_variables(lookup: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let is_cgi = lookup("REQUEST_METHOD").is_some();
        let value = |upper: &str| {
            let names = [upper.to_owned(), upper.to_ascii_lowercase()];
            let usable = names.into_iter().filter(|name| !(is_cgi && name == "HTTP_PROXY"));
            let set = usable.filter_map(|name| {
                let text = lookup(&name)?.to_string_lossy().trim().to_owned();
                (!text.is_empty()).then_some((name, text))
            });
            set.into_iter().next()
        };
        let proxy = |upper| match value(upper) {
            Some((name, text)) => validated(&name, text),
            None => Ok(String::new()),
        };
        let (https, http, all) = (proxy("HTTPS_PROXY")?, proxy("HTTP_PROXY")?, proxy("ALL_PROXY")?);
        if https.is_empty() && http.is_empty() && all.is_empty() {
            return Ok(Self::default());
        }
        let no = value("NO_PROXY").map(|(_, text)| text).unwrap_or_default();
        Ok(Self(Some(Matcher::builder().https(https).http(http).all(all).no(no).build())))
    }

    /// Returns the proxy for a host, or `None` if it is reached directly, as this machine always
    /// is.
    pub(super) fn of(&self, uri: &Uri) -> Option<Proxy> {
        if is_loopback(uri.host()?) {
            return None;
        }
        let intercept = self.0.as_ref()?.intercept(uri)?;
        Some(Proxy { uri: intercept.uri().clone(), authorization: intercept.basic_auth().cloned() })
    }

    /// Returns the `Authorization` value for a proxy that reads the request itself.
    pub(in crate::http) fn authorization_of_request(&self, uri: &Uri) -> Option<HeaderValue> {
        self.of(uri).filter(|_| uri.scheme_str() == Some("http"))?.authorization
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let is_name = host.eq_ignore_ascii_case("localhost") || host.to_ascii_lowercase().ends_with(".localhost");
    is_name || address.is_ok_and(|address| address.is_loopback()) || host.ends_with(".socket.invalid")
}

/// Returns the text of a proxy variable if it is valid.
fn validated(name: &str, text: String) -> Result<String, String> {
    let refused = |what: &str| Err(format!("{name}: {what}: expected `http://host:port`"));
    match text.split_once("://") {
        Some((scheme, _)) if scheme.to_ascii_lowercase().starts_with("socks") => {
            return refused("SOCKS proxies are not supported");
        }
        Some((scheme, _)) if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) => {
            return refused("it is no proxy of HTTP");
        }
        _ => {}
    }
    let matcher = Matcher::builder().all(text.as_str()).build();
    if matcher.intercept(&Uri::from_static("http://host/")).is_none() {
        return refused("it is no URL");
    }
    Ok(text)
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(shown(&self.uri).trim_end_matches('/'))
    }
}
