//! Questions and their answers.

use serde_json::{Value, json};

use crate::support::events::Sent;
use crate::support::multipart::Form;
use crate::support::server::Server;

fn names(events: &[Sent]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

#[test]
fn an_answer_is_its_sources_its_sentences_and_its_trace() {
    let server = Server::with_samples();
    let asked = json!({ "question": "How long does the battery last without sun?", "limit": 3 });
    let stream = server.post("/api/ask").json(&asked).events();
    let (status, id) = (stream.answer.status, stream.answer.trace_id());
    assert_eq!((status, stream.answer.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(stream.answer.header("x-accel-buffering"), Some("no"));
    let events: Vec<_> = stream.collect();

    let sources = events[0].data.as_array().expect("a list");
    assert_eq!((events[0].name.as_str(), sources[0]["document"].as_str()), ("sources", Some("guide.md")));
    assert!((1..=3).contains(&sources.len()));
    assert!(sources[0]["text"].as_str().is_some_and(|text| text.contains("eleven days")));
    assert!(sources[0]["document_id"].as_str().is_some_and(|id| id.len() == 36));
    assert!(sources[0]["heading"].is_string() && sources[0]["score"].is_number());

    let tokens: String = events
        .iter()
        .filter(|event| event.name == "token")
        .map(|event| event.data["text"].as_str().expect("a text"))
        .collect();
    assert!(tokens.contains("The battery lasts eleven days without any sun. [1]"), "{tokens}");
    let done = events.last().expect("an end");
    assert_eq!((done.name.as_str(), &done.data["answered"]), ("done", &Value::Bool(true)));
    assert_eq!(done.data["trace_id"], id.to_string());

    let trace = server.stored(id, |trace| trace.roots().all(|root| root.duration().is_some()));
    let root = trace.roots().next().expect("a root");
    assert_eq!((root.stage(), root.record().request_type()), ("POST /api/ask", Some("ask")));
    let question = root.children().next().expect("a stage");
    assert_eq!(
        (question.stage(), question.span_id().to_string().as_str()),
        ("question", done.data["span_id"].as_str().expect("an id"))
    );
    let stages: Vec<_> = question.children().map(|span| span.stage().to_owned()).collect();
    assert_eq!(stages, ["query_embedding", "retrieval", "rerank", "answer"]);
    assert!(trace.spans().all(|span| span.record().field("query").is_none()), "words are kept only if asked for");
}

#[test]
fn a_question_that_nothing_answers_says_so() {
    let server = Server::start(&["--log-question"]);
    let ask =
        |question: &str| server.post("/api/ask").json(&json!({ "question": question })).events().collect::<Vec<_>>();
    let events = ask("Is anybody there?");
    assert_eq!(names(&events), ["sources", "done"]);
    assert_eq!((&events[0].data, &events[1].data["answered"]), (&json!([]), &Value::Bool(false)));
    assert!(events[1].data["detail"].as_str().is_some_and(|detail| detail.contains("upload some first")));

    let form = Form::new().file("guide.md", b"# Battery\n\nThe battery lasts eleven days.");
    assert_eq!(server.post("/api/ingest").form(form).send().status, 200);
    let events = ask("Who painted the Sistine chapel?");
    assert_eq!(events.last().expect("an end").data["answered"], false);
    assert!(!names(&events).contains(&"token"));
}

#[test]
fn a_bad_question_is_a_problem_before_any_stream() {
    let server = Server::start(&[]);
    let bad = [
        json!({ "question": "" }),
        json!({ "question": " \n\t" }),
        json!({ "question": "é".repeat(4_001) }),
        json!({ "question": "fine", "limit": 0 }),
        json!({ "question": "fine", "limit": 21 }),
    ];
    for question in bad {
        let problem = server.post("/api/ask").json(&question).send().problem(422);
        let pointer = problem["errors"][0]["pointer"].as_str().expect("a pointer");
        assert!(matches!(pointer, "#/question" | "#/limit"), "{problem}");
    }
    let malformed = [
        json!({}),
        json!({ "question": 7 }),
        json!({ "question": "fine", "limit": -1 }),
        json!({ "question": "x", "extra": 1 }),
        json!([]),
    ];
    for question in malformed {
        server.post("/api/ask").json(&question).send().problem(422);
    }
    let ask = || server.post("/api/ask").header("Content-Type", "application/json");
    ask().body("{\"question\": ").send().problem(400);
    ask().body(b"{\"question\": \"\xff\"}".to_vec()).send().problem(400);
    ask().body(format!("{{\"question\": \"{}\"}}", "x".repeat(100_000))).send().problem(413);
    server.post("/api/ask").body("{\"question\": \"fine\"}").send().problem(415);
    let longest = json!({ "question": "é".repeat(4_000) });
    assert_eq!(server.post("/api/ask").json(&longest).events().answer.status, 200);
}
