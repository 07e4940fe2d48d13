//! Requests of a program that has installed telemetry: through the queue, the worker and a sink.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::get;
use http::Request;
use http_body_util::BodyExt;
use ragtrace::http::TraceLayer;
use ragtrace::sink::JsonLines;
use ragtrace::traced_stage;
use serde_json::Value;
use tower::ServiceExt;

#[traced_stage("answering")]
async fn answer(is_good: bool) -> Result<&'static str, StatusCode> {
    tokio::task::yield_now().await;
    if is_good { Ok("hello") } else { Err(StatusCode::BAD_GATEWAY) }
}

/// The lines that a sink wrote.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn records(&self) -> Vec<Value> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&bytes);
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

#[test]
fn each_of_many_requests_arrives_as_one_start_and_one_end() {
    let lines = Lines::default();
    let telemetry = ragtrace_tests::install(ragtrace::builder().sink(JsonLines::new(lines.clone())));
    let router = Router::new()
        .route("/good", get(async || answer(true).await))
        .route("/bad", get(async || answer(false).await))
        .route("/left", get(async || std::future::pending::<()>().await))
        .layer(TraceLayer::new().public_endpoint().identify(|_, context| context.with_user_id("alice")));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let call = |number: usize| {
            let path = ["/good", "/bad", "/left", "/nowhere"][number % 4];
            let request = Request::get(path)
                .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                .body(Body::empty())
                .expect("a request");
            let answer = router.clone().oneshot(request);
            tokio::spawn(async move {
                if path == "/left" {
                    return assert!(tokio::time::timeout(Duration::from_millis(1), answer).await.is_err());
                }
                let body = answer.await.expect("it cannot fail").into_body();
                body.collect().await.expect("a body");
            })
        };
        for task in (0..200).map(call).collect::<Vec<_>>() {
            task.await.expect("no panic");
        }
    });
    drop(runtime);
    let report = telemetry.shutdown(Duration::from_secs(20));
    assert!(report.complete, "{report:?}");
    let records = lines.records();
    let with = |message: &str| records.iter().filter(|record| record["message"] == message).count();
    assert_eq!(with("http_request_received"), 200);
    assert_eq!((with("http_response_sent"), with("http_request_cancelled"), with("http_request_failed")), (150, 50, 0));
    for record in records.iter().filter(|record| record["logger"] == "ragtrace::http") {
        assert_eq!((&record["user_id"], &record["local_root"]), (&"alice".into(), &true.into()), "{record}");
        assert_eq!(record["links"][0]["trace_id"], "0af76519-16cd-43dd-8448-eb211c80319c");
        let is_failed = record["event"] == "failed";
        assert_eq!(is_failed, record["context"]["http.response.status_code"] == 502);
        if is_failed {
            assert_eq!((&record["level"], &record["error"]["type"]), (&"ERROR".into(), &"502".into()), "{record}");
            assert_eq!(record["message"], "http_response_sent");
        }
    }
    assert_eq!(
        records.iter().filter(|record| record["event"] == "failed" && record["logger"] == "ragtrace::http").count(),
        50
    );
}
