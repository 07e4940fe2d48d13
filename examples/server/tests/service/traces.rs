//! Requests as traces.

use ragtrace::TraceId;
use ragtrace_sinks::store::SpanStatus;

use crate::support::multipart::Form;
use crate::support::server::{Server, sample};

#[test]
fn a_request_goes_on_with_the_trace_that_it_names() {
    let server = Server::start(&[]);
    let id = TraceId::new();
    let form = Form::new().file("guide.md", &sample("guide.md"));
    let answer = server.post("/api/ingest").trace(id).header("X-Request-ID", "req-7").form(form).send();
    assert_eq!((answer.trace_id(), answer.json()["trace_id"].as_str()), (id, Some(&*id.to_string())));

    let trace = server.stored(id, |trace| trace.roots().all(|root| root.duration().is_some()));
    let root = trace.roots().next().expect("a root");
    assert_eq!((root.stage(), root.status()), ("POST /api/ingest", SpanStatus::Completed));
    assert_eq!(root.parent_span_id().map(|id| id.to_string()).as_deref(), Some("00f067aa0ba902b7"));
    assert!(trace.logs().iter().all(|row| row.request_id() == Some("req-7") && row.request_type() == Some("ingest")));
    let stages: Vec<_> = trace.spans().map(|span| span.stage().to_owned()).collect();
    let expected = [
        "POST /api/ingest",
        "ingestion",
        "document_ingestion",
        "file_parsing",
        "document_chunking",
        "chunk_enrichment",
        "chunk_embedding",
        "data_storage",
    ];
    assert_eq!(stages, expected);
    let messages: Vec<_> = trace
        .logs()
        .iter()
        .map(|row| row.message().into_owned())
        .filter(|message| message.starts_with("http_"))
        .collect();
    assert_eq!(messages, ["http_request_received", "http_response_sent"]);
    assert!(trace.spans().all(|span| span.record().field("doc").is_none_or(|doc| doc.as_str() == Some("guide.md"))));
}

#[test]
fn a_malformed_trace_is_not_gone_on_with() {
    let server = Server::start(&[]);
    for header in ["", "00-0-0-01", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", &"x".repeat(5_000)] {
        let answer = server.get("/healthz").header("traceparent", header).send();
        assert_eq!((answer.status, answer.trace_id().as_uuid().get_version_num()), (200, 7), "{header:?}");
    }
}

#[test]
fn a_trace_is_told_as_soon_as_its_answer_is_there() {
    let server = Server::start(&[]);
    let form = Form::new().file("guide.md", &sample("guide.md")).file("broken.pdf", b"%PDF-1.7");
    let id = server.post("/api/ingest").form(form).send().trace_id();
    // The trace's last records may still be on their way. What is there at once has the trace's id
    // and its beginning.
    let answer = server.get(&format!("/api/traces/{id}")).send();
    assert_eq!((answer.status, answer.json()["trace_id"].as_str()), (200, Some(&*id.to_string())));
    let json = crate::support::wait_for("end", || {
        let json = server.get(&format!("/api/traces/{}", id.to_hex())).send().json();
        (json["status"] == "completed").then_some(json)
    });
    let stages = json["stages"].as_array().expect("a list");
    let of = |name: &str| stages.iter().filter(|stage| stage["stage"] == name).collect::<Vec<_>>();
    assert_eq!((of("file_parsing").len(), of("data_storage").len()), (2, 1));
    let failed = of("file_parsing").into_iter().find(|stage| stage["status"] == "failed").expect("the broken one");
    assert!(failed["error"]["message"].is_string() && failed["error"]["chain"].is_array());
    let root = of("POST /api/ingest")[0];
    assert!(root["duration_ms"].is_number() && root["start"].is_string());
    assert_eq!(root["context"]["http.response.status_code"], 200);
}

#[test]
fn a_trace_that_nobody_knows_is_not_found() {
    let server = Server::start(&[]);
    server.get(&format!("/api/traces/{}", TraceId::new())).send().problem(404);
    for id in ["x", "7", "00000000-0000-0000-0000-000000000000", "%ff%fe", "..%2f..%2fetc"] {
        server.get(&format!("/api/traces/{id}")).send().problem(404);
        server.get(&format!("/api/traces/{id}/events")).send().problem(404);
    }
}

#[test]
fn without_a_store_a_trace_is_told_from_memory() {
    let server = Server::start_with(&[], &[("RAGTRACE_SINKS", "")]);
    let form = Form::new().file("guide.md", &sample("guide.md"));
    let id = server.post("/api/ingest").form(form).send().trace_id();
    let json = crate::support::wait_for("end", || {
        let json = server.get(&format!("/api/traces/{id}")).send().json();
        (json["status"] == "completed").then_some(json)
    });
    assert_eq!(json["stages"].as_array().map(Vec::len), Some(8));
    assert!(!server.path("ragtrace.db").exists());
}
