//! The picture of a trace.

use std::time::Duration;

use ragtrace::{Record, Sink, Timestamp};
use ragtrace_store::{self as store, Trace, Waterfall, printable};
use serde_json::json;

use crate::support::{File, Make, batch, ingestion, run};

async fn latest(records: impl IntoIterator<Item = Record>) -> Trace {
    let file = File::holding(records).await;
    let store = store::open(&file.url()).await.expect("opens");
    store.latest_trace().await.expect("reads").expect("there is a trace")
}

/// Compares with a picture in `tests/golden`, which `RAGTRACE_BLESS=1` draws anew: look at it before committing it.
fn golden(name: &str, drawn: &str) {
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("RAGTRACE_BLESS").is_some() {
        std::fs::write(&path, format!("{drawn}\n")).expect("written");
    }
    let expected = std::fs::read_to_string(&path).expect("the picture is committed");
    assert_eq!(format!("{drawn}\n"), expected, "{path}");
}

/// The picture without its header, which tells the time.
fn spans_of(trace: &Trace) -> String {
    let drawn = Waterfall::new(trace).width(60).to_string();
    drawn.split_once("\n\n").expect("a blank line below the header").1.to_owned()
}

#[tokio::test]
async fn a_failed_ingestion_is_drawn() {
    let trace = latest(ingestion()).await;
    golden("failed_ingestion", &Waterfall::new(&trace).to_string());
    golden("failed_ingestion_narrow", &Waterfall::new(&trace).width(48).to_string());
    golden("failed_ingestion_in_colour", &Waterfall::new(&trace).width(80).colour(true).to_string());
}

#[tokio::test]
async fn every_status_has_its_mark_and_its_bar() {
    let now = Timestamp::now();
    let at = |make: Make, ms: u64| make.with("timestamp", now.plus(Duration::from_millis(ms)).to_string());
    let root = at(Make::new("started", "ask", 1, 0), 0);
    let cancelled = at(Make::new("cancelled", "rerank", 2, 0), 300).metrics(json!({"duration_ms": 200})).parent(1);
    let done = at(Make::new("completed", "retrieval", 3, 0), 100).metrics(json!({"duration_ms": 99.9})).parent(1);
    let remote = at(Make::new("completed", "elsewhere", 4, 0), 400).metrics(json!({"duration_ms": 0})).parent(77);
    let file = File::new();
    let sink = file.sink();
    let records = [root, cancelled, done, remote].map(|make| make.record());
    sink.deliver(&batch(records)).await.expect("delivered");
    let store = store::open(&file.url()).await.expect("opens");
    let trace = store.latest_trace().await.expect("reads").expect("there is a trace");
    golden("open", &spans_of(&trace));
    sink.close().await;
    let trace = store.latest_trace().await.expect("reads").expect("there is a trace");
    golden("lost", &spans_of(&trace));
}

#[tokio::test]
async fn what_lies_deep_is_drawn_behind_a_mark() {
    let spans = (2..=15_u64).map(|at| run("completed", &format!("level_{at}"), at, (at, 40 - at)).1.parent(at - 1));
    let records = std::iter::once(run("completed", "level_1", 1, (1, 39)).1).chain(spans).map(|make| make.record());
    golden("deep", &Waterfall::new(&latest(records).await).width(80).to_string());
}

#[tokio::test]
async fn many_alike_siblings_are_one_line_unless_all_are_asked_for() {
    let embeddings = (0..120_u64).map(|at| {
        let millis = if at == 60 { 80 } else { 20 };
        let end = Make::new("completed", "embed_batch", 10 + at, 30 * (at + 1)).parent(1);
        end.metrics(json!({"duration_ms": millis, "count": 16, "cost_usd": 0.001}))
    });
    let (root, _) = run("completed", "chunk_embedding", 1, (0, 4_000));
    let failed = Make::new("failed", "embed_batch", 500, 3_800).parent(1);
    let stored = run("completed", "data_storage", 600, (3_800, 3_900)).1.parent(1);
    let makes = std::iter::once(root).chain(embeddings).chain([failed, stored]);
    let trace = latest(makes.map(|make| make.record())).await;
    let drawn = Waterfall::new(&trace).width(90).to_string();
    golden("folded", drawn.split_once("\n\n").expect("a blank line below the header").1);
    assert_eq!(Waterfall::new(&trace).all(true).to_string().matches("embed_batch").count(), 121);
}

#[tokio::test]
async fn siblings_of_one_stage_are_told_apart_by_the_field_in_which_they_differ() {
    let (root, root_end) = run("completed", "ingestion", 1, (0, 400));
    let documents = ["docs/manual/pump-maintenance-schedule.pdf", "docs/report.pdf"];
    let document = |at: u64, doc: &str| {
        let (start, end) = run("completed", "document_ingestion", 2 + at, (100 * at, 100 * at + 90));
        let of = |make: Make| make.parent(1).with("context", json!({"concurrency": 4, "doc": doc, "place": at}));
        [of(start), of(end), run("completed", "file_parsing", 20 + at, (100 * at, 100 * at + 50)).1.parent(2 + at)]
    };
    let all = documents.iter().enumerate().flat_map(|(at, doc)| document(at as u64, doc));
    let trace = latest([root, root_end].into_iter().chain(all).map(|make| make.record())).await;
    golden("labelled", Waterfall::new(&trace).to_string().split_once("\n\n").expect("a blank line").1);
    let wide = Waterfall::new(&trace).width(140).to_string();
    for doc in documents {
        assert!(wide.contains(&format!("document_ingestion {doc} ")), "{wide}");
    }
}

#[tokio::test]
async fn the_numbers_of_a_trace_have_no_more_digits_than_were_recorded() {
    let (root, root_end) = run("completed", "ingestion", 1, (0, 12));
    let trace = latest([root, root_end.metrics(json!({"duration_ms": 12.345, "count": 1}))].map(|m| m.record())).await;
    let json: serde_json::Value = serde_json::from_str(&trace.to_json()).expect("JSON");
    assert_eq!((&json["duration_ms"], &json["spans"][0]["duration_ms"]), (&json!(12.345), &json!(12.345)));
    assert!(trace.to_json().contains("\"duration_ms\":12.345"), "{}", trace.to_json());
}

#[tokio::test]
async fn no_line_is_wider_than_asked() {
    let wide = "段階を追って文書を解析する_stage_with_a_very_long_name_indeed";
    let (root, root_end) = run("completed", wide, 1, (0, 90_000));
    let error = json!({"type": "E", "message": "𝔪𝔢𝔰𝔰𝔞𝔤𝔢 ".repeat(40), "chain": ["原因".repeat(80)]});
    let (child, child_end) = run("failed", wide, 2, (89_999, 90_000));
    let child_end =
        child_end.metrics(json!({"duration_ms": 1, "count": 1_234_567, "cost_usd": 12.5})).with("error", error);
    let records =
        [root, root_end, child.parent(1), child_end.parent(1)].map(|make| make.with("user_id", wide).record());
    let trace = latest(records).await;
    for width in [0, 40, 41, 60, 80, 100, 200] {
        let drawn = Waterfall::new(&trace).width(width).to_string();
        for line in drawn.lines() {
            let columns = unicode_width::UnicodeWidthStr::width(line);
            assert!(columns <= width.max(40), "{columns} columns instead of {width}:\n{drawn}");
        }
    }
}

#[tokio::test]
async fn what_was_logged_cannot_steer_the_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{202e}";
    let error = json!({"type": evil, "message": evil, "chain": [evil]});
    let end = Make::new("failed", evil, 1, 0).with("user_id", evil).with("request_id", evil).with("error", error);
    let drawn = Waterfall::new(&latest([end.record()]).await).width(200).to_string();
    assert!(!drawn.contains(['\u{1b}', '\u{7}', '\r', '\u{202e}']), "{drawn:?}");
    assert!(drawn.contains("\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\r\\n\\u{202e}"), "{drawn}");
    assert_eq!(printable("plain, ümläut, 日本"), "plain, ümläut, 日本");
}
