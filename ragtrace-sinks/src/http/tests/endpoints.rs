//! Tests of URLs.

use crate::http::{Endpoint, EndpointError};

fn parsed(text: &str) -> Result<Endpoint, EndpointError> {
    text.parse()
}

#[test]
fn a_url_is_shown_without_user_query_and_last_slash() {
    for (text, shown) in [
        ("https://api.test", "https://api.test"),
        ("https://api.test/", "https://api.test"),
        ("HTTPS://api.test:8443/v1/", "https://api.test:8443/v1"),
        (" http://[::1]:4318 ", "http://[::1]:4318"),
        ("http://alice:hunter2@api.test/in", "http://api.test/in"),
        ("http://api.test/in?key=hunter2#top", "http://api.test/in?…"),
        ("http://api.test?key=hunter2", "http://api.test/?…"),
        ("http://under_score.test:0/", "http://under_score.test:0"),
    ] {
        let endpoint = parsed(text).expect(text);
        assert_eq!(endpoint.to_string(), shown, "{text}");
        assert_eq!(format!("{endpoint:?}"), format!("Endpoint({shown})"), "{text}");
    }
}

#[test]
fn a_path_is_added_to_the_urls_own() {
    for (text, joined) in [
        ("https://api.test", "https://api.test/v1/traces"),
        ("https://api.test/", "https://api.test/v1/traces"),
        ("https://api.test/otel/", "https://api.test/otel/v1/traces"),
        ("https://api.test/otel?key=x", "https://api.test/otel/v1/traces?…"),
    ] {
        assert_eq!(parsed(text).expect(text).join("/v1/traces").to_string(), joined, "{text}");
    }
}

#[test]
fn what_is_no_url_is_refused_with_what_was_expected_and_without_its_password() {
    let host = "expected `https://host`, perhaps with a port and a path";
    let codes = "expected `?`, `#` and `@` in a user, a password or a query as percent codes (`%23`)";
    let hidden = |number| format!("a text of {number} characters (not shown: it may be a secret)");
    for (text, expected, found) in [
        ("", "expected `https://host`", "\"\""),
        ("api.test:4318", "expected `https://host`", "\"api.test:4318\""),
        ("alice:hunter2@api.test", "expected `https://host`", "\"…@api.test\""),
        ("grpc://api.test", "expected `https://`, `http://` or `unix://`", "\"grpc://api.test\""),
        ("https://", host, "\"https://\""),
        ("https://:443", host, "\"https://:443\""),
        ("https://api.test:", host, "\"https://api.test:\""),
        ("https://api.test:99999", host, "\"https://api.test:99999\""),
        ("https://api test", host, "\"https://api test\""),
        ("https://alice:hunter2@api test?key=hunter3", host, "\"https://…@api test\""),
        ("https://alice:hunt@er2@api test", host, "\"https://…@api test\""),
        ("https://alice:hun#ter2@api.test", codes, "\"https://…\""),
        ("https://alice:12#ter2@api.test", codes, "\"https://…\""),
        ("https://alice:12?ter2@api.test", codes, "\"https://…\""),
        ("https://api.test:x/?key=hunter2@hunter3", codes, "\"https://…\""),
        ("alice:hun?ter2@api.test", codes, "\"…\""),
        ("alice:hunter2", "expected `https://host`", &hidden(13)),
        ("0123456789abcdef0123456789abcdef", "expected `https://host`", &hidden(32)),
        ("Bearer hunter2://api.test", "expected `https://`, `http://` or `unix://`", &hidden(25)),
        ("unix://apm.socket", "expected `unix://` and the absolute path of a socket", "\"unix://apm.socket\""),
    ] {
        let error = parsed(text).expect_err(text).to_string();
        assert_eq!(error, format!("{expected}, found {found}"), "{text}");
    }
}

#[test]
fn a_url_that_is_too_long_for_a_path_behind_it_is_refused() {
    assert!(parsed(&format!("https://api.test/{}", "x".repeat(70_000))).is_err());
    parsed(&format!("https://api.test/{}", "x".repeat(8_000))).expect("a long URL").join("/v1/traces");
}

#[test]
fn urls_of_one_scheme_host_and_port_have_one_origin() {
    let has = |text: &str, other: &str| parsed(text).expect(text).has_origin_of(&parsed(other).expect(other));
    assert!(has("https://me:x@API.test:443/v1", "https://api.test"));
    assert!(has("http://localhost:6006/", "http://localhost:6006/v1/traces?key=x"));
    for other in ["http://api.test", "https://api.test:444", "https://api.test.evil", "https://eu.api.test"] {
        assert!(!has("https://api.test", other), "{other}");
    }
}

#[test]
fn a_url_says_where_it_leads() {
    let endpoint = parsed("https://api.test:8443/v1").expect("a URL");
    assert_eq!((endpoint.host(), endpoint.path(), endpoint.is_https()), ("api.test", "/v1", true));
    let endpoint = parsed("http://api.test").expect("a URL");
    assert_eq!((endpoint.host(), endpoint.path(), endpoint.is_https()), ("api.test", "/", false));
    #[cfg(unix)]
    {
        let endpoint = parsed("unix:///var/run/datadog/apm.socket").expect("a URL");
        assert_eq!((endpoint.host(), endpoint.path(), endpoint.is_https()), ("localhost", "/", false));
        assert_eq!(endpoint.join("/v1/input").to_string(), "unix:///var/run/datadog/apm.socket/v1/input");
        assert!(parsed(&format!("unix:///{}", "x".repeat(120))).is_err());
    }
    #[cfg(not(unix))]
    assert!(parsed("unix:///var/run/datadog/apm.socket").expect_err("no socket").to_string().contains("only Unix"));
}
