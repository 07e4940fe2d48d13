//! The fields of a request's records, and those that they never have.

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::{any, post};
use bytes::Bytes;
use http_body_util::Full;
use ragtrace::http::TraceLayer;
use ragtrace::{Level, StageKind};
use ragtrace_tests_http::{Protocol, served};
use tower::{Layer, ServiceExt};

fn router(layer: TraceLayer) -> Router {
    Router::new()
        .route("/documents/{id}", any(async || "hello"))
        .route("/echo", post(async |body: Bytes| body))
        .layer(layer)
}

#[test]
fn the_fields_have_opentelemetry_s_names() {
    for protocol in Protocol::BOTH {
        let (address, requests) = served(router(TraceLayer::new()), async |server| {
            let mut request = server.request("GET", "/documents/7");
            request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("agent/1"));
            server.send(protocol, request).await;
            server.address()
        });
        let request = requests.one();
        let port = address.port().to_string();
        let version = if protocol == Protocol::Http1 { "1.1" } else { "2" };
        for (name, value) in [
            ("http.request.method", "GET"),
            ("http.route", "/documents/{id}"),
            ("url.path", "/documents/7"),
            ("server.address", "127.0.0.1"),
            ("server.port", &port),
            ("network.protocol.version", version),
            ("user_agent.original", "agent/1"),
            ("http.response.status_code", "200"),
        ] {
            assert_eq!(request.text(name).as_deref(), Some(value), "{name} {protocol:?}");
        }
        let scheme = (protocol == Protocol::Http2).then(|| "http".to_owned());
        assert_eq!(request.text("url.scheme"), scheme, "a request over HTTP/1 does not say it");
        assert_eq!(request.received.kind(), Some(StageKind::Pipeline));
        assert_eq!((request.received.level(), request.received.logger()), (Level::Info, "ragtrace::http"));
        assert!(request.received.source().expect("a place").0.ends_with("fields.rs"), "where the layer was made");
        assert!(request.text("client.address").is_none() && request.text("url.query").is_none());
    }
}

#[test]
fn a_record_is_read_back_as_it_was() {
    let (_, requests) =
        served(router(TraceLayer::new()), async |server| server.get(Protocol::Http1, "/documents/7").await);
    let json: serde_json::Value = serde_json::from_str(&requests.one().ended.to_json()).expect("JSON");
    assert_eq!(json["message"], "http_response_sent");
    assert_eq!(json["stage"], "GET /documents/{id}");
    assert_eq!(json["context"]["http.response.status_code"], 200);
    assert_eq!(json["context"]["http.route"], "/documents/{id}");
    assert_eq!(json["metrics"]["http.response.body.size"], 5);
    assert!(json["metrics"]["head_ms"].is_number());
}

#[test]
fn the_sizes_of_both_bodies_are_metrics() {
    let (_, requests) = served(router(TraceLayer::new()), async |server| {
        let uri = format!("http://{}/echo", server.address());
        let body = Full::new(Bytes::from(vec![b'x'; 70_000]));
        server.send(Protocol::Http1, http::Request::post(uri).header("host", "x").body(body).expect("a request")).await
    });
    let request = requests.one();
    assert_eq!(request.ended.metric("http.request.body.size"), Some(70_000.0));
    assert_eq!(request.sent(), Some(70_000.0));
}

#[test]
fn no_query_no_header_and_no_body_is_recorded_unless_it_is_asked_for() {
    let send = async |server: &ragtrace_tests_http::Server| {
        let uri = format!("http://{}/echo?token=hunter2", server.address());
        let request = http::Request::post(uri)
            .header("host", "x")
            .header("x-color", "mauve")
            .header("authorization", "Bearer hunter3")
            .header("cookie", "session=hunter4")
            .body(Full::new(Bytes::from_static(b"hunter5")));
        server.send(Protocol::Http1, request.expect("a request")).await;
    };
    let ((), requests) = served(router(TraceLayer::new()), send);
    let json = [requests.one().received.to_json(), requests.one().ended.to_json()].concat();
    assert!(!json.contains("hunter") && !json.contains("mauve"), "{json}");

    let names = ["x-color", "authorization", "cookie", "x-absent"].map(HeaderName::from_static);
    let layer = TraceLayer::new().capture_query(true).capture_request_headers(names);
    let layer = layer.capture_response_headers([header::CONTENT_TYPE, header::SET_COOKIE]);
    let ((), requests) = served(router(layer), send);
    let request = requests.one();
    assert_eq!(request.text("http.request.header.x-color").as_deref(), Some("mauve"));
    assert_eq!(request.text("http.response.header.content-type").as_deref(), Some("application/octet-stream"));
    assert_eq!(request.text("url.query").as_deref(), Some("token=hunter2"));
    let json = request.ended.to_json();
    assert!(!["hunter3", "hunter4", "hunter5", "x-absent"].iter().any(|text| json.contains(text)), "{json}");
}

#[test]
fn layers_that_record_other_headers_may_have_the_same_routes() {
    let of = |name: &'static str| {
        let layer = TraceLayer::new().capture_request_headers([HeaderName::from_static(name)]);
        Router::new().route("/shared", any(async || "hello")).layer(layer)
    };
    for name in ["x-one", "x-two"] {
        let (_, requests) = served(of(name), async |server| {
            let mut request = server.request("GET", "/shared");
            request.headers_mut().insert(name, HeaderValue::from_static("value"));
            server.send(Protocol::Http1, request).await
        });
        let request = requests.one();
        assert_eq!((request.status(), request.sent()), (Some(200), Some(5.0)));
        assert_eq!(request.text(&format!("http.request.header.{name}")).as_deref(), Some("value"));
    }
    let listed = ragtrace::stages().iter().filter(|stage| stage.name() == "GET /shared").count();
    assert_eq!(listed, 1);
}

#[test]
fn the_address_of_whoever_asks_is_what_the_application_makes_of_it() {
    let layer =
        TraceLayer::new().client_address(|parts| parts.headers.get("x-forwarded-for")?.to_str().ok()?.parse().ok());
    let (_, requests) = served(router(layer), async |server| {
        let mut request = server.request("GET", "/documents/7");
        request.headers_mut().insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
        server.send(Protocol::Http1, request).await
    });
    let address: IpAddr = Ipv4Addr::new(192, 0, 2, 7).into();
    assert_eq!(requests.one().text("client.address"), Some(address.to_string()));
}

#[test]
fn a_user_in_the_authority_is_not_recorded() {
    let ((), requests) = served(router(TraceLayer::new()), async |server| {
        let request = b"GET /documents/7 HTTP/1.1\r\nhost: alice:hunter2@example.org:81\r\nconnection: close\r\n\r\n";
        server.exchange_bytes(request).await;
    });
    let request = requests.one();
    assert_eq!(request.text("server.address").as_deref(), Some("example.org"));
    assert!(!request.ended.to_json().contains("hunter2"));
}

#[test]
fn long_and_odd_texts_are_cut_and_escaped() {
    let path = format!("/documents/{}", "é".repeat(3_000));
    let ((), requests) = served(router(TraceLayer::new()), async |server| {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nuser-agent: ").into_bytes();
        request.extend_from_slice(b"a\tb\xff\"\\</script>\r\n\r\n");
        server.exchange_bytes(&request).await;
    });
    let request = requests.one();
    let recorded = request.text("url.path").expect("a path");
    assert!(recorded.len() <= 2_048 && recorded.ends_with('…'), "{}", recorded.len());
    assert_eq!(request.text("user_agent.original").as_deref(), Some("a\tb\u{fffd}\"\\</script>"));
    let json: serde_json::Value = serde_json::from_str(&request.ended.to_json()).expect("JSON on one line");
    assert_eq!(json["context"]["user_agent.original"], "a\tb\u{fffd}\"\\</script>");
    assert!(!request.ended.to_json().contains('\t'));
}

/// Calls a service in this process, so that headers can be tested that a connection cannot carry.
fn recorded(layer: &TraceLayer, request: http::Request<()>) -> ragtrace::testing::Captured {
    let service = layer.layer(tower::service_fn(async |_: http::Request<()>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(String::new()))
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (answer, captured) = runtime.block_on(ragtrace::testing::capture(service.oneshot(request)));
    assert!(answer.is_ok());
    captured
}

#[test]
fn of_a_header_with_several_values_those_that_are_sensitive_are_passed_over() {
    let name = HeaderName::from_static("x-key");
    let layer = TraceLayer::new().capture_request_headers([name.clone()]);
    let of = |values: &[(&'static str, bool)]| {
        let mut request = http::Request::new(());
        for (text, is_sensitive) in values {
            let mut value = HeaderValue::from_static(text);
            value.set_sensitive(*is_sensitive);
            request.headers_mut().append(name.clone(), value);
        }
        let captured = recorded(&layer, request);
        captured.records()[0].field("http.request.header.x-key").map(ToString::to_string)
    };
    assert_eq!(of(&[("hunter2", true)]), None);
    assert_eq!(of(&[("hunter2", true), ("hunter3", true)]), None);
    assert_eq!(of(&[("a", false), ("hunter2", true), ("b", false)]).as_deref(), Some("a, b"));
    assert_eq!(of(&[("", false)]).as_deref(), Some(""));
    let long = of(&vec![("x", false); 2_000]).expect("a text");
    assert!(long.len() <= 2_048 && long.starts_with("x, x") && long.ends_with('…'), "{}", long.len());
}

#[test]
fn a_route_that_is_too_long_is_cut_in_its_field_and_in_its_name() {
    let layer = TraceLayer::new().route(|parts| Some(parts.uri.path()));
    let path = format!("/{}", "a".repeat(9_000));
    let captured = recorded(&layer, http::Request::get(&*path).body(()).expect("a request"));
    for record in captured.records() {
        let route = record.field("http.route").expect("a route").to_string();
        assert!(route.len() <= 2_048 && route.ends_with('…'), "{}", route.len());
        assert!(record.stage().is_some_and(|name| name.len() <= 200 && name.ends_with('…')));
    }
}

#[test]
fn the_address_is_asked_for_before_the_request_s_run_and_outside_of_its_context() {
    #[ragtrace::traced_stage("locating")]
    fn locate() -> Option<IpAddr> {
        Some(Ipv4Addr::new(192, 0, 2, 7).into())
    }
    let captured = recorded(&TraceLayer::new().client_address(|_| locate()), http::Request::new(()));
    let located = captured.stage("locating").completed();
    let received = captured.stage("GET");
    assert_ne!(located.one().trace_id(), received.iter().next().expect("a start").trace_id());
    assert!(received.iter().all(|record| record.field("client.address").is_some()));
}
