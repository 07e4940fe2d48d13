//! Compares the question of `tests/receivers/golden` with what Datadog's own client sent for it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Origin, Record, RecordItem, RecordScore, SpanId, Timestamp, TraceId, Value as Field};
use serde_json::{Map, Value, json};

use crate::support::{ago, delivered, server, sink};

const TRACE: u128 = 0x0199_0000_0000_7000_8000_0000_0000_0001;

fn fixture(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/receivers/golden").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// The question, with its times moved to a minute ago.
struct Question {
    fixture: Value,
    at: Timestamp,
    origin: Origin,
}

impl Question {
    fn new() -> Self {
        let fixture = fixture("question.json");
        let text = |name: &str| fixture[name].as_str().expect("a text").to_owned();
        let origin =
            Origin::new(Uuid::from_u128(1)).with_service(text("service")).with_environment(text("environment"));
        let origin = origin.with_version(text("version"));
        Self { at: ago(Duration::from_mins(1)), origin, fixture }
    }

    fn span_id(&self, name: &str) -> SpanId {
        let spans = self.fixture["spans"].as_array().expect("spans");
        let span = spans.iter().find(|span| span["name"] == name).expect("a span");
        span["span_id"].as_str().expect("a text").parse().expect("an id")
    }

    fn base(&self, record: RecordBuilder) -> RecordBuilder {
        let text = |name: &str| self.fixture[name].as_str().expect("a text").to_owned();
        let record = record.origin(self.origin.clone()).trace_id(TraceId::from_u128(TRACE).expect("an id"));
        record.user_id(text("user_id")).tenant_id(text("tenant_id")).session_id(text("session_id"))
    }

    /// Returns the end record of a span.
    fn record(&self, span: &Value) -> Record {
        let (name, micros) =
            (span["name"].as_str().expect("a name"), |name: &str| span[name].as_u64().expect("a time"));
        let end = self.at.plus(Duration::from_micros(micros("start_us") + micros("duration_us")));
        let mut record = self.base(RecordBuilder::completed(name)).span_id(self.span_id(name)).timestamp(end);
        record = record.kind(span["kind"].as_str().expect("a kind").parse().expect("a kind"));
        record = record.duration(Duration::from_micros(micros("duration_us")));
        if let Some(parent) = span["parent"].as_str() {
            record = record.parent_span_id(self.span_id(parent));
        }
        for name in ["input", "output", "query", "model", "provider", "prompt_name", "prompt_version"] {
            record = match &span[name] {
                Value::Null => record,
                Value::String(text) => record.field(name, text.clone()),
                json => record.field(name, Field::Json(json.to_string().into())),
            };
        }
        let numbers =
            ["input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens", "top_k"];
        for name in numbers.iter().chain(&["dimensions"]) {
            record = span[*name].as_u64().into_iter().fold(record, |record, number| record.metric(*name, number));
        }
        if let Some(cost) = span["cost_usd"].as_f64() {
            record = record.metric("cost_usd", cost);
        }
        if let Some(first) = span["first_item_us"].as_f64() {
            record = record.metric("first_item_ms", first / 1_000.0);
        }
        for used in span["used"].as_array().into_iter().flatten() {
            record = record.used(item(used));
        }
        for generated in span["generated"].as_array().into_iter().flatten() {
            record = record.generated(item(generated));
        }
        if let Some(error) = span["error"].as_object() {
            let text = |name: &str| error[name].as_str().expect("a text");
            record = record.failure(text("type"), text("message"));
            for source in error["chain"].as_array().expect("sources") {
                record = record.caused_by(source.as_str().expect("a text"));
            }
        }
        record.build()
    }

    fn records(&self) -> Vec<Record> {
        self.fixture["spans"].as_array().expect("spans").iter().map(|span| self.record(span)).collect()
    }

    fn scores(&self) -> Vec<Record> {
        let score = |score: &Value| {
            let name = score["name"].as_str().expect("a name");
            let value = match (&score["number"], &score["flag"], &score["label"]) {
                (Value::Number(number), ..) => Field::F64(number.as_f64().expect("a number")),
                (_, Value::Bool(flag), _) => Field::Bool(*flag),
                (.., label) => Field::Text(label.as_str().expect("a label").to_owned().into()),
            };
            let mut made = RecordScore::new(name, value).with_by(score["by"].as_str().expect("a judge"));
            if let Some(comment) = score["comment"].as_str() {
                made = made.with_comment(comment);
            }
            let span = self.span_id(score["span"].as_str().expect("a span"));
            self.base(RecordBuilder::score(made)).span_id(span).timestamp(self.at).build()
        };
        self.fixture["scores"].as_array().expect("scores").iter().map(score).collect()
    }

    /// Replaces an id in the same way as the fixture does.
    fn named(&self, id: &Value) -> Value {
        let number: u64 = id.as_str().expect("an id").parse().expect("a number");
        let spans = self.fixture["spans"].as_array().expect("spans");
        let name = |span: &&Value| self.span_id(span["name"].as_str().expect("a name")).as_u64() == number;
        json!(format!("<{}>", spans.iter().find(name).expect("a span")["name"].as_str().expect("a name")))
    }
}

fn item(item: &Value) -> RecordItem {
    let text = |name: &str| item[name].as_str();
    let mut made = RecordItem::new(text("type").expect("a type").to_owned(), text("id").expect("an id"));
    if let Some(score) = item["score"].as_f64() {
        made = made.with_score(score);
    }
    if let Some(content) = text("content") {
        made = made.with_content(content);
    }
    if let Some(source) = text("source") {
        made = made.with_source(source);
    }
    made
}

fn object<'a>(value: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    value[name].as_object_mut().expect("an object")
}

/// Removes from the client's span what only that client knows.
fn of_client(mut span: Value) -> Value {
    // The sampling of the client's tracer.
    for name in ["sample_rate", "sampling_decision"] {
        object(&mut span, "_dd").remove(name);
    }
    if let Some(prompt) = span["meta"]["input"]["prompt"].as_object_mut() {
        // The template and its variables, which no record has.
        prompt.retain(|name, _| ["id", "version"].contains(&name.as_str()));
    }
    // The client was told that an embedding has 0 output tokens; the record has none.
    if span["name"] == "query_embedding" {
        object(&mut span, "metrics").remove("output_tokens");
    }
    json_inside(&mut span);
    span
}

/// Parses JSON inside of strings, whose white space and order do not matter.
fn json_inside(span: &mut Value) {
    for side in ["input", "output"] {
        let value = &mut span["meta"][side]["value"];
        if let Some(json) = value.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            *value = json;
        }
    }
    let meta = object(span, "meta");
    for side in ["input", "output"] {
        // Indexing has created the member.
        if let Some(given) = meta.get_mut(side).and_then(Value::as_object_mut) {
            given.retain(|_, value| !value.is_null());
        }
        if meta.get(side).is_some_and(|given| given.as_object().is_none_or(Map::is_empty)) {
            meta.remove(side);
        }
    }
}

fn tags(span: &mut Value) -> BTreeSet<String> {
    let tags = span.as_object_mut().expect("a span").remove("tags").expect("tags");
    tags.as_array().expect("a list").iter().map(|tag| tag.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn a_question_arrives_as_from_datadogs_own_client() {
    let question = Question::new();
    let server = server();
    let spans = sink(&server).agent(server.url()).llm_observability("rag-ask");
    let sent = delivered(&server, &spans, question.records());
    let theirs = fixture("datadog-llmobs.json")["spans"][0]["json"].clone();
    let started: Timestamp = question.fixture["started_at"].as_str().expect("a time").parse().expect("a time");
    let shift = (question.at.as_micros() - started.as_micros()) * 1_000;
    let (sent, theirs) = (sent.as_array().expect("events"), theirs.as_array().expect("events"));
    assert_eq!(sent.len(), theirs.len());
    for (event, theirs) in sent.iter().zip(theirs) {
        assert_eq!((&event["_dd.stage"], &event["event_type"]), (&theirs["_dd.stage"], &theirs["event_type"]));
        let (mut ours, mut theirs) = (event["spans"][0].clone(), of_client(theirs["spans"][0].clone()));
        let (our_tags, their_tags) = (tags(&mut ours), tags(&mut theirs));

        let apm_trace = json!(format!("{TRACE:032x}"));
        assert_eq!(ours["trace_id"], apm_trace);
        ours["trace_id"] = json!("<trace>");
        for name in ["trace_id", "apm_trace_id"] {
            assert_eq!(ours["_dd"][name], apm_trace);
            ours["_dd"][name] = json!("<apm trace>");
        }
        ours["span_id"] = question.named(&ours["span_id"]);
        ours["_dd"]["span_id"] = ours["span_id"].clone();
        if ours["parent_id"] != "undefined" {
            ours["parent_id"] = question.named(&ours["parent_id"]);
        }
        ours["start_ns"] = json!(ours["start_ns"].as_i64().expect("a time") - shift);
        json_inside(&mut ours);
        if ours["name"] == "rerank" {
            // The client has no member for what a task was given besides its input.
            let given = object(&mut ours["meta"], "metadata").remove("input_documents").expect("the candidates");
            assert_eq!(given, json!([{"id": "field-notes#4", "score": 0.91}, {"id": "guide#2", "score": 0.57}]));
        }
        assert_eq!(ours, theirs, "{}", theirs["name"]);

        let only_ours: Vec<_> =
            our_tags.difference(&their_tags).filter(|tag| !tag.starts_with("stage_kind:")).collect();
        let only_theirs: Vec<_> =
            their_tags.difference(&our_tags).map(|tag| tag.split(':').next().expect("a key")).collect();
        // The language, and the root's tag, which scores of a trace join.
        let root = format!("root_of_trace:{TRACE:032x}");
        let ours_alone =
            if theirs["parent_id"] == "undefined" { vec!["language:rust", &root] } else { vec!["language:rust"] };
        assert_eq!(only_ours, ours_alone);
        // The client's version, its other name for the service, and how it learned of a prompt.
        let known = ["agent_service", "ddtrace.version", "language", "prompt_tracking_instrumentation_method"];
        assert!(only_theirs.iter().all(|key| known.contains(key)), "{only_theirs:?}");
    }
}

#[test]
fn scores_arrive_as_from_datadogs_own_client() {
    let question = Question::new();
    let server = server();
    let sink = sink(&server).agent(server.url()).llm_observability("rag-ask").evaluations();
    let sent = delivered(&server, &sink, question.scores());
    let theirs = fixture("datadog-llmobs.json")["evaluations"][0]["json"].clone();
    let metrics = |body: &Value| body["data"]["attributes"]["metrics"].as_array().expect("metrics").clone();
    for (mut ours, mut theirs) in metrics(&sent).into_iter().zip(metrics(&theirs)) {
        let (our_tags, their_tags) = (tags(&mut ours), tags(&mut theirs));
        assert!(their_tags.iter().filter(|tag| tag.starts_with("by:")).all(|tag| our_tags.contains(tag)));
        for object in [&mut ours, &mut theirs] {
            let members = object.as_object_mut().expect("an object");
            // The client's own names for the subject of an evaluation, which the documented intake
            // does not have, and the time.
            for name in ["eval_scope", "event_kind", "timestamp_ms"] {
                members.remove(name);
            }
        }
        ours["join_on"]["span"]["span_id"] = question.named(&ours["join_on"]["span"]["span_id"]);
        ours["join_on"]["span"]["trace_id"] = json!("<trace>");
        assert_eq!(ours, theirs);
    }
}
