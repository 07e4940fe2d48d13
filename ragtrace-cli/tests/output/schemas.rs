//! The JSON that every command prints is as `docs/schema` says.

use std::path::PathBuf;

use jsonschema::{Retrieve, Uri, Validator};
use serde_json::{Value as Json, json};

use super::run::stdout;
use crate::fixture::{ANSWER, BULK, Fixture, STUCK, UPLOAD, trace_id};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/schema")
}

/// Returns a schema by its name, such as `span`.
fn schema(name: &str) -> Json {
    let path = folder().join(format!("{name}.v1.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// Finds the schemas that others refer to, in the same folder.
#[derive(Clone, Copy)]
struct Neighbours {
    is_strict: bool,
}

impl Retrieve for Neighbours {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Json, Box<dyn std::error::Error + Send + Sync>> {
        let name = uri.as_str().rsplit('/').next().unwrap_or_default();
        let schema = schema(name.trim_end_matches(".v1.json"));
        Ok(if self.is_strict { strict(schema) } else { schema })
    }
}

/// Returns the schema that allows no member that it does not name, so that none is undocumented.
fn strict(mut schema: Json) -> Json {
    match &mut schema {
        Json::Object(members) => {
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
            members.values_mut().for_each(|member| *member = strict(member.take()));
        }
        Json::Array(items) => items.iter_mut().for_each(|item| *item = strict(item.take())),
        _ => {}
    }
    schema
}

fn validator(name: &str, is_strict: bool) -> Validator {
    let schema = if is_strict { strict(schema(name)) } else { schema(name) };
    let options = jsonschema::draft202012::options().with_retriever(Neighbours { is_strict });
    options.build(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A command whose JSON is held against a schema: of each line, and of the one document or of each
/// document of a list.
struct Case {
    arguments: &'static str,
    line: &'static str,
    document: &'static str,
}

const fn list(arguments: &'static str, of: &'static str) -> Case {
    Case { arguments, line: of, document: of }
}

const CASES: [Case; 23] = [
    Case { arguments: "trace ANSWER", line: "span", document: "trace" },
    Case { arguments: "trace UPLOAD", line: "span", document: "trace" },
    Case { arguments: "trace BULK", line: "span", document: "trace" },
    Case { arguments: "trace STUCK", line: "span", document: "trace" },
    list("trace BULK --summary", "stage_totals"),
    list("trace ANSWER --span generation", "span"),
    list("trace UPLOAD --span 000000010000000b", "span"),
    Case { arguments: "diff UPLOAD BULK", line: "stage_diff", document: "trace_diff" },
    Case { arguments: "diff ANSWER UPLOAD --changed", line: "stage_diff", document: "trace_diff" },
    list("traces", "trace_summary"),
    list("logs", "log_row"),
    list("errors", "error_group"),
    list("errors --list", "log_row"),
    list("tail -n 100", "log_row"),
    list("inflight", "log_row"),
    list("stats --since 2d", "stage_stats"),
    list("stats --since 24h", "stage_stats"),
    list("stats --since 2d --by tenant", "stage_stats"),
    list("stats --since 2d --by user --no-compare", "stage_stats"),
    list("stats --since 2d --by version", "stage_stats"),
    list("stats --since 2d --costs", "cost_row"),
    list("stats --since 2d --retrieval", "retrieval_stats"),
    list("stages", "catalog_stage"),
];

fn check(validator: &Validator, document: &Json, of: &str) {
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert!(errors.is_empty(), "{of}: {errors:#?}\n{document}");
}

#[test]
fn the_json_of_every_command_is_as_its_schema_says_and_has_no_other_members() {
    let fixture = Fixture::new();
    let named = [("ANSWER", ANSWER), ("UPLOAD", UPLOAD), ("BULK", BULK), ("STUCK", STUCK)];
    for Case { arguments, line, document } in &CASES {
        let argument = |word: &str| {
            let number = named.iter().find(|(name, _)| *name == word);
            number.map_or_else(|| word.to_owned(), |(_, number)| trace_id(*number).to_string())
        };
        let words: Vec<String> = arguments.split(' ').map(argument).collect();
        let printed = |format: &str| {
            let words = words.iter().map(String::as_str).chain(["--format", format]);
            stdout(fixture.file.folder.path(), &words.collect::<Vec<_>>())
        };
        let (line, document) = (validator(line, true), validator(document, true));
        match serde_json::from_str(&printed("json")).expect("JSON") {
            Json::Array(documents) => {
                assert!(!documents.is_empty(), "{arguments}");
                for one in &documents {
                    check(&document, one, arguments);
                }
            }
            one => check(&document, &one, arguments),
        }
        let score = validator("score_row", true);
        for text in printed("jsonl").lines() {
            let one: Json = serde_json::from_str(text).expect("JSON");
            // Behind the spans of a trace come the scores that belong to none of them.
            let is_loose = *arguments == "trace ANSWER" && one.get("event").is_some();
            check(if is_loose { &score } else { &line }, &one, arguments);
        }
    }
}

#[test]
fn every_line_of_an_export_is_a_record_and_scores_come_last() {
    let fixture = Fixture::new();
    let lines = stdout(fixture.file.folder.path(), &["export", "--since", "2d"]);
    let lines: Vec<Json> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let record = validator("record", true);
    for line in &lines {
        check(&record, line, "export");
    }
    let scores = lines.iter().rev().take_while(|line| line["event"] == "score").count();
    assert_eq!((scores, lines.iter().filter(|line| line["event"] == "score").count()), (2, 2));
}

#[test]
fn the_line_that_a_purge_leaves_is_as_its_schema_says() {
    let fixture = Fixture::new();
    let folder = fixture.file.folder.path();
    stdout(folder, &["purge", "--user", "dave", "--actor", "the operator", "--reference", "T-17"]);
    let listed = stdout(folder, &["purge", "--list", "--format", "jsonl"]);
    let entry: Json = serde_json::from_str(&listed).expect("one line");
    check(&validator("audit_entry", true), &entry, "purge --list");
    assert_eq!((&entry["actor"], &entry["reference"]), (&json!("the operator"), &json!("T-17")));
}

#[test]
fn every_schema_is_one_and_is_in_the_list() {
    let readme = std::fs::read_to_string(folder().join("README.md")).expect("a list");
    for file in std::fs::read_dir(folder()).expect("a folder") {
        let name = file.expect("a file").file_name().into_string().expect("UTF-8");
        let Some(name) = name.strip_suffix(".v1.json") else { continue };
        assert!(readme.contains(&format!("[`{name}`]({name}.v1.json)")), "{name} is missing in the list");
        let schema = schema(name);
        assert!(jsonschema::draft202012::meta::is_valid(&schema), "{name}");
        validator(name, false);
        let described = |property: &Json| property.get("description").is_some();
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (member, property) in properties {
            assert!(described(property), "{name}: {member} has no description");
        }
    }
}

/// A change of a document.
type Change = fn(&mut Json);

#[test]
fn a_document_that_is_wrong_is_rejected_and_one_with_more_members_is_not() {
    let fixture = Fixture::new();
    let arguments = ["trace", &trace_id(ANSWER).to_string(), "--format", "json"];
    let trace: Json = serde_json::from_str(&stdout(fixture.file.folder.path(), &arguments)).expect("JSON");
    let schema = validator("trace", false);
    check(&schema, &trace, "as printed");
    let changed = |change: Change| {
        let mut trace = trace.clone();
        change(&mut trace);
        schema.is_valid(&trace)
    };
    assert!(changed(|trace| trace["new"] = json!(1)));
    assert!(changed(|trace| trace["spans"][0]["new"] = json!({"a": []})));
    let wrong: [(&str, Change); 9] = [
        ("a status that is none", |trace| trace["status"] = json!("done")),
        ("a number as text", |trace| trace["duration_ms"] = json!("12")),
        ("a negative duration", |trace| trace["spans"][0]["duration_ms"] = json!(-1)),
        ("a fraction as a count", |trace| trace["spans"][1]["count"] = json!(1.5)),
        ("no self time", |trace| drop(trace["spans"][0].as_object_mut().expect("a span").remove("self_ms"))),
        ("an id in another form", |trace| trace["trace_id"] = json!("0199A1C2")),
        ("a time in another form", |trace| trace["spans"][0]["started_at"] = json!("yesterday")),
        ("a log row without a time", |trace| {
            drop(trace["logs"][0].as_object_mut().expect("a row").remove("created_at"));
        }),
        ("an item without an id", |trace| trace["spans"][2]["generated"] = json!([{"type": "chunk"}])),
    ];
    for (what, change) in wrong {
        assert!(!changed(change), "{what}");
    }
}
