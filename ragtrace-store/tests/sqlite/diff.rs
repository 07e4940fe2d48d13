//! The comparison of two traces.

use ragtrace::Record;
use ragtrace_store::{self as store, SpanStatus, StageDiff, Trace, TraceDiff};
use serde_json::{Value as Json, json};

use crate::support::{File, Make, ingestion, run};

async fn latest(records: impl IntoIterator<Item = Record>) -> Trace {
    let file = File::holding(records).await;
    let store = store::open(&file.url()).await.expect("opens");
    store.latest_trace().await.expect("reads").expect("there is a trace")
}

fn end(stage: &str, span: u64, parent: u64, from_to_ms: (u64, u64)) -> Make {
    run("completed", stage, span, from_to_ms).1.parent(parent)
}

/// Returns a trace in which stages follow one another under a root, each with its duration in
/// milliseconds.
async fn asked(stages: &[(&str, u64)]) -> Trace {
    let mut at = 0;
    let mut makes = Vec::new();
    for (number, (stage, took)) in stages.iter().enumerate() {
        makes.push(end(stage, 2 + number as u64, 1, (at, at + took)));
        at += took;
    }
    makes.push(run("completed", "ask", 1, (0, at)).1);
    latest(makes.iter().map(Make::record)).await
}

/// Returns each stage with its depth and its sign: `+` for a new one, `-` for one that is gone, `~`
/// for one that has changed.
fn shown(diff: &TraceDiff) -> Vec<String> {
    let sign = |stage: &StageDiff| match (stage.before(), stage.after()) {
        (None, _) => '+',
        (_, None) => '-',
        _ if stage.is_changed() => '~',
        _ => '=',
    };
    diff.stages()
        .iter()
        .map(|stage| format!("{}{} {}", "  ".repeat(stage.depth()), sign(stage), stage.stage()))
        .collect()
}

#[tokio::test]
async fn a_trace_does_not_differ_from_itself() {
    let trace = latest(ingestion()).await;
    let diff = trace.diff(&trace);
    assert_eq!(shown(&diff), ["= ingestion", "  = file_parsing", "  = document_chunking", "  = chunk_embedding"]);
    assert_eq!(diff.before(), diff.after());
    let totals = diff.before();
    assert_eq!((totals.spans(), totals.failed(), totals.cost_usd()), (4, 2, Some(0.0021)));
    assert_eq!((totals.trace_id(), totals.status()), (trace.trace_id(), SpanStatus::Failed));
}

#[tokio::test]
async fn new_stages_stand_behind_the_one_that_they_follow_and_gone_ones_keep_their_place() {
    let before = asked(&[("rewrite", 10), ("retrieve", 50), ("generate", 900)]).await;
    let after = asked(&[("guard", 5), ("retrieve", 50), ("rerank", 40), ("generate", 500), ("cite", 3)]).await;
    let expected = ["~ ask", "  + guard", "  - rewrite", "  = retrieve", "  + rerank", "  ~ generate", "  + cite"];
    assert_eq!(shown(&before.diff(&after)), expected);
}

#[tokio::test]
async fn the_second_run_of_a_stage_is_compared_with_the_second() {
    let before = asked(&[("llm", 100), ("retrieve", 50), ("llm", 1_000)]).await;
    let after = asked(&[("llm", 101), ("retrieve", 50), ("llm", 2_000), ("llm", 30)]).await;
    let diff = before.diff(&after);
    assert_eq!(shown(&diff), ["~ ask", "  = llm", "  = retrieve", "  ~ llm", "  + llm"]);
    let slower = &diff.stages()[3];
    let took = |runs: Option<&ragtrace_store::StageRuns>| {
        runs.and_then(ragtrace_store::StageRuns::duration).map(|it| it.as_millis())
    };
    assert_eq!((took(slower.before()), took(slower.after())), (Some(1_000), Some(2_000)));
}

#[tokio::test]
async fn many_siblings_of_a_stage_and_what_lies_below_them_are_compared_as_sums() {
    let documents = |number: u64, took: u64| async move {
        let mut makes = vec![run("completed", "ingestion", 1, (0, 10_000)).1];
        for at in 0..number {
            makes.push(end("document", 10 + at, 1, (at * 100, at * 100 + took)));
            let metrics = json!({"duration_ms": took / 2, "count": 3, "cost_usd": 0.5});
            makes.push(end("embed", 1_000 + at, 10 + at, (at * 100, at * 100 + took / 2)).metrics(metrics));
        }
        latest(makes.iter().map(Make::record)).await
    };
    let (before, after) = (documents(45, 100).await, documents(47, 50).await);
    let diff = before.diff(&after);
    assert_eq!(shown(&diff), ["= ingestion", "  ~ document", "    ~ embed"]);
    let embed = &diff.stages()[2];
    let numbers = |runs: &ragtrace_store::StageRuns| {
        (runs.runs(), runs.duration().map(|took| took.as_millis()), runs.count(), runs.cost_usd())
    };
    assert_eq!(embed.before().map(numbers), Some((45, Some(2_250), Some(135), Some(22.5))));
    assert_eq!(embed.after().map(numbers), Some((47, Some(1_175), Some(141), Some(23.5))));
}

#[tokio::test]
async fn a_stage_counts_as_changed_from_a_tenth_on_or_if_its_outcome_differs() {
    let with = |took: u64, make: fn(Make) -> Make| async move {
        latest([run("completed", "ask", 1, (0, 1_000)).1.record(), make(end("llm", 2, 1, (0, took))).record()]).await
    };
    let same = with(100, |make| make).await;
    for (took, is_changed) in [(100, false), (110, false), (111, true), (90, false), (89, true)] {
        assert_eq!(same.diff(&with(took, |make| make).await).stages()[1].is_changed(), is_changed, "{took}");
    }
    let error = |message: &'static str| json!({"type": "Timeout", "message": message});
    let failed =
        with(100, |make| make.with("event", "failed").with("error", json!({"type": "Timeout", "message": "5s"})));
    let failed = failed.await;
    assert!(same.diff(&failed).stages()[1].is_changed());
    assert_eq!(
        failed.diff(&failed).stages()[1].after().and_then(|runs| runs.error()).map(ragtrace::ErrorInfo::message),
        Some("5s")
    );
    let otherwise =
        with(100, |make| make.with("event", "failed").with("error", json!({"type": "Io", "message": "5s"})));
    assert!(failed.diff(&otherwise.await).stages()[1].is_changed(), "{:?}", error("5s"));
    let counted = with(100, |make| make.metrics(json!({"duration_ms": 100, "count": 3}))).await;
    assert!(same.diff(&counted).stages()[1].is_changed());
    let priced = with(100, |make| make.metrics(json!({"duration_ms": 100, "cost_usd": 0.1}))).await;
    assert!(same.diff(&priced).stages()[1].is_changed());
}

#[tokio::test]
async fn traces_without_anything_in_common_or_without_spans_are_compared() {
    let (one, other) = (asked(&[("a", 1)]).await, latest(ingestion()).await);
    let diff = one.diff(&other);
    assert_eq!(shown(&diff)[..2], ["+ ingestion", "  + file_parsing"]);
    assert_eq!(shown(&diff)[4..], ["- ask", "  - a"]);
    let empty = latest([Make::new("log", "ask", 9, 0).record()]).await;
    assert_eq!((shown(&empty.diff(&empty)).len(), shown(&one.diff(&empty)).len()), (0, 2));
}

#[tokio::test]
async fn the_json_of_a_comparison_says_what_changed() {
    let before = asked(&[("retrieve", 50), ("generate", 900)]).await;
    let after = asked(&[("retrieve", 50), ("rerank", 40), ("generate", 500)]).await;
    let json: Json = serde_json::from_str(&before.diff(&after).to_json()).expect("JSON");
    let changes = json["stages"].as_array().expect("stages").iter().map(|stage| stage["change"].clone());
    assert_eq!(changes.collect::<Vec<_>>(), ["changed", "same", "new", "changed"]);
    assert_eq!((&json["before"]["duration_ms"], &json["after"]["spans"]), (&json!(950.0), &json!(4)));
    assert_eq!(json["stages"][2]["before"], Json::Null);
    assert_eq!(json["stages"][3]["after"]["self_ms"], json!(500.0));
}
