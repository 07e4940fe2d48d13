//! Tests of proxies that the environment names.

use ragtrace::sink::Verdict;
use ragtrace_sinks_support::{Answer, Authority, Proxy, Server};

use super::{builder, post, send, with_variables};
use crate::http::{Client, Verdicts};

/// Returns a client in an environment with one variable.
fn through(variable: &str, proxy: &str) -> Client {
    with_variables(&[(variable, proxy)])
}

#[test]
fn https_goes_through_a_tunnel_with_the_proxys_user() {
    let authority = Authority::new();
    let server = Server::builder().tls(authority.certificate("backend.test")).start(|_| Answer::status(202));
    let proxy = Proxy::start(server.address(), None);
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let (file, url) = (authority.file(), proxy.url("alice:hunter%202"));
        let variables = [(variable, url.as_str()), ("SSL_CERT_FILE", file.to_str().expect("a path"))];
        let answer = send(&with_variables(&variables), &post("https://backend.test/in")).expect("an answer");
        assert_eq!(answer.status(), 202, "{variable}");
    }
    let heads = proxy.heads();
    assert_eq!(heads.len(), 4);
    for head in heads {
        let authorization = "Proxy-Authorization: Basic YWxpY2U6aHVudGVyIDI=\r\n";
        assert!(head.starts_with("CONNECT backend.test:443 HTTP/1.1\r\nHost: backend.test:443\r\n"), "{head}");
        assert!(head.contains(authorization), "{head}");
    }
    assert!(server.requests().iter().all(|request| request.header("proxy-authorization").is_none()));
}

#[test]
fn http_is_asked_of_the_proxy_with_its_whole_url() {
    let server = Server::start(|_| Answer::status(202));
    let proxy = Proxy::start(server.address(), None);
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let client = through(variable, &proxy.url("alice:hunter2"));
        assert_eq!(send(&client, &post("http://backend.test/in")).expect("an answer").status(), 202, "{variable}");
    }
    for request in server.requests() {
        assert_eq!(request.target, "http://backend.test/in");
        assert_eq!(request.header("proxy-authorization"), Some("Basic YWxpY2U6aHVudGVyMg=="));
        assert_eq!(request.header("host"), Some("backend.test"));
    }
}

#[test]
fn what_is_on_this_machine_or_excluded_goes_through_no_proxy() {
    let server = Server::start(|_| Answer::status(202));
    let proxy = Proxy::start(server.address(), None);
    let url = proxy.url("");
    for host in ["127.0.0.1", "localhost"] {
        send(&through("HTTP_PROXY", &url), &post(&server.url_of(host))).expect("an answer");
    }
    let excluded = with_variables(&[("HTTP_PROXY", &url), ("NO_PROXY", "other.test, .invalid")]);
    let error = send(&excluded, &post("http://backend.invalid/")).expect_err("no such host");
    assert!(error.reason().contains("cannot find the host `backend.invalid`"), "{}", error.reason());
    // In a CGI program, the sender of a request can set this variable.
    let cgi = with_variables(&[("HTTP_PROXY", &url), ("REQUEST_METHOD", "GET")]);
    assert!(send(&cgi, &post("http://backend.invalid/")).is_err());
    assert_eq!(proxy.heads().len(), 0);
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() {
    let rows = [
        (
            "407 Proxy Authentication Required",
            Verdict::Park,
            "407 Proxy Authentication Required: set user and password",
        ),
        ("403 Forbidden", Verdict::Park, "it refuses to connect to backend.test:443 with 403: allow it there"),
        ("502 Bad Gateway", Verdict::Retry, "it cannot connect to backend.test:443: 502"),
    ];
    for (refusal, verdict, says) in rows {
        let proxy = Proxy::start(([127, 0, 0, 1], 9).into(), Some(refusal));
        let client = through("HTTPS_PROXY", &proxy.url("alice:hunter2"));
        let error = send(&client, &post("https://backend.test/")).expect_err(refusal);
        assert_eq!(error.verdict(), verdict, "{refusal}");
        let begin = format!("POST https://backend.test/: error sending request: proxy {}: {says}", proxy.url(""));
        assert!(error.reason().starts_with(&begin), "{}", error.reason());
        assert!(!error.reason().contains("hunter2"), "{}", error.reason());
    }
}

#[test]
fn a_proxy_that_repeats_its_password_is_not_quoted() {
    let server = Server::start(|_| Answer::status(407).body("alice:hunter2 is unknown"));
    let proxy = Proxy::start(server.address(), None);
    let client = through("HTTP_PROXY", &proxy.url("alice:hunter2"));
    let answer = send(&client, &post("http://backend.test/")).expect("an answer");
    let error = Verdicts::new(&[]).judge(&answer).expect_err("refused");
    let says = "407 Proxy Authentication Required: check the proxy's user and password (answer: [redacted] is unknown)";
    assert_eq!((error.verdict(), error.reason()), (Verdict::Park, format!("POST http://backend.test/: {says}")));
}

#[test]
fn a_proxy_that_is_none_is_told_when_the_client_is_made() {
    let rows = [
        ("socks5://localhost:1080", "HTTPS_PROXY: SOCKS proxies are not supported: expected `http://host:port`"),
        ("ftp://localhost", "HTTPS_PROXY: it is no proxy of HTTP: expected `http://host:port`"),
        ("http://alice:hunter2@", "HTTPS_PROXY: it is no URL: expected `http://host:port`"),
        ("http://a b", "HTTPS_PROXY: it is no URL: expected `http://host:port`"),
    ];
    for (proxy, says) in rows {
        let client = through("HTTPS_PROXY", proxy);
        assert_eq!(client.fault(), Some(says));
        let error = send(&client, &post("https://backend.test/")).expect_err("no proxy");
        assert_eq!((error.verdict(), error.reason()), (Verdict::Park, says.to_owned()));
    }
    assert_eq!(builder().build().fault(), None);
    assert_eq!(through("HTTPS_PROXY", "proxy.test:3128").fault(), None);
    assert_eq!(through("HTTPS_PROXY", " ").fault(), None);
}
