//! The catalog of what is linked, and its schema.

use std::collections::BTreeSet;
use std::process::Command;

use ragtrace::{FieldSource, StageDescriptor, StageKind, stage, stages, stages_schema, traced_stage};
use ragtrace_tests::captured;
use serde_json::Value;

fn of(name: &str) -> Vec<&'static StageDescriptor> {
    stages().into_iter().filter(|stage| stage.name() == name).collect()
}

#[expect(dead_code, reason = "the catalog lists it all the same")]
#[traced_stage("catalog.dead", kind = rerank)]
fn dead<T>(_: T) {}

struct Index<T>(T);

impl<T: Copy> Index<T> {
    #[traced_stage("catalog.generic", fields(at))]
    fn get(&self, at: usize) -> T {
        let _ = at;
        self.0
    }
}

trait Search {
    #[traced_stage("catalog.default")]
    async fn search(&self) {}
}

impl Search for u8 {}
impl Search for u16 {}

#[expect(dead_code, reason = "it is listed though it is never run")]
async fn block() {
    stage!("catalog.block", async {}).await;
}

/// A library gives a stage this name too.
#[traced_stage("renamed.twice")]
fn twice() {}

#[traced_stage("catalog.typed", kind = embed, fields(a, b = "b", %c), ok(|out| d = out.len(), cost_usd = 0.5), err(|e| e = e.len()), record(f: u32, g: &str, h: bool, i: Option<f64>))]
async fn run_typed(a: u32, c: u8, fail: bool) -> Result<Vec<u8>, String> {
    record!(f = 1, g = "g", h = true, i = None);
    if fail { Err("no".to_owned()) } else { Ok(vec![1]) }
}

#[test]
fn every_linked_stage_is_listed_once() {
    drop((1_u8.search(), 1_u16.search()));
    assert_eq!(Index(1_u8).get(1) + u8::from(Index('a').get(1) == 'a'), 2);
    for name in ["catalog.dead", "catalog.generic", "catalog.default", "renamed.dead", "renamed.batch", "catalog.block"]
    {
        assert_eq!(of(name).len(), 1, "{name}");
    }
    assert_eq!(of("catalog.dead")[0].kind(), StageKind::Rerank);
    assert!(of("renamed.dead")[0].file().ends_with("renamed/src/lib.rs"));
    let names: Vec<_> = stages().iter().map(|stage| stage.name()).collect();
    assert!(names.is_sorted());
    let sources: BTreeSet<_> = of("catalog.typed")[0].fields().iter().map(|field| field.source() as u8).collect();
    assert_eq!(sources.len(), [FieldSource::Start, FieldSource::Ok, FieldSource::Err, FieldSource::Record].len());
}

fn properties<'a>(schema: &'a Value, part: &str) -> &'a serde_json::Map<String, Value> {
    schema["properties"][part]["properties"].as_object().unwrap()
}

#[test]
fn records_are_as_the_schema_says() {
    let schema: Value = serde_json::from_str(&stages_schema()).unwrap();
    let typed = &schema["$defs"]["catalog.typed"];
    assert_eq!(typed["properties"]["kind"]["const"], "embed");
    assert_eq!(properties(typed, "metrics")["f"]["type"], serde_json::json!(["number", "null"]));
    assert_eq!(properties(typed, "context")["g"]["type"], "string");
    assert_eq!(properties(typed, "context")["h"]["type"], "boolean");
    let alone: Value = serde_json::from_str(&of("catalog.typed")[0].json_schema()).unwrap();
    assert_eq!(alone["properties"], typed["properties"]);

    let ((), captured) = captured(async {
        run_typed(1, 2, false).await.unwrap();
        run_typed(1, 2, true).await.unwrap_err();
    });
    assert_eq!(captured.records().len(), 4);
    for record in captured.records() {
        let record: Value = serde_json::from_str(&record.to_json()).unwrap();
        for part in ["context", "metrics"] {
            for (name, value) in record[part].as_object().into_iter().flatten() {
                let declared = &properties(typed, part).get(name).unwrap_or_else(|| panic!("{part}.{name}"))["type"];
                let is = match value {
                    Value::Number(number) if number.is_u64() => ["number", "integer"],
                    Value::Number(_) => ["number"; 2],
                    Value::String(_) => ["string"; 2],
                    Value::Bool(_) => ["boolean"; 2],
                    _ => ["null"; 2],
                };
                let allows = |kind: &Value| is.iter().any(|is| kind == is);
                let allowed = allows(declared) || declared.as_array().is_some_and(|kinds| kinds.iter().any(allows));
                assert!(allowed, "{part}.{name} is {value}, declared {declared}");
            }
        }
    }
}

#[test]
fn a_name_that_is_declared_twice_is_reported_at_install() {
    const CHILD: &str = "RAGTRACE_TEST_INSTALLS";
    twice();
    if std::env::var_os(CHILD).is_some() {
        drop(ragtrace::builder().console(ragtrace::Console::Off).install().unwrap());
        return;
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "catalog::a_name_that_is_declared_twice_is_reported_at_install"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    let line = said.lines().find(|line| line.contains("`renamed.twice`")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.starts_with("ragtrace: the stage `renamed.twice` is declared 2 times: "), "{line}");
    assert!(line.contains("catalog.rs:") && line.contains("renamed/src/lib.rs:"), "{line}");
    assert!(!said.contains("`catalog.typed`"));
}
