//! The page of a trace, what its scripts ask for, and the comparison of two.

use std::time::Duration;

use ragtrace::{Record, Timestamp};
use serde_json::{Value as Json, json};

use crate::support::{Make, TRACE, ingestion};
use crate::viewer::{Viewer, holding};

/// Returns a finished run of alice or bob, in a trace of its own, that ended some minutes ago.
fn run(number: u8, minutes: u64, user: &str) -> Record {
    let at = Timestamp::now().minus(Duration::from_secs(60 * minutes));
    Make::new("completed", "question", 1, 0)
        .trace(&id(number))
        .with("timestamp", at.to_string())
        .with("local_root", true)
        .with("user_id", user)
        .metrics(json!({"duration_ms": 100 * u64::from(number)}))
        .record()
}

fn id(number: u8) -> String {
    format!("0199a1c2-7b1e-7a54-9c01-0000000000{number:02}")
}

/// Returns the columns that a page contains for its script.
fn embedded(page: &str) -> Json {
    let data = page.split("id=\"trace-data\" type=\"application/json\">").nth(1).expect("the page has its data");
    serde_json::from_str(data.split("</script>").next().expect("an end")).expect("JSON")
}

#[test]
fn a_page_has_the_skeleton_of_its_trace_and_tells_why_it_failed() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let page = viewer.get(&format!("/trace/{TRACE}")).expect(200);
    let columns = embedded(&page.body);
    assert_eq!(columns["state"], "failed");
    assert_eq!(columns["status"], "fccf");
    assert_eq!(columns["depth"], json!([0, 1, 1, 1]));
    assert_eq!(columns["start"], json!([0, 2_000, 116_000, 201_000]));
    assert_eq!(columns["took"], json!([1_420_000, 112_000, 84_100, 1_218_000]));
    assert_eq!(columns["count"], json!([null, 3, 128, 1_280]));
    assert_eq!(columns["cost"], json!([null, null, null, 0.0021]));
    assert_eq!(columns["error"]["3"], "EmbedError: the model is overloaded");
    let critical = columns["critical"].as_array().expect("a list");
    let sum: u64 = critical.iter().map(|part| part[2].as_u64().expect("to") - part[1].as_u64().expect("from")).sum();
    assert!((1_419_990..=1_420_010).contains(&sum), "the path is as long as the trace: {critical:?}");
    assert!(page.body.contains("503 Service Unavailable"));
    assert_eq!(page.body.matches("the model is overloaded</span>").count(), 1, "an error is told once, where it arose");
}

#[test]
fn a_trace_that_has_not_changed_is_not_sent_again() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let columns = viewer.get(&format!("/trace/{TRACE}/waterfall.json")).expect(200).json();
    let version = columns["version"].as_str().expect("a text");
    viewer.get(&format!("/trace/{TRACE}/waterfall.json?version={version}")).expect(204);
    viewer.get(&format!("/trace/{TRACE}/waterfall.json?version=another")).expect(200);
}

#[test]
fn the_download_is_the_json_of_the_store() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let answer = viewer.get(&format!("/trace/{TRACE}.json")).expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    let trace = answer.json();
    assert_eq!((&trace["trace_id"], trace["spans"].as_array().map(Vec::len)), (&json!(TRACE), Some(4)));
}

#[test]
fn a_panel_has_what_was_recorded_in_its_span() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let panel = |span: u64| viewer.get(&format!("/trace/{TRACE}/span/{span:016x}"));
    let failed = panel(4).expect(200).body;
    for part in ["chunk_embedding", "the model is overloaded", "503 Service Unavailable", "1,280", "$0.0021"] {
        assert!(failed.contains(part), "{part}: {failed}");
    }
    let chunking = panel(3).expect(200).body;
    assert!(chunking.contains("report.pdf") && chunking.contains("/?field=doc.name%3Dreport.pdf"), "{chunking}");
    assert!(!chunking.contains("<html"), "a fragment");
    panel(99).expect(404);
    viewer.get(&format!("/trace/{TRACE}/span/nonsense")).expect(404);
}

#[test]
fn what_is_no_trace_is_not_found() {
    let file = holding(ingestion());
    let viewer = Viewer::of(&file.url(), &[]);
    let other = id(99);
    for path in
        ["/trace/nonsense", "/trace/", "/trace/..%2f..%2fetc%2fpasswd", "/trace/%00", &format!("/trace/{other}")]
    {
        viewer.get(path).expect(404);
    }
    for path in ["waterfall.json", "find.json?q=a", "neighbours.json", "span/0000000000000001"] {
        viewer.get(&format!("/trace/{other}/{path}")).expect(404);
    }
    let problem = viewer.get(&format!("/trace/{other}.json")).expect(404);
    assert_eq!(problem.header("content-type"), Some("application/problem+json"));
}

#[test]
fn a_text_is_found_in_fields_errors_and_logs_whatever_its_case() {
    let log = Make::new("log", "document_chunking", 3, 150)
        .parent(1)
        .with("id", uuid::Uuid::new_v4().to_string())
        .with("message", "a page in LANDSCAPE")
        .record();
    let file = holding(ingestion().into_iter().chain([log]));
    let viewer = Viewer::of(&file.url(), &[]);
    let found =
        |text: &str| viewer.get(&format!("/trace/{TRACE}/find.json?q={text}")).expect(200).json()["spans"].clone();
    let span = |number: u64| format!("{number:016x}");
    assert_eq!(found("REPORT.pdf"), json!([span(3)]));
    assert_eq!(found("landscape"), json!([span(3)]));
    assert_eq!(found("unavailable"), json!([span(1), span(4)]));
    assert_eq!(found("nowhere"), json!([]));
    assert_eq!(found(""), json!([]));
}

#[test]
fn the_neighbours_are_those_of_the_list_that_led_here() {
    let runs =
        [run(1, 50_000, "alice"), run(2, 900, "bob"), run(3, 800, "alice"), run(4, 5, "bob"), run(5, 1, "alice")];
    let file = holding(runs);
    let viewer = Viewer::of(&file.url(), &[]);
    let around = |number: u8, from: &str| {
        let found = viewer.get(&format!("/trace/{}/neighbours.json?from={from}", id(number))).expect(200).json();
        ["newer", "older", "run_before"].map(|part| found[part].as_str().map(ToOwned::to_owned))
    };
    let some = |number: u8| Some(id(number));
    assert_eq!(around(3, ""), [some(4), some(2), some(2)]);
    assert_eq!(around(3, "user%3Dalice"), [some(5), some(1), some(2)]);
    assert_eq!(around(3, "user%3Dalice%26limit%3D1%26after%3Dx"), [some(5), some(1), some(2)]);
    assert_eq!(around(5, "user%3Dalice"), [None, some(3), some(4)]);
    assert_eq!(around(1, ""), [some(2), None, None]);
    viewer.get(&format!("/trace/{}/neighbours.json?from=status%3Dodd", id(3))).expect(400);
}

#[test]
fn two_traces_are_compared_stage_by_stage() {
    let slower = Make::new("completed", "ingestion", 1, 4_000)
        .trace(&id(7))
        .with("local_root", true)
        .with("kind", "pipeline")
        .metrics(json!({"duration_ms": 4_000}));
    let new = Make::new("completed", "rerank", 2, 3_000).trace(&id(7)).parent(1).metrics(json!({"duration_ms": 10}));
    let file = holding(ingestion().into_iter().chain([slower.record(), new.record()]));
    let viewer = Viewer::of(&file.url(), &[]);
    let page = viewer.get(&format!("/compare?a={TRACE}&b={}", id(7))).expect(200).body;
    for part in ["+ new", "− gone", "≠ differs", "+2.58 s", "✗ failed", "rerank", "the model is overloaded"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // A list has the newest first, and the older trace is the one to begin with.
    let chosen = viewer.get(&format!("/compare?trace={}&trace={TRACE}", id(7))).expect(200).body;
    assert_eq!(chosen, page);
    let json = viewer.get(&format!("/compare?a={TRACE}&b={}&format=json", id(7))).expect(200).json();
    assert_eq!(json["after"]["trace_id"], json!(id(7)));
    viewer.get(&format!("/compare?a={TRACE}&b={TRACE}")).expect(200);
    for query in ["", "?a=x", "?trace=x", "?trace=a&trace=b&trace=c"] {
        viewer.get(&format!("/compare{query}")).expect(400);
    }
    viewer.get(&format!("/compare?a={TRACE}&b={}", id(8))).expect(404);
    viewer.get("/compare?a=nonsense&b=more").expect(404);
}

#[test]
fn a_very_long_text_is_cut_in_pages_and_whole_in_the_json() {
    let long = format!("begin {} end", "W".repeat(1_000_000));
    let make = Make::new("failed", "question", 1, 100)
        .with("local_root", true)
        .metrics(json!({"duration_ms": 100}))
        .with("context", json!({"output": long, "doc.name": long}))
        .with("error", json!({"type": long, "message": long, "chain": [long, long]}));
    let file = holding([make.record()]);
    let viewer = Viewer::of(&file.url(), &[]);
    let page = viewer.get(&format!("/trace/{TRACE}")).expect(200);
    assert!(page.body.len() < 1_500_000, "{}", page.body.len());
    let columns = viewer.get(&format!("/trace/{TRACE}/waterfall.json")).expect(200);
    assert!(columns.body.len() < 10_000, "{}", columns.body.len());
    viewer.get(&format!("/trace/{TRACE}/span/0000000000000001")).expect(200);
    assert!(viewer.get(&format!("/trace/{TRACE}.json")).expect(200).body.contains(&long));
}
