//! The names of requests: method and route, and nothing that the sender can choose freely.

use std::convert::Infallible;
use std::future::{Ready, ready};

use axum::Router;
use axum::routing::{any, get, get_service};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use ragtrace::http::TraceLayer;
use ragtrace_tests_http::{Protocol, served};
use tower::{Service, ServiceBuilder};

/// Returns the names of the requests `METHOD path` to a service.
fn names<S>(service: S, requests: &[(&str, &str)]) -> Vec<String>
where
    S: Service<
            Request<hyper::body::Incoming>,
            Response = Response<ragtrace::http::ResponseBody<axum::body::Body>>,
            Error = Infallible,
            Future: Send,
        > + Clone
        + Send
        + 'static,
{
    let ((), recorded) = served(service, async |server| {
        for (method, path) in requests {
            server.send(Protocol::Http1, server.request(method, path)).await;
        }
    });
    recorded.all().iter().map(|request| request.stage().to_owned()).collect()
}

fn hello() -> Ready<&'static str> {
    ready("hello")
}

#[test]
fn a_route_names_its_requests() {
    let router = Router::new()
        .route("/", get(hello))
        .route("/documents/{id}", any(hello))
        .route("/files/{*path}", get(hello))
        .layer(TraceLayer::new());
    let ((), recorded) = served(router, async |server| {
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/documents/1"),
            ("DELETE", "/documents/2?x=1"),
            ("HEAD", "/documents/2"),
            ("GET", "/files/a/b/c"),
            ("PATCH", "/documents/3"),
            // axum's answer to a method that the route does not have belongs to the route.
            ("POST", "/"),
            ("BREW", "/documents/4"),
        ] {
            server.send(Protocol::Http1, server.request(method, path)).await;
        }
    });
    let names: Vec<_> = recorded.all().iter().map(|request| request.stage().to_owned()).collect();
    assert_eq!(
        names,
        [
            "GET /",
            "GET /documents/{id}",
            "DELETE /documents/{id}",
            "HEAD /documents/{id}",
            "GET /files/{*path}",
            "PATCH /documents/{id}",
            "POST /",
            "HTTP /documents/{id}",
        ]
    );
    let brewed = recorded.all()[7];
    assert_eq!(brewed.text("http.request.method").as_deref(), Some("_OTHER"));
    assert_eq!(brewed.text("http.request.method_original").as_deref(), Some("BREW"));
    assert!(recorded.all()[..7].iter().all(|request| request.text("http.request.method_original").is_none()));
}

#[test]
fn a_path_that_no_route_matches_is_in_no_name() {
    let router = Router::new().route("/", get(hello)).layer(TraceLayer::new());
    let requests = [("GET", "/nowhere"), ("POST", "/wp-login.php"), ("BREW", "/nowhere")];
    let ((), recorded) = served(router, async |server| {
        for (method, path) in requests {
            server.send(Protocol::Http2, server.request(method, path)).await;
        }
    });
    let all = recorded.all();
    assert_eq!([all[0].stage(), all[1].stage(), all[2].stage()], ["GET", "POST", "HTTP"]);
    assert!(all.iter().all(|request| request.text("http.route").is_none()));
    assert_eq!(all[1].text("url.path").as_deref(), Some("/wp-login.php"));
}

#[test]
fn nested_routers_give_the_whole_route() {
    let inner = Router::new().route("/{id}", get(hello)).fallback(hello);
    let service = tower::service_fn(async |_: Request<axum::body::Body>| {
        Ok::<_, Infallible>(Response::new(axum::body::Body::from("served")))
    });
    let router = Router::new()
        .nest("/api", Router::new().nest("/documents", inner))
        .nest_service("/static", service)
        .route_service("/one", get_service(service))
        .fallback(hello)
        .layer(TraceLayer::new());
    let ((), recorded) = served(router, async |server| {
        for path in ["/api/documents/1", "/api/documents", "/static/app.js", "/one", "/nowhere"] {
            server.get(Protocol::Http1, path).await;
        }
    });
    let names: Vec<_> = recorded.all().iter().map(|request| request.stage().to_owned()).collect();
    assert_eq!(names[0], "GET /api/documents/{id}");
    assert_eq!((&*names[3], &*names[4]), ("GET /one", "GET"));
    assert!(names[2].starts_with("GET") && !names[2].contains("app.js"), "{names:?}");
}

#[test]
fn a_layer_around_the_whole_router_names_by_method() {
    let service = ServiceBuilder::new().layer(TraceLayer::new()).service(Router::new().route("/{id}", get(hello)));
    assert_eq!(names(service, &[("GET", "/1"), ("GET", "/2")]), ["GET", "GET"]);
}

#[test]
fn a_router_of_the_application_s_own_gives_its_routes() {
    let layer = TraceLayer::new().route(|parts| match parts.uri.path() {
        "/" => Some("/"),
        path if path.starts_with("/documents/") => Some("/documents/{id}"),
        "/empty" => Some(""),
        _ => None,
    });
    let service = ServiceBuilder::new().layer(layer).service_fn(async |_: Request<hyper::body::Incoming>| {
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"hello"))))
    });
    let ((), recorded) = served(service, async |server| {
        for path in ["/", "/documents/7", "/nowhere", "/empty"] {
            server.get(Protocol::Http1, path).await;
        }
    });
    let names: Vec<_> = recorded.all().iter().map(|request| request.stage().to_owned()).collect();
    assert_eq!(names, ["GET /", "GET /documents/{id}", "GET", "GET"]);
    assert_eq!(recorded.all()[1].text("http.route").as_deref(), Some("/documents/{id}"));
}

#[test]
fn what_axum_matched_goes_before_the_application_s_own() {
    let layer = TraceLayer::new().route(|_| Some("/other"));
    let router = Router::new().route("/{id}", get(hello)).layer(layer);
    let ((), recorded) = served(router, async |server| {
        for path in ["/1", "/1/2"] {
            server.get(Protocol::Http1, path).await;
        }
    });
    assert_eq!([recorded.all()[0].stage(), recorded.all()[1].stage()], ["GET /{id}", "GET /other"]);
}

#[test]
fn a_layer_inside_of_another_one_adds_no_second_run() {
    let inner = Router::new().route("/{id}", get(hello)).layer(TraceLayer::new());
    let router = Router::new().nest("/api", inner).layer(TraceLayer::new().request_type("outer"));
    let ((), recorded) = served(router, async |server| {
        server.get(Protocol::Http1, "/api/1").await;
    });
    assert_eq!(recorded.one().stage(), "GET /api/{id}");
    assert_eq!(recorded.one().ended.request_type(), Some("outer"));
}

#[test]
fn a_long_route_is_cut() {
    let route = format!("/{}", "x".repeat(300));
    let router = Router::new().route(&route, get(hello)).layer(TraceLayer::new());
    let ((), recorded) = served(router, async |server| {
        server.get(Protocol::Http1, &route).await;
    });
    let name = recorded.one().stage().to_owned();
    assert!(name.len() <= 200 && name.starts_with("GET /xxx") && name.ends_with('…'), "{name}");
}

#[test]
fn the_routes_join_the_catalog() {
    let router = Router::new().route("/catalogued", get(hello)).layer(TraceLayer::new());
    let ((), recorded) = served(router, async |server| {
        server.get(Protocol::Http1, "/catalogued").await;
    });
    assert_eq!(recorded.captured().stage("GET /catalogued").len(), 2);
    assert!(ragtrace::stages().iter().any(|stage| stage.name() == "GET /catalogued"));
}
