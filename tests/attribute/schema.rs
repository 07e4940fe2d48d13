//! The JSON Schema of stages' records, compared with the actual records.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::time::Duration;

use futures_util::future::FutureExt as _;
use futures_util::stream::{self, Stream, StreamExt as _};
use ragtrace::{stage, stages, stages_schema, traced_stage};
use ragtrace_tests::captured;
use serde_json::{Map, Value, json};

/// Checks `value` by the keywords that these schemas use. Any other keyword fails the test, since
/// it would not be checked.
fn validate(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, says) in schema.as_object().expect("a schema is an object") {
        let is_right = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let pointer = says.as_str().and_then(|says| says.strip_prefix('#')).expect("a reference within");
                let schema = root.pointer(pointer).unwrap_or_else(|| panic!("no {pointer}"));
                return validate(root, schema, value);
            }
            "oneOf" => {
                let schemas = says.as_array().unwrap();
                schemas.iter().filter(|schema| validate(root, schema, value).is_ok()).count() == 1
            }
            "type" => is_a(says, value),
            "const" => says == value,
            "enum" => says.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|number| number >= says.as_f64().unwrap()),
            "items" => value.as_array().unwrap().iter().all(|item| validate(root, says, item).is_ok()),
            "required" => says.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                let object = value.as_object().unwrap();
                let known = object.iter().filter_map(|(name, part)| Some((name, says.get(name)?, part)));
                for (name, schema, part) in known {
                    validate(root, schema, part).map_err(|wrong| format!("{name}: {wrong}"))?;
                }
                true
            }
            "additionalProperties" if *says == json!(false) => {
                let known = schema["properties"].as_object().unwrap();
                value.as_object().unwrap().keys().all(|name| known.contains_key(name))
            }
            other => panic!("the test knows no keyword `{other}`"),
        };
        if !is_right {
            return Err(format!("{value} is not as `{keyword}` says: {says}"));
        }
    }
    Ok(())
}

fn is_a(kinds: &Value, value: &Value) -> bool {
    let is = |kind: &Value| match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        other => panic!("no type `{other}`"),
    };
    kinds.as_array().map_or_else(|| is(kinds), |kinds| kinds.iter().any(is))
}

#[traced_stage(
    "schema.typed",
    kind = embed,
    target = "rag.schema",
    level = "debug",
    fields(a, b = "b", %c, ratio = f64::NAN, absent = None::<u8>, r#type = true),
    ok(|out| d = out.len(), cost_usd = 0.5, as_text = ?out, wide = u128::MAX),
    err(|e| e = e.len(), cost_usd = None::<f64>),
    record(
        f: u32, g: &str, h: bool, i: Option<f64>, took: Duration, path: &Path, r#ref: Option<&'static str>, letter: char,
        count: u16,
    )
)]
async fn typed(a: u32, c: u8, fail: bool) -> Result<Vec<u8>, String> {
    record!(f = 1, g = "g", h = true, i = Some(f64::INFINITY), took = Duration::from_millis(3), path = Path::new("/"));
    record!(r#ref = Some("x"), letter = 'l', count = 7);
    tokio::task::yield_now().await;
    if fail { Err("no".to_owned()) } else { Ok(vec![1]) }
}

#[traced_stage("schema.stream", stream, record(note: String))]
fn streaming(n: u32) -> impl Stream<Item = Result<u32, u32>> {
    stream::iter(0..n).map(|n| {
        record!(note = n.to_string());
        if n > 3 { Err(n) } else { Ok(n) }
    })
}

#[traced_stage("schema.panic")]
fn panicking() -> u32 {
    panic!("on purpose")
}

#[traced_stage("schema.bare")]
fn bare() {}

#[test]
fn every_record_is_as_the_schema_says() {
    let schema: Value = serde_json::from_str(&stages_schema()).unwrap();
    let ((), captured) = captured(async {
        typed(1, 2, false).await.unwrap();
        typed(1, 2, true).await.unwrap_err();
        assert!(typed(1, 2, true).now_or_never().is_none(), "it is cancelled");
        assert_eq!(streaming(2).count().await + streaming(9).count().await, 11);
        assert!(streaming(9).next().await.is_some());
        assert!(AssertUnwindSafe(async { panicking() }).catch_unwind().await.is_err());
        bare();
        stage!("schema.block", fields(n = 1), ok(|out| out = *out), async { 'x' }).await;
    });
    assert_eq!(captured.records().len(), 18);
    for record in captured.records() {
        let json: Value = serde_json::from_str(&record.to_json()).unwrap();
        if let Err(wrong) = validate(&schema, &schema, &json) {
            let alone = validate(&schema, &schema["$defs"][record.stage().unwrap()], &json);
            panic!("{wrong}\n{alone:?}");
        }
    }
}

#[test]
fn what_is_not_declared_is_not_as_the_schema_says() {
    let schema: Value = serde_json::from_str(&stages_schema()).unwrap();
    let right = json!({
        "stage": "schema.bare", "kind": "task", "logger": module_path!(), "event": "completed",
        "metrics": {"duration_ms": 1.5, "count": 2}
    });
    assert_eq!(validate(&schema, &schema, &right), Ok(()));
    let with = |part: &str, value: Value| {
        let mut record = right.clone();
        record[part] = value;
        record
    };
    let wrong = [
        with("stage", json!("schema.none")),
        with("kind", json!("embed")),
        with("event", json!("log")),
        with("metrics", json!({"pages": 1})),
        with("metrics", json!({"count": -1})),
        with("metrics", json!({"duration_ms": "long"})),
        with("context", json!({"pages": 1})),
    ];
    for record in wrong {
        assert!(validate(&schema, &schema, &record).is_err(), "{record}");
    }
}

#[test]
fn a_schema_is_written_in_the_order_in_which_it_is_read() {
    let descriptor = stages().into_iter().find(|stage| stage.name() == "schema.stream").unwrap();
    let (file, line, target) = (descriptor.file(), descriptor.line(), descriptor.target());
    let expected = [
        r#"{"title":"schema.stream","description":"declared at "#,
        &format!(r#"{file}:{line}","type":"object","required":["stage","kind","logger","event"],"properties":{{"#),
        r#""stage":{"const":"schema.stream"},"kind":{"const":"task"},"#,
        &format!(r#""logger":{{"const":"{target}"}},"event":{{"enum":["started","completed","failed","cancelled"]}},"#),
        r#""context":{"type":"object","properties":{"ragtrace.truncated":{"type":"string"},"note":{"type":"string"}},"#,
        r#""additionalProperties":false},"metrics":{"type":"object","properties":{"#,
        r#""duration_ms":{"type":"number","minimum":0},"busy_ms":{"type":"number","minimum":0},"#,
        r#""first_item_ms":{"type":"number","minimum":0},"count":{"type":"integer","minimum":0}},"#,
        r#""additionalProperties":false}},"$schema":"https://json-schema.org/draft/2020-12/schema"}"#,
    ];
    assert_eq!(descriptor.json_schema(), expected.concat());
}

fn properties<'a>(schema: &'a Value, part: &str) -> &'a Map<String, Value> {
    schema["properties"][part]["properties"].as_object().unwrap()
}

#[test]
fn the_schema_says_what_the_attribute_says() {
    let schema: Value = serde_json::from_str(&stages_schema()).unwrap();
    let typed = &schema["$defs"]["schema.typed"];
    assert_eq!(typed["properties"]["kind"]["const"], "embed");
    let number = json!(["number", "null"]);
    assert_eq!(
        (&properties(typed, "metrics")["f"]["type"], &properties(typed, "metrics")["i"]["type"]),
        (&number, &number)
    );
    let of = |name: &str| properties(typed, "context")[name]["type"].clone();
    assert_eq!([of("g"), of("ref"), of("letter")], ["string"; 3]);
    assert_eq!(of("h"), "boolean");
    let descriptor = stages().into_iter().find(|stage| stage.name() == "schema.typed").unwrap();
    let alone: Value = serde_json::from_str(&descriptor.json_schema()).unwrap();
    assert_eq!(alone["properties"], typed["properties"]);
}
