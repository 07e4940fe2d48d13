//! The records of each kind of answer.

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use ragtrace::http::TraceLayer;
use ragtrace::{Event, Level, traced_stage};
use ragtrace_tests_http::{Protocol, served};

#[traced_stage("answering")]
async fn answer() -> &'static str {
    "hello"
}

fn router() -> Router {
    Router::new()
        .route("/", get(answer))
        .route("/created", get(async || StatusCode::CREATED))
        .route("/refused", get(async || (StatusCode::UNPROCESSABLE_ENTITY, "no")))
        .route("/broken", get(async || (StatusCode::BAD_GATEWAY, "no model")))
        .route("/odd", get(async || StatusCode::from_u16(599).expect("a status").into_response()))
        .layer(TraceLayer::new())
}

#[test]
fn a_request_is_a_root_stage_around_those_of_its_handler() {
    for protocol in Protocol::BOTH {
        let (answer, requests) = served(router(), async |server| server.get(protocol, "/").await);
        let request = requests.one();
        assert_eq!((request.stage(), &*request.message()), ("GET /", "http_response_sent"));
        assert_eq!(request.ended.event(), Event::Completed);
        assert_eq!((request.ended.level(), request.status(), request.sent()), (Level::Info, Some(200), Some(5.0)));
        assert!(request.received.is_local_root() && request.received.parent_span_id().is_none());
        let inner = requests.captured().stage("answering").completed();
        assert_eq!(inner.one().parent_span_id(), request.ended.span_id());
        assert_eq!(answer.trace_id(), request.ended.trace_id().expect("a trace").to_string());
        assert!(
            request.ended.metric("head_ms").expect("a time") <= request.ended.metric("duration_ms").expect("a time")
        );
    }
}

#[test]
fn an_answer_that_is_the_caller_s_fault_completes_the_request() {
    let ((), requests) = served(router(), async |server| {
        for path in ["/created", "/refused", "/nowhere"] {
            server.get(Protocol::Http1, path).await;
        }
    });
    let statuses: Vec<_> = requests.all().iter().map(|request| (request.ended.event(), request.status())).collect();
    assert_eq!(statuses, [201, 422, 404].map(|status| (Event::Completed, Some(status))));
    assert!(
        requests
            .all()
            .iter()
            .all(|request| request.message() == "http_response_sent" && request.error_type().is_none())
    );
}

#[test]
fn an_answer_that_is_the_server_s_fault_fails_the_request_and_is_sent() {
    for protocol in Protocol::BOTH {
        let (answer, requests) = served(router(), async |server| server.get(protocol, "/broken").await);
        let request = requests.one();
        assert_eq!((request.ended.event(), request.ended.level()), (Event::Failed, Level::Error));
        assert_eq!((&*request.message(), request.status()), ("http_response_sent", Some(502)));
        let error = request.ended.error().expect("an error");
        assert_eq!((error.type_name(), error.message()), ("502", "Bad Gateway"));
        assert_eq!((request.sent(), &*answer.body), (Some(8.0), &b"no model"[..]));
    }
}

#[test]
fn a_status_without_a_name_fails_the_request_by_its_number() {
    let (_, requests) = served(router(), async |server| server.get(Protocol::Http1, "/odd").await);
    assert_eq!(requests.one().error_type(), Some("599"));
}

#[test]
fn errors_are_answered_with_the_trace_too_and_never_with_200() {
    let (answers, requests) = served(router(), async |server| {
        let mut answers = Vec::new();
        for path in ["/broken", "/refused", "/nowhere"] {
            answers.push(server.get(Protocol::Http1, path).await);
        }
        answers
    });
    for (answer, request) in answers.iter().zip(requests.all()) {
        assert!(answer.status.as_u16() >= 400 && request.status() == Some(answer.status.as_u16().into()));
        assert_eq!(answer.trace_id(), request.ended.trace_id().expect("a trace").to_string());
    }
}

#[test]
fn the_time_to_the_head_has_whole_microseconds() {
    let ((), requests) = served(router(), async |server| {
        for _ in 0..20 {
            server.get(Protocol::Http1, "/").await;
        }
    });
    for request in requests.all() {
        let head_ms = request.ended.metric("head_ms").expect("a time").to_string();
        assert!(head_ms.split_once('.').is_none_or(|(_, rest)| rest.len() <= 3), "{head_ms}");
    }
}
