//! More routes than a process keeps names of.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use ragtrace::http::TraceLayer;
use ragtrace::testing;
use tower::ServiceExt;

#[test]
fn past_1024_routes_a_request_is_named_by_its_method() {
    let mut router = Router::new();
    for number in 0..1_100 {
        router = router.route(&format!("/{number}/{{id}}"), get(async || "hello"));
    }
    let router = router.layer(TraceLayer::new());
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let ((), captured) = runtime.block_on(testing::capture(async {
        for _ in 0..2 {
            for number in 0..1_100 {
                let request = Request::get(format!("/{number}/7")).body(Body::empty()).expect("a request");
                drop(router.clone().oneshot(request).await.expect("it cannot fail"));
            }
        }
    }));
    let named = captured.records().iter().filter(|record| record.stage() != Some("GET")).count();
    assert_eq!(named, 1_024 * 4);
    let by_method = captured.stage("GET");
    assert_eq!(by_method.len(), (1_100 - 1_024) * 4);
    assert!(
        by_method.iter().all(|record| record.field("http.route").is_some()),
        "the route is in the record all the same"
    );
    let of_layer = ragtrace::stages().into_iter().filter(|stage| stage.target() == "ragtrace::http").count();
    assert_eq!(of_layer, 1_025);
}
