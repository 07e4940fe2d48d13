//! Refuses requests whose host name is not the service's.
//!
//! A page of any site can let its own host name resolve to an address on the user's machine or
//! network (DNS rebinding). The browser then treats the service as the same site, and the page may
//! send and read what it likes. But the browser still sends the name that it asked for. So if the
//! address of a client is all that keeps strangers out, requests for any other name are refused.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use crate::settings::Settings;

/// The host names that the service accepts.
#[derive(Debug, Clone)]
pub(crate) enum Hosts {
    /// All names, since tokens decide who may use the service.
    All,
    Named(Arc<Names>),
}

#[derive(Debug)]
pub(crate) struct Names {
    names: Vec<String>,
    /// `true` if the service listens on all addresses of the machine. It then accepts any address
    /// as a host, since a name under foreign control is not an address.
    takes_addresses: bool,
}

impl Hosts {
    /// Returns the host names of a service that listens on `address`.
    pub(crate) fn of(settings: &Settings, address: SocketAddr) -> Self {
        if settings.has_tokens() && !address.ip().is_loopback() {
            return Self::All;
        }
        let listen = settings.listen.rsplit_once(':').map_or(&*settings.listen, |(host, _port)| host);
        let own = ["localhost", "127.0.0.1", "[::1]", listen, &literal(address.ip())].map(str::to_owned);
        let names = own.into_iter().chain(settings.hosts.iter().cloned()).map(|name| plain(&name)).collect();
        Self::Named(Arc::new(Names { names, takes_addresses: address.ip().is_unspecified() }))
    }

    fn contain(&self, headers: &HeaderMap, authority: Option<&Authority>) -> bool {
        let Self::Named(names) = self else { return true };
        let mut given = headers.get_all(header::HOST).iter();
        match (authority, given.next(), given.next()) {
            (None, Some(host), None) => names.contain(host.as_bytes()),
            (Some(authority), None, None) => names.contain(authority.as_str().as_bytes()),
            (Some(authority), Some(host), None) => {
                names.contain(authority.as_str().as_bytes()) && names.contain(host.as_bytes())
            }
            (_, _, Some(_)) | (None, None, None) => false,
        }
    }
}

impl Names {
    fn contain(&self, authority: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(authority) else { return false };
        let host = plain(authority.host());
        let is_address = || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        self.names.contains(&host) || (self.takes_addresses && is_address())
    }
}

/// Returns a host in the form in which it is compared: without case, and without the root's dot at
/// the end.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn literal(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

/// Refuses a request for another host, whatever its method.
pub(super) async fn check(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.contain(request.headers(), request.uri().authority()) {
        return next.run(request).await;
    }
    let detail = "this service is not the host that the request is for; name it with --host if it is";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use clap::Parser;

    use super::*;

    fn hosts(arguments: &[&str], address: &str) -> Hosts {
        let settings = Settings::parse_from(["server"].iter().chain(arguments));
        Hosts::of(&settings, address.parse().expect("an address"))
    }

    fn contain(hosts: &Hosts, host: &str) -> bool {
        let headers = [(header::HOST, HeaderValue::from_str(host).expect("a value"))].into_iter().collect();
        hosts.contain(&headers, None)
    }

    #[test]
    fn only_names_of_ours_are_answered_for() {
        let local = hosts(&["--host", "Rag.Example"], "127.0.0.1:8080");
        for host in ["127.0.0.1:8080", "localhost", "LOCALHOST.:1", "[::1]:8080", "rag.example:8080", "127.0.0.1"] {
            assert!(contain(&local, host), "{host}");
        }
        for host in
            ["evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "", "10.0.0.7", "a b", ":80"]
        {
            assert!(!contain(&local, host), "{host:?}");
        }
        assert!(!local.contain(&HeaderMap::new(), None));
        let authority = Authority::from_static("evil.example");
        let headers = [(header::HOST, HeaderValue::from_static("localhost"))].into_iter().collect();
        assert!(!local.contain(&headers, Some(&authority)));
        let twice = ["localhost", "evil.example"].map(|host| (header::HOST, HeaderValue::from_static(host)));
        let mut headers = HeaderMap::new();
        for (name, value) in twice {
            headers.append(name, value);
        }
        assert!(!local.contain(&headers, None));
    }

    #[test]
    fn at_all_addresses_an_address_is_answered_for_and_a_name_is_not() {
        let everywhere = hosts(&["--listen", "0.0.0.0:8080"], "0.0.0.0:8080");
        assert!(contain(&everywhere, "192.168.1.5:8080") && contain(&everywhere, "[fe80::1]:8080"));
        assert!(!contain(&everywhere, "evil.example:8080"));
        let token = ["--token", "secret=acme/alice"];
        assert!(contain(&hosts(&token, "0.0.0.0:8080"), "rag.example"), "tokens keep strangers out");
        assert!(!contain(&hosts(&token, "127.0.0.1:8080"), "rag.example"));
    }
}
