//! More routes than a process keeps names of.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use ragtrace::http::TraceLayer;
use ragtrace::testing;
use tower::ServiceExt;

const ROUTES: usize = 1_100;
/// The methods that a client can choose from. axum reports the route even if it does not have the
/// method.
const METHODS: [&str; 4] = ["GET", "POST", "BREW", "SPILL"];

#[test]
fn past_1024_routes_a_request_is_named_by_its_method() {
    let mut router = Router::new();
    for number in 0..ROUTES {
        router = router.route(&format!("/{number}/{{id}}"), get(async || "hello"));
    }
    let router = router.layer(TraceLayer::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ((), captured) = runtime.block_on(testing::capture(async {
        // The first routes get every method before the others exist.
        for number in 0..ROUTES {
            for method in METHODS {
                let request = Request::builder().method(method).uri(format!("/{number}/7")).body(Body::empty());
                drop(router.clone().oneshot(request.expect("a request")).await.expect("it cannot fail"));
            }
        }
    }));
    for method in ["GET", "POST", "HTTP"] {
        let sent = if method == "HTTP" { 2 } else { 1 };
        let begin = format!("{method} /");
        let named =
            captured.records().iter().filter(|record| record.stage().is_some_and(|stage| stage.starts_with(&begin)));
        assert_eq!(named.count(), 1_024 * 2 * sent, "{method}");
        let by_method = captured.stage(method);
        assert_eq!(by_method.len(), (ROUTES - 1_024) * 2 * sent);
        assert!(
            by_method.iter().all(|record| record.field("http.route").is_some()),
            "the route is in the record all the same"
        );
    }
    let of_layer = ragtrace::stages().into_iter().filter(|stage| stage.target() == "ragtrace::http").count();
    assert_eq!(of_layer, 1_025 * 3);
}
