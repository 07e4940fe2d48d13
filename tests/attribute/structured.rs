//! Structured values: fields of any `Serialize` type, as JSON.

use std::collections::BTreeMap;

use ragtrace::{AsJson, Record, ToValue, Value, json, testing, traced_stage};
use serde_json::{Value as Tree, json as tree};

#[traced_stage(
    "structured.search",
    kind = retrieve,
    fields(filters = json(filters), n = 1),
    ok(|found| first = json(&found.first()), all = ragtrace::json(found)),
    record(input: AsJson<'_, Tree>, rest: Value)
)]
fn search(filters: &Tree, found: Vec<Tree>) -> Vec<Tree> {
    let messages = tree!([{"role": "user", "content": "what?"}]);
    record!(input = json(&messages), rest = ragtrace::ToValue::to_value(&json(&[1, 2])));
    found
}

fn end(filters: &Tree, found: Vec<Tree>) -> Record {
    let (_, captured) = testing::capture_sync(|| search(filters, found));
    let record = captured.stage("structured.search").completed().one().clone();
    let read = Record::from_json(&record.to_json()).expect("canonical JSON");
    assert_eq!(read.to_json(), record.to_json());
    record
}

#[test]
fn a_structured_value_is_kept_as_json() {
    let record = end(&tree!({"years": [2024, 2025], "author": null}), vec![tree!(0.5), tree!({"a": " b "})]);
    assert_eq!(record.field("filters").and_then(Value::as_json), Some(r#"{"author":null,"years":[2024,2025]}"#));
    assert_eq!(record.field("all").and_then(Value::as_json), Some(r#"[0.5,{"a":" b "}]"#));
    assert_eq!(record.metric("first"), Some(0.5), "a number of a result is a metric");
    assert_eq!(record.field("input").and_then(Value::as_json), Some(r#"[{"content":"what?","role":"user"}]"#));
    assert_eq!(record.field("rest").and_then(Value::as_json), Some("[1,2]"));
    let json: Tree = serde_json::from_str(&record.to_json()).expect("JSON");
    assert_eq!(json["context"]["filters"]["years"][1], 2025);
}

#[test]
fn what_is_a_value_by_itself_is_recorded_as_one_and_nothing_is_left_out() {
    let text = end(&tree!("{\"a\":1}"), vec![]);
    assert_eq!(text.field("filters").and_then(Value::as_str), Some("{\"a\":1}"), "a text with JSON in it is a text");
    assert_eq!((text.field("first"), text.field("all").and_then(Value::as_json)), (None, Some("[]")));
    let read = Record::from_json(&text.to_json()).expect("canonical JSON");
    assert_eq!(read.field("filters").and_then(Value::as_str), Some("{\"a\":1}"));
    assert_eq!(end(&tree!(true), vec![]).field("filters"), Some(&true.into()));
    assert_eq!(end(&tree!(null), vec![]).field("filters"), None);
}

#[traced_stage("structured.failing", fields(bad = json(&keys), good = 1))]
fn failing(keys: BTreeMap<Vec<u8>, u8>) {}

#[test]
fn what_cannot_be_serialised_is_a_mark_and_the_stage_goes_on() {
    let ((), captured) = testing::capture_sync(|| failing(BTreeMap::from([(vec![1], 2)])));
    let record = captured.stage("structured.failing").completed().one();
    let mark = "[could not be read: its `Serialize` failed: key must be a string]";
    assert_eq!((record.field("bad"), record.field("good")), (Some(&mark.into()), Some(&1_u64.into())));
}

/// JSON that the application makes itself.
struct OfItsOwn(&'static str);

impl ToValue for OfItsOwn {
    fn to_value(&self) -> Value {
        Value::Json(self.0.into())
    }
}

#[traced_stage("structured.own", fields(own = own, n = 1), ok(|found| found = found))]
fn with_own(own: &OfItsOwn) -> OfItsOwn {
    OfItsOwn(own.0)
}

#[test]
fn json_of_the_application_s_making_takes_one_line_and_what_is_none_is_a_text() {
    let own = |json: &'static str| {
        let (_, captured) = testing::capture_sync(|| with_own(&OfItsOwn(json)));
        let record = captured.stage("structured.own").completed().one().clone();
        let line = record.to_json();
        assert_eq!((line.lines().count(), record.field("n")), (1, Some(&1_u64.into())), "{line}");
        let read = Record::from_json(&line).expect("canonical JSON");
        let fields = ["own", "found"].map(|name| read.field(name).cloned());
        let is_metric = read.metric("found").is_some();
        assert!(fields[0] == fields[1] || is_metric, "{line}");
        fields[0].clone()
    };
    let pretty = own("{\n  \"a b\": [\n    1,\n    \"\\n\"\n  ]\n}\n");
    assert_eq!(pretty.as_ref().and_then(Value::as_json), Some(r#"{"a b":[1,"\n"]}"#));
    for text in ["", "{},\"a\":1", "{", "]", "a\nb", "[\"a\nb\"]", "[1] [2]"] {
        assert_eq!(own(text), Some(text.into()));
    }
    assert_eq!((own(" 7 "), own("\"a\""), own("null")), (Some(7_u8.into()), Some("a".into()), None));
}
