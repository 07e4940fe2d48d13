//! Thumbs.

use ragtrace::{TraceId, Value};
use serde_json::json;

use crate::support::multipart::Form;
use crate::support::server::Server;
use crate::support::wait_for;

#[test]
fn a_thumb_is_stored_as_a_score_of_a_person() {
    let server = Server::with_samples();
    let done = server.post("/api/ask").json(&json!({ "question": "How long does the battery last?" })).events().last();
    let done = done.expect("an end").data;
    let thumb = |score: &str| json!({ "trace_id": done["trace_id"], "span_id": done["span_id"], "score": score, "comment": " just so " });
    assert_eq!(server.post("/api/feedback").json(&thumb("up")).send().status, 204);
    let whole = json!({ "trace_id": done["trace_id"], "score": "down" });
    assert_eq!(server.post("/api/feedback").json(&whole).send().status, 204);

    let id: TraceId = done["trace_id"].as_str().expect("an id").parse().expect("an id");
    let trace = server.stored(id, |trace| trace.scores().len() == 2);
    let (up, down) = (&trace.scores()[0], &trace.scores()[1]);
    assert_eq!(
        (up.name(), up.value(), up.by(), up.comment()),
        ("helpful", &Value::Bool(true), Some("human"), Some("just so"))
    );
    assert_eq!(up.span_id().map(|id| id.to_string()).as_deref(), done["span_id"].as_str());
    assert_eq!((down.value(), down.span_id(), down.comment()), (&Value::Bool(false), None, None));

    let shown = wait_for("scores", || {
        let json = server.get(&format!("/api/traces/{id}")).send().json();
        (json["scores"].as_array()?.len() == 2).then_some(json)
    });
    assert_eq!((&shown["scores"][0]["value"], &shown["scores"][0]["by"]), (&json!(true), &json!("human")));
}

#[test]
fn feedback_on_what_is_not_there_is_refused() {
    let server = Server::start(&[]);
    let feedback = |json: serde_json::Value| server.post("/api/feedback").json(&json).send();
    feedback(json!({ "trace_id": TraceId::new().to_string(), "score": "up" })).problem(404);
    for id in ["", "x", "00000000-0000-0000-0000-000000000000"] {
        let problem = feedback(json!({ "trace_id": id, "score": "up" })).problem(422);
        assert_eq!(problem["errors"][0]["pointer"], "#/trace_id");
    }
    let form = Form::new().file("guide.md", b"# Battery\n\nThe battery lasts eleven days.");
    let id = server.post("/api/ingest").form(form).send().trace_id().to_string();
    let problem = feedback(json!({ "trace_id": id, "span_id": "00000000000000ff", "score": "up" })).problem(422);
    assert_eq!(problem["errors"][0]["pointer"], "#/span_id");
    feedback(json!({ "trace_id": id, "span_id": "no id", "score": "up" })).problem(422);
    feedback(json!({ "trace_id": id, "score": "sideways" })).problem(422);
    feedback(json!({ "trace_id": id })).problem(422);
    feedback(json!({ "trace_id": id, "score": "up", "comment": "x".repeat(2_001) })).problem(422);
}
