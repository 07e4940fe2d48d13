//! Tests of imports.

use std::io::Write;
use std::process::Stdio;

use ragtrace::{Record, Timestamp};
use serde_json::{Value as Json, json};

use crate::support::{File, Make, ingestion};
use crate::{code, command, holding, ragtrace, stderr, stdout};

/// Returns a run of a local root and a child, as records of now, so that `stats` shows them.
fn run(number: u64, instance: u64) -> Vec<Record> {
    let now = Timestamp::now().to_string();
    let trace = uuid::Uuid::from_u128(u128::from(number) + 1).to_string();
    let make = |event: &str, stage: &str, span: u64| {
        Make::new(event, stage, number * 10 + span, 0)
            .trace(&trace)
            .with("timestamp", now.clone())
            .with("instance", uuid::Uuid::from_u128(u128::from(instance) + 7).to_string())
    };
    let metrics = json!({"duration_ms": 12.5, "count": 2, "cost_usd": 0.25});
    vec![
        make("started", "answer", 1).record(),
        make("completed", "retrieval", 2).parent(number * 10 + 1).metrics(metrics.clone()).record(),
        make("completed", "answer", 1).with("local_root", true).metrics(metrics).record(),
    ]
}

fn write(file: &File, name: &str, records: &[Record]) {
    let text: String = records.iter().map(|record| record.to_json() + "\n").collect();
    std::fs::write(file.folder.path().join(name), text).expect("written");
}

fn json(file: &File, arguments: &[&str]) -> Json {
    let all = [arguments, &["--format", "json"]].concat();
    serde_json::from_str(&stdout(&ragtrace(file, &all))).expect("JSON")
}

/// Returns the numbers of finished traces, and of runs by `stats`.
fn counts(file: &File) -> (usize, u64) {
    let stats = json(file, &["stats", "--no-compare"]);
    let runs = stats.as_array().expect("a list").iter().map(|row| row["runs"].as_u64().expect("a number")).sum();
    (json(file, &["traces", "--limit", "100000"]).as_array().expect("a list").len(), runs)
}

#[test]
fn an_export_is_imported_as_the_same_store() {
    let links = json!([{"trace_id": "0199a1c2-7b1e-7a54-9c01-ffffffffffff", "span_id": "00000000000000aa"}]);
    let rich = Make::new("completed", "retrieval", 77, 50)
        .with("local_root", true)
        .with("links", links)
        .with("used", json!([{"type": "document", "id": "d1"}]))
        .with("generated", json!([{"type": "chunk", "id": "c1", "score": 0.91}]))
        .with("session_id", "chat-1")
        .with("stack_trace", "at main\nat end")
        .with("source", json!({"file": "src/a.rs", "line": 7}))
        .with("context", json!({"input": "naïve \u{1f600} \u{202e}", "n": 1, "f": 1.5, "b": true, "list": [1, "two"]}));
    let score = Make::new("score", "helpful", 1, 60)
        .with("score", json!({"name": "helpful", "value": true, "by": "human", "comment": "ok"}));
    let source = holding(ingestion().into_iter().chain([rich.record(), score.record()]));
    stdout(&ragtrace(&source, &["export", "--output", "out.jsonl.gz"]));
    let target = File::new();
    std::fs::copy(source.folder.path().join("out.jsonl.gz"), target.folder.path().join("in.gz")).expect("copied");
    let said = stdout(&ragtrace(&target, &["import", "in.gz"]));
    assert_eq!(said, "9 records and 1 scores imported; 0 were there already; 0 lines left out\n");
    let exports = [&source, &target].map(|file| stdout(&ragtrace(file, &["export"])));
    assert_eq!(exports[0], exports[1]);
    assert!(exports[0].contains("00000000000000aa") && exports[0].contains("\"used\""), "{}", exports[0]);
    let traces = [&source, &target].map(|file| json(file, &["traces"]));
    assert_eq!(traces[0], traces[1]);
}

#[test]
fn nothing_is_stored_or_counted_twice_however_often_and_in_whichever_pieces_it_comes() {
    let file = File::new();
    let all: Vec<Vec<Record>> = (0..40).map(|number| run(number, number % 3)).collect();
    let whole = all.concat();
    write(&file, "half.jsonl", &all[..20].concat());
    write(&file, "whole.jsonl", &whole);
    let mut backwards = whole.clone();
    backwards.reverse();
    write(&file, "backwards.jsonl", &backwards);
    let said = stdout(&ragtrace(&file, &["import", "half.jsonl"]));
    assert!(said.starts_with("60 records and 0 scores imported; 0 were there"), "{said}");
    assert_eq!(counts(&file), (20, 40));
    let said = stdout(&ragtrace(&file, &["import", "whole.jsonl", "whole.jsonl"]));
    assert!(said.starts_with("60 records and 0 scores imported; 180 were there"), "{said}");
    assert_eq!(counts(&file), (40, 80));
    stdout(&ragtrace(&file, &["import", "backwards.jsonl", "half.jsonl"]));
    assert_eq!(counts(&file), (40, 80));
    let cost: f64 = json(&file, &["stats", "--no-compare"])[0]["cost_usd"].as_f64().expect("a number");
    assert!((cost - 10.0).abs() < 1e-9, "{cost}");
}

#[test]
fn runs_that_their_own_process_counted_are_not_counted_again_even_if_their_records_are_gone() {
    // The support's batch stores the counts as a live process does.
    let records: Vec<Record> = (0..5).flat_map(|number| run(number, 0)).collect();
    let live = holding(records.clone());
    assert_eq!(counts(&live), (5, 10));
    write(&live, "backup.jsonl", &records);
    let said = stdout(&ragtrace(&live, &["import", "backup.jsonl"]));
    assert!(said.starts_with("0 records and 0 scores imported; 15 were there"), "{said}");
    assert_eq!(counts(&live), (5, 10));
    // Retention has removed the records, and kept the counts.
    stdout(&ragtrace(&live, &["retention", "--days", "0", "--sample", "0", "--forget-errors"]));
    let before = counts(&live);
    stdout(&ragtrace(&live, &["import", "backup.jsonl"]));
    assert_eq!(counts(&live), before);
}

#[test]
fn an_import_that_was_killed_is_continued() {
    let file = File::new();
    let records: Vec<Record> = (0..8_000).flat_map(|number| run(number, number % 2)).collect();
    write(&file, "in.jsonl", &records);
    stdout(&ragtrace(&file, &["migrate"]));
    let mut killed = 0;
    for _ in 0..3 {
        let mut child = command(&file, &["import", "in.jsonl"]).stdout(Stdio::null()).spawn().expect("runs");
        let stored = || json_or_empty(&file);
        let before = stored();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while stored() == before && child.try_wait().expect("known").is_none() {
            assert!(std::time::Instant::now() < deadline, "it begins");
        }
        killed += u32::from(child.try_wait().expect("known").is_none());
        child.kill().expect("it can be killed");
        child.wait().expect("ends");
    }
    assert!(killed > 0, "at least one was killed in the middle");
    let said = stdout(&ragtrace(&file, &["import", "in.jsonl"]));
    assert!(said.contains("; 0 lines left out"), "{said}");
    assert_eq!(counts(&file), (8_000, 16_000));
    let exported = stdout(&ragtrace(&file, &["export"])).lines().count();
    assert_eq!(exported, 24_000);
}

/// Returns the number of records that the store has.
fn json_or_empty(file: &File) -> usize {
    let output = ragtrace(file, &["traces", "--limit", "100000", "--format", "jsonl"]);
    output.stdout.iter().filter(|byte| **byte == b'\n').count()
}

#[test]
fn bad_lines_are_told_with_their_numbers_and_stop_nothing_else() {
    let file = File::new();
    let good = ingestion();
    let orphan =
        Make::new("score", "lost", 1, 0).with("trace_id", Json::Null).with("score", json!({"name": "a", "value": 1}));
    let lines = [
        good[0].to_json(),
        "{\"id\": \"no record\"}".to_owned(),
        String::new(),
        "not JSON".to_owned(),
        orphan.record().to_json(),
        good[1].to_json(),
    ];
    let mut bytes = lines.join("\r\n").into_bytes();
    bytes.extend(b"\n\xff\xfe\n");
    bytes.extend(good[2].to_json().as_bytes());
    std::fs::write(file.folder.path().join("in.jsonl"), bytes).expect("written");
    let output = ragtrace(&file, &["import", "in.jsonl"]);
    assert_eq!(code(&output), Some(2));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said, "3 records and 0 scores imported; 0 were there already; 4 lines left out\n");
    for told in ["line 2: ", "line 4: ", "line 5: the score is of no trace", "line 7: the line is not UTF-8"] {
        assert!(stderr(&output).contains(told), "{told}: {}", stderr(&output));
    }
    // Strictly, the first one ends it, and what came before it is stored.
    let other = File::new();
    std::fs::copy(file.folder.path().join("in.jsonl"), other.folder.path().join("in.jsonl")).expect("copied");
    let output = ragtrace(&other, &["import", "in.jsonl", "--strict"]);
    assert_eq!(code(&output), Some(2));
    assert!(stderr(&output).contains("line 2: "), "{}", stderr(&output));
    assert_eq!(stdout(&ragtrace(&other, &["export"])).lines().count(), 1);
}

#[test]
fn a_score_is_refused_where_its_trace_is_of_another_tenant() {
    let file = holding(ingestion());
    let score = |tenant: &str| {
        Make::new("score", "helpful", 1, 0)
            .with("tenant_id", tenant)
            .with("score", json!({"name": "a", "value": 1}))
            .record()
    };
    write(&file, "in.jsonl", &[score("umbrella"), score("acme")]);
    let output = ragtrace(&file, &["import", "in.jsonl"]);
    assert_eq!(code(&output), Some(2));
    assert!(
        stderr(&output).contains("line 1: the trace of the score belongs to another tenant"),
        "{}",
        stderr(&output)
    );
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("0 records and 1 scores imported"));
}

#[test]
fn standard_input_is_a_file_and_nothing_is_no_failure_of_it() {
    let file = File::new();
    let mut child =
        command(&file, &["import", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("runs");
    let mut input = child.stdin.take().expect("a pipe");
    for record in ingestion() {
        writeln!(input, "{}", record.to_json()).expect("it reads");
    }
    drop(input);
    let output = child.wait_with_output().expect("ends");
    assert!(stdout(&output).starts_with("8 records"), "{}", stdout(&output));
    std::fs::write(file.folder.path().join("empty.jsonl"), "\n\n").expect("written");
    let output = ragtrace(&file, &["import", "empty.jsonl"]);
    assert_eq!((code(&output), stderr(&output).as_str()), (Some(1), "ragtrace: there are no records to import\n"));
    for wrong in [&["import"][..], &["import", "none.jsonl"], &["import", "."]] {
        assert_eq!(code(&ragtrace(&file, wrong)), Some(2), "{wrong:?}");
    }
    // A file that is cut off in the middle says where.
    stdout(&ragtrace(&file, &["export", "--output", "out.jsonl.gz"]));
    let path = file.folder.path().join("out.jsonl.gz");
    let bytes = std::fs::read(&path).expect("there");
    std::fs::write(&path, &bytes[..bytes.len() - 20]).expect("cut");
    let output = ragtrace(&file, &["import", "out.jsonl.gz"]);
    assert_eq!(code(&output), Some(2));
    assert!(stderr(&output).contains("`out.jsonl.gz`, line "), "{}", stderr(&output));
}
