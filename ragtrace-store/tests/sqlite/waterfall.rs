//! The picture of a trace.

use std::time::Duration;

use proptest::prelude::*;
use ragtrace::{Record, Sink, Timestamp};
use ragtrace_store::{self as store, Trace, Waterfall, fit, printable, wrap};
use serde_json::json;
use unicode_segmentation::UnicodeSegmentation;

use crate::support::{File, Make, batch, ingestion, run};

async fn latest(records: impl IntoIterator<Item = Record>) -> Trace {
    let file = File::holding(records).await;
    let store = store::open(&file.url()).await.expect("opens");
    store.latest_trace().await.expect("reads").expect("there is a trace")
}

/// Compares with a picture in `tests/golden`, which `RAGTRACE_BLESS=1` draws again: look at it
/// before committing it.
fn golden(name: &str, drawn: &str) {
    let path = format!("{}/tests/golden/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("RAGTRACE_BLESS").is_some() {
        std::fs::write(&path, format!("{drawn}\n")).expect("written");
    }
    let expected = std::fs::read_to_string(&path).expect("the picture is committed");
    assert_eq!(format!("{drawn}\n"), expected, "{path}");
}

/// Returns the picture without its header, which contains the time.
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
async fn what_was_judged_stands_beneath_its_span_and_beneath_the_header() {
    let mut at = 2_000;
    let mut score = |span: Option<&str>, name: &str, value: serde_json::Value| {
        at += 1;
        let score = Make::new("score", name, 1, at).with("score", json!({"name": name, "value": value}));
        score.with("span_id", span.map_or(serde_json::Value::Null, Into::into)).record()
    };
    let embedding = Some("0000000000000004");
    let scores = [
        score(None, "helpful", json!(true)),
        score(None, "tone", json!("friendly\u{1b}[31m")),
        score(embedding, "recall", json!(0.8333)),
    ];
    let trace = latest(ingestion().into_iter().chain(scores)).await;
    golden("judged", &Waterfall::new(&trace).to_string());
    let many = (0..20).map(|_| score(embedding, "faithfulness", json!(1)));
    let trace = latest(ingestion().into_iter().chain(many)).await;
    let drawn = Waterfall::new(&trace).width(400).to_string();
    let line = drawn.lines().find(|line| line.contains('★')).expect("judged");
    assert!(line.ends_with(" · faithfulness 1 · 12 more") && line.matches("faithfulness").count() == 8, "{line}");
    assert!(Waterfall::new(&trace).width(48).to_string().lines().all(|line| ragtrace_store::display_width(line) <= 48));
}

/// Returns a question that was answered from some of the chunks that a retriever found.
fn answered(found: u32) -> Vec<Record> {
    let chunk = |at: u32| json!({"type": "chunk", "id": format!("manual-{at}"), "score": 0.9 - f64::from(at) / 1e3, "source": format!("docs/manual-{at}.pdf")});
    let retrieved: Vec<_> = (0..found).map(chunk).collect();
    let used = json!([{"type": "chunk", "id": "manual-1"}, {"type": "chunk", "id": "manual-11"}, {"type": "page", "id": "manual-2"}]);
    let link = json!([{"trace_id": "0199a1c2-7b1e-7a54-9c01-00000000000a", "span_id": "00000000000000aa"}]);
    let (root, root_end) = run("completed", "ask", 1, (0, 900));
    let local_root = |make: Make| make.with("local_root", true).with("links", link.clone());
    let retrieval = run("completed", "retrieval", 2, (0, 300)).1.parent(1).with("kind", "retrieve");
    let generation = run("completed", "generation", 3, (300, 900)).1.parent(1).with("kind", "generate");
    let makes = [
        local_root(root),
        local_root(root_end),
        retrieval.with("generated", retrieved),
        generation.with("used", used).with("generated", json!([{"type": "answer", "id": "a"}])),
    ];
    makes.iter().map(Make::record).collect()
}

#[tokio::test]
async fn the_documents_that_a_retriever_found_stand_beneath_it_with_those_that_the_answer_used() {
    let trace = latest(answered(12)).await;
    let drawn = Waterfall::new(&trace).width(80).to_string();
    golden("documents", &drawn);
    let narrow = Waterfall::new(&trace).width(40).to_string();
    golden("documents_narrow", &narrow);
    assert!(narrow.lines().all(|line| ragtrace_store::display_width(line) <= 40), "{narrow}");
    assert!(drawn.contains("+2 more, 1 of them used"), "{drawn}");
    let all = Waterfall::new(&trace).all(true).to_string();
    assert_eq!((times(&all, "chunk:manual-"), times(&all, "  used  "), times(&all, "more")), (12, 2, 0), "{all}");
    let none = Waterfall::new(&trace).documents(false).to_string();
    assert_eq!(times(&none, "manual-"), 0, "{none}");
    let one = Waterfall::new(&latest(answered(1)).await).to_string();
    assert_eq!((times(&one, "manual-0"), times(&one, "used"), times(&one, "more")), (2, 0, 0), "{one}");
}

#[tokio::test]
async fn traces_that_led_to_this_one_are_in_the_header() {
    let drawn = Waterfall::new(&latest(answered(0)).await).to_string();
    assert_eq!(times(&drawn, "\n  ⇠ 0199a1c2-7b1e-7a54-9c01-00000000000a led to this trace\n"), 1, "{drawn}");
    let link = |at: u64| json!({"trace_id": uuid::Uuid::from_u128(u128::from(at) + 1).to_string(), "span_id": format!("{at:016x}")});
    let root = run("completed", "ask", 1, (0, 9)).1.with("local_root", true);
    let many = root.with("links", (1..=6).map(link).collect::<Vec<_>>());
    let drawn = Waterfall::new(&latest([many.record()]).await).to_string();
    assert_eq!((times(&drawn, "⇠ 0000"), times(&drawn, "⇠ and more")), (3, 1), "{drawn}");
}

#[tokio::test]
async fn log_lines_stand_between_the_spans_in_order_of_time() {
    let line = |span: u64, at: u64, level: &str, message: &str| {
        let make = Make::new("log", "ask", span, at).with("level", level).with("message", message);
        make.with("context", json!({"model": "large two"})).record()
    };
    let error = json!({"type": "Timeout", "message": "5s", "chain": ["reset"]});
    let failed = Make::new("log", "ask", 3, 500).with("level", "ERROR").with("message", "gave up").with("error", error);
    let lines = [
        line(1, 0, "DEBUG", "begun\u{1b}[2J"),
        line(1, 320, "INFO", "between"),
        line(3, 400, "WARN", "slow"),
        failed.record(),
        line(99, 450, "INFO", "of no span that is stored"),
    ];
    let trace = latest(answered(0).into_iter().chain(lines)).await;
    let drawn = Waterfall::new(&trace).width(80).logs(true).to_string();
    golden("logs", &drawn);
    assert_eq!(times(&Waterfall::new(&trace).to_string(), "between"), 0);
    let narrow = Waterfall::new(&trace).width(40).logs(true).self_times(true).to_string();
    assert!(narrow.lines().all(|line| ragtrace_store::display_width(line) <= 40), "{narrow}");
}

#[tokio::test]
async fn of_many_log_lines_the_most_severe_are_shown_and_the_others_are_counted() {
    let level = |at: u64| if at.is_multiple_of(40) { "ERROR" } else { "INFO" };
    let line = |at: u64| Make::new("log", "ask", 3, 300 + at).with("level", level(at)).with("message", "said").record();
    let records: Vec<_> = answered(0).into_iter().chain((0..200).map(line)).collect();
    let drawn = Waterfall::new(&latest(records.clone()).await).logs(true).to_string();
    assert_eq!((times(&drawn, " ERROR said"), times(&drawn, " said")), (5, 50), "{drawn}");
    assert!(drawn.contains("└─ +150 more log lines"), "{drawn}");
    let all = Waterfall::new(&latest(records).await).logs(true).all(true).to_string();
    assert_eq!((times(&all, " said"), times(&all, "more")), (200, 0), "{all}");
    // Those of spans within a fold are counted at the end.
    let spans = documents(45, 2, |_, end| end);
    let lines = spans
        .iter()
        .filter_map(Record::span_id)
        .map(|span| Make::new("log", "x", 0, 9).with("span_id", span.to_string()).record());
    let trace = latest(spans.iter().cloned().chain(lines)).await;
    let drawn = Waterfall::new(&trace).logs(true).to_string();
    assert!(drawn.ends_with("log lines of spans that are not drawn"), "{drawn}");
}

#[tokio::test]
async fn self_times_stand_next_to_the_durations() {
    let trace = latest(ingestion()).await;
    golden("self_times", &Waterfall::new(&trace).width(80).self_times(true).to_string());
    let folded = latest(documents(45, 2, |_, end| end)).await;
    let drawn = Waterfall::new(&folded).width(100).self_times(true).to_string();
    golden("self_times_folded", drawn.split_once("\n\n").expect("a blank line").1);
}

#[tokio::test]
async fn scores_of_spans_that_are_not_drawn_are_counted() {
    let score = |span: String| {
        let score = Make::new("score", "recall", 1, 2_000).with("span_id", span);
        score.with("score", json!({"name": "recall", "value": 0.5})).record()
    };
    let missing = || score("ffffffffffffffff".to_owned());
    let one = latest(ingestion().into_iter().chain([missing()])).await;
    let drawn = Waterfall::new(&one).to_string();
    assert!(drawn.ends_with("\n\n  ★ 1 score of a span that is not drawn"), "{drawn}");
    // Within a fold, except for the few that are drawn whole.
    let records = documents(45, 2, |_, end| end);
    let spans: std::collections::BTreeSet<_> = records.iter().filter_map(Record::span_id).collect();
    let scores = spans.iter().map(|span| score(span.to_string())).chain([missing(), missing()]);
    let trace = latest(records.iter().cloned().chain(scores)).await;
    let drawn = Waterfall::new(&trace).to_string();
    let shown = times(&drawn, "★ recall 0.5");
    let hidden = format!("\n\n  ★ {} scores of spans that are not drawn", spans.len() + 2 - shown);
    assert!(shown > 0 && shown < 20 && drawn.ends_with(&hidden), "{shown}: {drawn}");
    let all = Waterfall::new(&trace).all(true).to_string();
    assert_eq!(times(&all, "★ recall 0.5"), spans.len());
    assert!(all.ends_with("\n\n  ★ 2 scores of spans that are not drawn"), "{all}");
    let narrow = Waterfall::new(&trace).width(40).to_string();
    assert!(narrow.lines().all(|line| ragtrace_store::display_width(line) <= 40), "{narrow}");
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

/// Returns a pipeline's run over documents, four at a time, each with three stages and some batches
/// of embeddings in the last one. `change` may change the end of a document and of its last batch.
fn documents(number: u64, batches: u64, change: impl Fn(u64, Make) -> Make) -> Vec<Record> {
    let mut ends = vec![run("completed", "ingestion", 1, (0, 100 * number + 100)).1];
    for document in 0..number {
        let first = 10 + document * (batches + 4);
        let (from, took) = (document / 4 * 400, 200 + document * 37 % 150);
        let end = |stage: &str, at: u64, span: (u64, u64), parent: u64| {
            run("completed", stage, first + at, (from + span.0, from + span.1)).1.parent(parent)
        };
        let whole = end("document_ingestion", 0, (0, took), 1)
            .with("context", json!({"doc": format!("report-{document}.pdf")}));
        ends.push(change(document, whole));
        ends.push(end("file_parsing", 1, (0, 20 + document % 7), first));
        ends.push(end("document_chunking", 2, (40, 44 + document % 3), first));
        ends.push(change(document, end("chunk_embedding", 3, (60, took - 1), first)));
        for batch in 0..batches {
            let from = 60 + batch * (took - 61) / batches;
            let make = end("embed_batch", 4 + batch, (from, from + (took - 61) / batches), first + 3);
            let metrics = json!({"duration_ms": (took - 61) / batches, "count": 16, "cost_usd": 0.001});
            ends.push(make.metrics(metrics));
        }
    }
    ends.iter().map(Make::record).collect()
}

fn below_header(trace: &Trace, width: usize) -> String {
    let drawn = Waterfall::new(trace).width(width).to_string();
    drawn.split_once("\n\n").expect("a blank line below the header").1.to_owned()
}

fn times(drawn: &str, what: &str) -> usize {
    drawn.matches(what).count()
}

#[tokio::test]
async fn the_stages_inside_folded_siblings_are_sums_and_the_slowest_is_drawn_whole() {
    let trace = latest(documents(45, 2, |_, end| end)).await;
    let drawn = below_header(&trace, 100);
    golden("folded", &drawn);
    for inside in ["file_parsing ×45", "document_chunking ×45", "chunk_embedding ×45", "embed_batch ×90"] {
        assert_eq!(times(&drawn, inside), 1, "{inside}: {drawn}");
    }
    assert_eq!(times(&below_header(&trace, 120), "slowest: report-4.pdf"), 1, "{drawn}");
    golden("folded_80", &below_header(&trace, 80));
    golden("folded_48", &below_header(&trace, 48));
    let all = Waterfall::new(&trace).all(true).to_string();
    assert_eq!((times(&all, "embed_batch"), times(&all, "×")), (90, 0));
}

#[tokio::test]
async fn of_folded_siblings_one_of_each_error_is_drawn_whole() {
    let fail = |document: u64, end: Make| match document {
        3 | 4 | 30 => {
            let error = json!({"type": "EmbedError", "message": "the model is overloaded", "chain": ["503"]});
            end.with("event", "failed").with("level", "ERROR").with("error", error)
        }
        17 => {
            let error = json!({"type": "EmbedError", "message": "the input is too long"});
            end.with("event", "failed").with("level", "ERROR").with("error", error)
        }
        20 => end.with("event", "cancelled"),
        _ => end,
    };
    let drawn = below_header(&latest(documents(45, 1, fail)).await, 120);
    golden("folded_failures", &drawn);
    assert!(drawn.contains("✗4 ⊘1"), "{drawn}");
    assert_eq!(times(&drawn, "the model is overloaded"), 1, "{drawn}");
    assert_eq!(times(&drawn, "the input is too long"), 1, "{drawn}");
}

#[tokio::test]
async fn folds_within_folds_stay_short_and_show_what_failed_deepest() {
    let drawn = |number, batches| async move {
        let trace = latest(documents(number, batches, |_, end| end)).await;
        below_header(&trace, 120)
    };
    for (number, batches) in [(2, 300), (45, 12), (1_000, 8)] {
        let drawn = drawn(number, batches).await;
        assert!(drawn.lines().count() < 30, "{drawn}");
        assert!(drawn.contains("embed_batch ×"), "{drawn}");
    }
    golden("folded_twice", &drawn(45, 12).await);
    // One batch among 1,200 fails, four levels down.
    let error = json!({"type": "EmbedError", "message": "the model is overloaded"});
    let mut records = documents(100, 12, |_, end| end);
    let at = records.iter().position(|record| record.span_id().is_some_and(|id| id.to_string().ends_with("2f1")));
    let id = records.remove(at.expect("there")).span_id().expect("an id").to_string();
    let failed = Make::new("failed", "embed_batch", u64::from_str_radix(&id, 16).expect("hex"), 300);
    let parent = records.iter().rev().find(|record| {
        record.stage() == Some("chunk_embedding") && record.span_id().is_some_and(|p| p.to_string() < id)
    });
    let parent = parent.and_then(Record::span_id).expect("there").to_string();
    records.push(failed.with("parent_span_id", parent).with("error", error).record());
    let drawn = below_header(&latest(records).await, 120);
    assert_eq!(times(&drawn, "EmbedError: the model is overloaded"), 1, "{drawn}");
    assert!(drawn.lines().count() < 40, "{drawn}");
}

#[tokio::test]
async fn siblings_are_folded_also_where_other_stages_come_between_them() {
    let root = run("completed", "agent", 1, (0, 9_000)).1;
    let steps = (0..90_u64).map(|at| {
        let stage = ["retrieve", "think", "answer"][usize::try_from(at % 3).expect("small")];
        run("completed", stage, 10 + at, (at * 100, at * 100 + 90)).1.parent(1)
    });
    let odd = (0..20_u64).map(|at| run("completed", &format!("odd_{at}"), 500 + at, (at, at + 5)).1.parent(1));
    let drawn =
        below_header(&latest(std::iter::once(root).chain(steps).chain(odd).map(|make| make.record())).await, 100);
    for stage in ["retrieve ×30", "think ×30", "answer ×30"] {
        assert!(drawn.contains(stage), "{drawn}");
    }
    assert_eq!((times(&drawn, "odd_"), times(&drawn, "slowest: ")), (20, 0), "{drawn}");
}

#[tokio::test]
async fn a_deep_tree_of_few_children_each_is_folded_too() {
    // Four children each, five levels: 1,365 spans.
    let spans = (0..1_365_u64).map(|at| {
        let make = run("completed", "step", at + 1, (at, 3_000 - at)).1;
        if at == 0 { make } else { make.parent((at - 1) / 4 + 1) }
    });
    let drawn = below_header(&latest(spans.map(|make| make.record())).await, 100);
    assert!(drawn.lines().count() < 40, "{drawn}");
    assert!(drawn.contains("step ×1,024"), "{drawn}");
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

/// Texts whose width on a terminal is not their number of characters.
const ODD: [&str; 22] = [
    "段階を追って文書を解析する",
    "ａｂｃｄｅｆ",
    "한국어 단계",
    "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}",
    "☀️❤️☎️✈️",
    "👩‍👩‍👧‍👦👩🏽‍💻🏳️‍🌈",
    "🇩🇪🇫🇷🇯🇵🇺",
    "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
    "1️⃣#️⃣*️⃣",
    "👍🏽👎🏿✊",
    "Z̷̢̛͎a̶̧͝l̵̪̇g̸̘̈o̶͙̕",
    "e\u{301}e\u{301}o\u{308}",
    "मराठी क्षत्रिय",
    "สวัสดีชาวโลก",
    "עברית שלום",
    "العربية لا إله",
    "a\u{200b}b\u{2060}c\u{feff}d\u{ad}e",
    "\u{202e}evil\u{2066}\u{61c}",
    "\u{1b}[31mred\u{7}\t\r\n",
    "\u{301}\u{200d}\u{fe0f}",
    "ﷺ𒐫⸻",
    "plain_stage_name",
];

/// Returns parts of texts in random order, so that sequences are broken off and joined.
fn odd_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop::sample::select(ODD.as_slice()).prop_map(str::to_owned),
        2 => prop::sample::select(ODD.as_slice()).prop_flat_map(|text| {
            let chars: Vec<char> = text.chars().collect();
            prop::sample::select(chars).prop_map(String::from)
        }),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z]{1,12}",
    ];
    prop::collection::vec(part, 1..12).prop_map(|parts| parts.concat())
}

#[test]
fn a_joiner_is_escaped_before_what_is_escaped() {
    let shown = [
        ("析\u{200d}\u{202e}evil", "析\\u{200d}\\u{202e}evil"),
        ("析\u{200d}\u{200d}析", "析\\u{200d}\\u{200d}析"),
        ("析\u{200c}\u{e0062}", "析\\u{200c}\\u{e0062}"),
        ("👩\u{200d}💻", "👩\u{200d}💻"),
        ("نمی\u{200c}خواهم", "نمی\u{200c}خواهم"),
    ];
    for (text, expected) in shown {
        assert_eq!(printable(text), expected);
        assert_eq!(printable(expected), expected, "what is printable stays as it is");
    }
}

#[test]
fn a_letter_carries_only_so_many_marks() {
    let flood = format!("Z{}", "\u{301}".repeat(10_000));
    let shown = printable(&flood);
    assert_eq!(shown.matches('\u{301}').count(), 30);
    assert!(shown.ends_with("\\u{301}") && printable(&shown) == shown, "{}", shown.len());
    assert!(fit(&shown, 20).len() < 100);
    assert_eq!(printable("Z̷̢̛͎a̶̧͝l̵̪̇g̸̘̈o̶͙̕"), "Z̷̢̛͎a̶̧͝l̵̪̇g̸̘̈o̶͙̕");
}

proptest! {
    #[test]
    fn a_text_that_is_wrapped_loses_only_blanks_at_line_ends(text in odd_text(), blanks in 0..6_usize, columns in 12..60_usize) {
        let text = printable(&text).replace('x', " ") + &" a".repeat(blanks);
        let lines = wrap(&text, columns);
        let mut rest = text.as_str();
        for (at, line) in lines.iter().enumerate() {
            prop_assert!(unicode_width::UnicodeWidthStr::width(*line) <= columns, "{:?} in {}", line, columns);
            prop_assert!(rest.starts_with(line), "{:?} of {:?}", line, rest);
            rest = &rest[line.len()..];
            if lines.get(at + 1).is_some_and(|next| !rest.starts_with(next)) {
                rest = rest.strip_prefix(' ').unwrap_or(rest);
            }
        }
        prop_assert_eq!(rest, "");
    }

    #[test]
    fn a_text_that_is_cut_fits_and_is_cut_between_characters_alone(text in odd_text(), columns in 0..40_usize) {
        let text = printable(&text);
        prop_assert_eq!(printable(&text), text.as_ref(), "what is printable stays as it is");
        let cut = fit(&text, columns);
        prop_assert!(unicode_width::UnicodeWidthStr::width(&*cut) <= columns, "{:?} in {}", cut, columns);
        match cut.strip_suffix('…') {
            Some(kept) if cut != text => {
                let ends: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
                prop_assert!(text.starts_with(kept) && ends.contains(&kept.len()), "{:?} of {:?}", cut, text);
            }
            _ => prop_assert!(columns == 0 || cut == text, "{:?} of {:?}", cut, text),
        }
    }

    #[test]
    fn no_line_is_wider_than_asked(texts in prop::collection::vec(odd_text(), 6), width in 0..160_usize, many: bool) {
        let [stage, child, user, label, message, source] = &texts[..] else { unreachable!("six of them") };
        let error = json!({"type": child, "message": message, "chain": [source]});
        let (root, root_end) = run("completed", stage, 1, (0, 90_000));
        let mut makes = vec![root, root_end];
        for at in 0..if many { 120 } else { 3 } {
            let event = if at == 7 || at == 2 { "failed" } else { "completed" };
            let end = run(event, child, 2 + at, (at * 10, 90_000 - at)).1.parent(if at % 9 == 8 { at } else { 1 });
            let end = if event == "failed" { end.with("error", error.clone()) } else { end };
            let metrics = json!({"duration_ms": 90_000 - at, "count": 1_234_567, "cost_usd": 12.5});
            makes.push(end.metrics(metrics).with("context", json!({"doc": format!("{label}{at}")})));
        }
        let records = makes.into_iter().map(|make| make.with("user_id", user.as_str()).record());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let trace = runtime.block_on(latest(records));
        for all in [false, true] {
            let drawn = Waterfall::new(&trace).width(width).all(all).to_string();
            for line in drawn.lines() {
                let columns = unicode_width::UnicodeWidthStr::width(line);
                prop_assert!(columns <= width.max(40), "{columns} columns instead of {width}:\n{drawn}");
                prop_assert!(!line.contains(char::is_control), "{line:?}");
            }
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
