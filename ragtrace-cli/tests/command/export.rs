//! Tests of exports.

use std::io::Read;
use std::process::Stdio;

use serde_json::{Value as Json, json};

use crate::support::{File, Make, ingestion};
use crate::{OTHER, code, command, holding, ragtrace, stderr, stdout};

fn score(name: &str, at_ms: u64) -> ragtrace::Record {
    Make::new("score", name, 1, at_ms).with("score", json!({"name": name, "value": 0.5, "by": "llm"})).record()
}

fn lines(text: &str) -> Vec<Json> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn records_come_from_the_oldest_to_the_newest_and_scores_after_them() {
    let file = holding(ingestion().into_iter().chain([score("helpful", 7)]));
    let exported = lines(&stdout(&ragtrace(&file, &["export"])));
    assert_eq!(exported.len(), 9);
    let times: Vec<_> = exported[..8].iter().map(|record| record["timestamp"].as_str().expect("a time")).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!((&exported[0]["message"], &exported[8]["event"]), (&json!("ingestion_started"), &json!("score")));
    assert!(exported.iter().all(|record| record.get("created_at").is_none()));
    assert_eq!(lines(&stdout(&ragtrace(&file, &["export", "--no-scores"]))).len(), 8);
}

#[test]
fn pages_neither_miss_nor_repeat_a_record_whatever_its_time() {
    // Gaps of years, crowds in one millisecond, and more rows at one instant than a page has.
    let far =
        |at: u64| Make::new("log", "far", 1, 0).with("timestamp", format!("20{at:02}-01-01T00:00:00.000000Z")).record();
    let crowd = (0..9_000).map(|_| Make::new("log", "crowd", 1, 5).record());
    let spread = (0..3_000).map(|at| Make::new("log", "spread", 1, 10 + at % 700).record());
    let file = holding((0..40).map(far).chain(crowd).chain(spread));
    let exported = lines(&stdout(&ragtrace(&file, &["export"])));
    assert_eq!(exported.len(), 12_040);
    let ids: std::collections::HashSet<_> =
        exported.iter().map(|record| record["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), 12_040);
    let times: Vec<_> = exported.iter().map(|record| record["timestamp"].as_str().expect("a time")).collect();
    assert!(times.is_sorted());
}

#[test]
fn an_export_takes_the_filters_of_records_for_scores_too() {
    let other = Make::new("log", "ask", 9, 40).trace(OTHER).with("tenant_id", "umbrella").record();
    let file = holding(ingestion().into_iter().chain([other, score("helpful", 7)]));
    let count = |arguments: &[&str]| {
        let output = ragtrace(&file, &[&["export"], arguments].concat());
        if code(&output) == Some(1) { 0 } else { stdout(&output).lines().count() }
    };
    assert_eq!(count(&["--trace", OTHER]), 1);
    assert_eq!(count(&["--tenant", "umbrella"]), 1);
    assert_eq!(count(&["--level", "error"]), 2);
    assert_eq!(count(&["--event", "score"]), 1);
    assert_eq!(count(&["--event", "failed", "--stage", "chunk_embedding"]), 1);
    assert_eq!(count(&["--text", "OVERLOADED"]), 2);
    assert_eq!(count(&["--user", "nobody"]), 0);
    assert_eq!(count(&["--since", "2026-11-22T08:20:12Z"]), 2);
    assert_eq!(count(&["--until", "2026-11-22T08:20:11.005Z", "--no-scores"]), 2);
}

#[test]
fn a_file_is_replaced_once_the_new_one_is_complete() {
    let file = holding(ingestion());
    let path = file.folder.path().join("out.jsonl");
    std::fs::write(&path, "the export of yesterday").expect("written");
    let output = ragtrace(&file, &["export", "--output", "out.jsonl"]);
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("8 records and 0 scores are in `out.jsonl`"), "{}", stderr(&output));
    assert_eq!(lines(&std::fs::read_to_string(&path).expect("there")).len(), 8);
    // Nothing matches: the file must not keep what was right yesterday.
    assert_eq!(code(&ragtrace(&file, &["export", "--output", "out.jsonl", "--user", "nobody"])), Some(1));
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "");
    // It fails: the file stays.
    std::fs::write(&path, "kept").expect("written");
    assert_eq!(code(&ragtrace(&file, &["export", "--output", "out.jsonl", "--store", "sqlite:none.db"])), Some(2));
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "kept");
    for wrong in ["no/such/folder/x.jsonl", "."] {
        let output = ragtrace(&file, &["export", "--output", wrong]);
        assert_eq!(code(&output), Some(2));
        assert!(stderr(&output).contains("cannot be written"), "{}", stderr(&output));
    }
    let left = std::fs::read_dir(file.folder.path()).expect("a folder").flatten();
    assert!(left.into_iter().all(|entry| !entry.file_name().to_string_lossy().starts_with(".ragtrace-export")));
}

#[cfg(unix)]
#[test]
fn an_interrupted_export_leaves_no_file() {
    let records = (0..60_000).map(|at| Make::new("log", "busy", 1, at).record());
    let file = holding(records);
    let mut child = command(&file, &["export", "--output", "out.csv.gz", "--format", "csv"]);
    let mut child = child.stderr(Stdio::piped()).spawn().expect("runs");
    let begun = || {
        let entries = std::fs::read_dir(file.folder.path()).expect("a folder").flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with(".ragtrace-export"))
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !begun() && child.try_wait().expect("known").is_none() {
        assert!(std::time::Instant::now() < deadline, "it begins");
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    kill.expect("kill is there");
    let status = child.wait().expect("ends");
    // It may have been done already.
    let is_there = file.folder.path().join("out.csv.gz").exists();
    assert_eq!((status.code(), is_there), if is_there { (Some(0), true) } else { (Some(130), false) });
    assert!(!begun());
}

#[test]
fn a_compressed_file_is_a_whole_gzip_file() {
    let file = holding(ingestion());
    stdout(&ragtrace(&file, &["export", "-o", "out.jsonl.GZ"]));
    let bytes = std::fs::File::open(file.folder.path().join("out.jsonl.GZ")).expect("there");
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).expect("gzip");
    assert_eq!(lines(&text).len(), 8);
}

#[test]
fn otlp_is_one_request_a_line_and_its_ids_are_those_of_the_records() {
    let log = Make::new("log", "ask", 9, 40).with("message", "a \"line\"\nand more \u{0}").record();
    let file = holding(ingestion().into_iter().chain([log, score("helpful", 7)]));
    let exported = lines(&stdout(&ragtrace(&file, &["export", "--format", "otlp"])));
    let of = |member: &str| -> Vec<&Json> { exported.iter().filter(|line| line.get(member).is_some()).collect() };
    assert_eq!((of("resourceSpans").len(), of("resourceLogs").len()), (1, 2));
    let spans = &of("resourceSpans")[0]["resourceSpans"][0]["scopeSpans"][0]["spans"];
    let spans = spans.as_array().expect("spans");
    assert_eq!(spans.len(), 4);
    assert_eq!(spans[0]["traceId"], "0199a1c27b1e7a549c015f2e8d3b9a10");
    assert_eq!((&spans[0]["spanId"], &spans[0]["name"]), (&json!("0000000000000002"), &json!("file_parsing")));
    assert_eq!(spans[0]["endTimeUnixNano"], "1795335611114000000");
    let names: Vec<_> = exported.iter().flat_map(|line| line.as_object().expect("an object").keys()).collect();
    assert!(names.iter().all(|name| *name == "resourceSpans" || *name == "resourceLogs"));
    let body = &of("resourceLogs")[0]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"]["stringValue"];
    assert_eq!(body, "a \"line\"\nand more \u{fffd}");
    for (signal, others) in [("traces", "resourceLogs"), ("logs", "resourceSpans")] {
        let only = stdout(&ragtrace(&file, &["export", "--format", "otlp", "--signal", signal]));
        assert!(!only.contains(others) && !only.is_empty(), "{signal}");
    }
}

#[test]
fn a_spreadsheet_runs_no_text_of_a_record() {
    let hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "plain", "a,\"b\"\nc"];
    let record = |(at, text): (usize, &&str)| {
        Make::new("failed", "ask", 1, at as u64)
            .with("user_id", *text)
            .with("error", json!({"type": text, "message": text, "chain": []}))
            .metrics(json!({"duration_ms": 5, "count": 3}))
            .record()
    };
    let file = holding(hostile.iter().enumerate().map(record));
    let read = |arguments: &[&str]| -> Vec<csv::StringRecord> {
        let text = stdout(&ragtrace(&file, &[&["export", "--format", "csv"], arguments].concat()));
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().expect("a head").get(13), Some("user_id"));
        reader.records().map(|row| row.expect("a row")).collect()
    };
    let (safe, raw) = (read(&[]), read(&["--raw"]));
    for ((text, safe), raw) in hostile.iter().zip(&safe).zip(&raw) {
        let expected = if matches!(*text, "plain" | "a,\"b\"\nc") { (*text).to_owned() } else { format!("'{text}") };
        assert_eq!((safe.get(13), raw.get(13)), (Some(expected.as_str()), Some(*text)));
        assert_eq!(safe.get(23), Some("5"), "a number stays a number");
    }
    assert_eq!(code(&ragtrace(&file, &["export", "--format", "csv", "--user", "nobody"])), Some(1));
}

#[test]
fn nothing_to_export_exits_with_1_and_wrong_arguments_with_2() {
    let file = holding([]);
    let output = ragtrace(&file, &["export"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: no records match\n"));
    for wrong in [
        &["export", "--format", "xml"][..],
        &["export", "--event", "sang"],
        &["export", "--since", "1h", "--until", "2h"],
    ] {
        assert_eq!(code(&ragtrace(&file, wrong)), Some(2), "{wrong:?}");
    }
    let missing = File::new();
    assert_eq!(code(&ragtrace(&missing, &["export"])), Some(2));
}
