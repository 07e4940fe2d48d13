//! The host names under which the viewer answers.
//!
//! A page of any site can let its own host name resolve to an address on the user's machine or
//! network (DNS rebinding). The browser then treats the viewer as part of that site, and the page
//! may read what it likes. But the browser still sends the name that it asked for, so requests for
//! any other name than the viewer's own are refused.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

/// The host names that the viewer accepts.
#[derive(Debug)]
pub(crate) struct Hosts {
    names: Vec<Name>,
    /// The port that an address may have, if the viewer listens on all addresses of the machine. A
    /// name that somebody else controls is not an address.
    addresses: Option<u16>,
}

#[derive(Debug, PartialEq, Eq)]
struct Name {
    host: String,
    /// `None` for any port, as behind a proxy.
    port: Option<u16>,
}

/// The port that an address without one has (RFC 9110, section 4.2.1).
const HTTP: u16 = 80;

impl Hosts {
    /// Returns the names of a viewer that listens on `address`: the address, those of the loopback
    /// interface, and `more`, which may be a name with or without a port.
    pub(crate) fn new(address: SocketAddr, more: &[String]) -> Self {
        let own = ["localhost", "127.0.0.1", "[::1]", &literal(address.ip())];
        let own = own.into_iter().map(|host| Name { host: host.to_owned(), port: Some(address.port()) });
        let names = own.chain(more.iter().filter_map(|name| Name::parse(name))).collect();
        Self { names, addresses: address.ip().is_unspecified().then(|| address.port()) }
    }

    /// Returns `true` if a request is for one of these hosts. Its head has to name exactly one.
    pub(super) fn accept(&self, headers: &HeaderMap, target: Option<&Authority>) -> bool {
        let mut given = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (given.next(), given.next()) else { return false };
        self.contain(host.as_bytes()) && target.is_none_or(|target| self.contain(target.as_str().as_bytes()))
    }

    fn contain(&self, authority: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(authority) else { return false };
        if authority.as_str().contains('@') {
            return false;
        }
        let (host, port) = (plain(authority.host()), authority.port_u16().unwrap_or(HTTP));
        let is_address = || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        let is_name = |name: &Name| name.host == host && name.port.is_none_or(|own| own == port);
        self.names.iter().any(is_name) || (self.addresses == Some(port) && is_address())
    }
}

impl Name {
    fn parse(text: &str) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        let has_whole_port = authority.port_u16().is_some() || authority.host() == authority.as_str();
        let is_plain = !authority.host().is_empty() && !text.contains('@') && has_whole_port;
        is_plain.then(|| Self { host: plain(authority.host()), port: authority.port_u16() })
    }
}

/// Parses a host name from the command line, with or without a port.
pub(crate) fn parse(text: &str) -> Result<String, String> {
    let is_name = Name::parse(text).is_some();
    is_name.then(|| text.to_owned()).ok_or_else(|| "give a host name, such as rag.example or localhost:9000".to_owned())
}

/// Returns a host in the form in which it is compared: without case, and without the root's dot at
/// the end.
fn plain(host: &str) -> String {
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn literal(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn hosts(address: &str, more: &[&str]) -> Hosts {
        let more: Vec<String> = more.iter().map(|name| parse(name).expect(name)).collect();
        Hosts::new(address.parse().expect("an address"), &more)
    }

    fn accepts(hosts: &Hosts, host: &[u8]) -> bool {
        let headers = [(header::HOST, HeaderValue::from_bytes(host).expect("a value"))].into_iter().collect();
        hosts.accept(&headers, None)
    }

    #[test]
    fn only_names_of_its_own_are_answered_for() {
        let local = hosts("127.0.0.1:7667", &["Rag.Example", "localhost:9000"]);
        let own =
            ["127.0.0.1:7667", "LOCALHOST.:7667", "[::1]:7667", "rag.example", "rag.example:8443", "localhost:9000"];
        for host in own {
            assert!(accepts(&local, host.as_bytes()), "{host}");
        }
        let others = [
            "evil.example:7667",
            "localhost.evil.example:7667",
            "127.0.0.1.evil.example:7667",
            "",
            "10.0.0.7:7667",
            "a b",
            "127.0.0.1",
            "localhost:80",
            "localhost:7668",
            "evil@localhost:7667",
            "localhost:7667@evil",
            ":7667",
            "localhost:x",
            "127.1:7667",
            "2130706433:7667",
        ];
        for host in others {
            assert!(!accepts(&local, host.as_bytes()), "{host:?}");
        }
        assert!(!accepts(&local, b"localhost\xff:7667"));
    }

    #[test]
    fn a_request_names_one_host() {
        let local = hosts("127.0.0.1:7667", &[]);
        assert!(!local.accept(&HeaderMap::new(), None));
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_static("localhost:7667"));
        let foreign = Authority::from_static("evil.example:7667");
        assert!(!local.accept(&headers, Some(&foreign)));
        assert!(local.accept(&headers, Some(&Authority::from_static("127.0.0.1:7667"))));
        headers.append(header::HOST, HeaderValue::from_static("localhost:7667"));
        assert!(!local.accept(&headers, None));
    }

    #[test]
    fn at_all_addresses_an_address_is_answered_for_and_a_name_is_not() {
        let everywhere = hosts("0.0.0.0:7667", &[]);
        assert!(accepts(&everywhere, b"192.168.1.5:7667") && accepts(&everywhere, b"[fe80::1]:7667"));
        assert!(!accepts(&everywhere, b"evil.example:7667") && !accepts(&everywhere, b"192.168.1.5:80"));
        let one = hosts("192.168.1.5:80", &[]);
        assert!(accepts(&one, b"192.168.1.5") && !accepts(&one, b"192.168.1.6"));
    }

    #[test]
    fn what_is_not_a_host_name_is_refused_as_an_argument() {
        for text in ["", "http://rag.example", "rag.example/", "a b", "u@rag.example", ":80", "a:b"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
