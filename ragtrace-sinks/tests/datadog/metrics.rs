//! Metrics: a stage's minutes as counts and durations.

use std::time::Duration;

use ragtrace::metrics::StageMinute;
use ragtrace::sink::{Batch, Delivered};
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Sink, StageKind, Timestamp};
use serde_json::{Value, json};

use crate::support::{ago, origin, run, server, sink};

fn minute(record: RecordBuilder) -> StageMinute {
    StageMinute::of(&record.build()).expect("an end")
}

fn batch(minutes: Vec<StageMinute>) -> Batch {
    Batch::new(Uuid::now_v7(), []).with_metrics(Vec::new(), minutes).with_origin(origin(), Timestamp::now())
}

fn embedding() -> RecordBuilder {
    let record = RecordBuilder::completed("embedding").kind(StageKind::Embed).tenant_id("Acme Inc");
    record
        .duration(Duration::from_millis(250))
        .count(16)
        .metric("cost_usd", 0.002)
        .timestamp(ago(Duration::from_mins(2)))
}

fn series_of<'a>(body: &'a Value, metric: &str) -> Vec<&'a Value> {
    body["series"].as_array().expect("series").iter().filter(|series| series["metric"] == metric).collect()
}

#[test]
fn a_minute_is_counts_by_outcome_and_the_durations_of_its_runs() {
    let server = server();
    let failed = minute(embedding().failure("E", "e").count(0));
    let batch = batch(vec![minute(embedding()), failed]);
    let delivered = run(sink(&server).tag("team:search").metrics().deliver(&batch)).expect("the intake takes it");
    assert_eq!(delivered, Delivered::all());
    let body = server.take_requests()[0].json();

    let runs = series_of(&body, "ragtrace.stage.runs");
    assert_eq!((runs[0]["type"].as_u64(), runs[0]["interval"].as_u64()), (Some(1), Some(60)));
    let tags = json!([
        "outcome:completed",
        "stage:embedding",
        "kind:embed",
        "tenant:acme_inc",
        "env:test",
        "service:rag-ask",
        "version:1.4.2",
        "team:search"
    ]);
    assert_eq!(runs[0]["tags"], tags);
    assert_eq!(runs[1]["tags"][0], "outcome:failed");
    assert_eq!(runs[0]["resources"], json!([{"type": "host", "name": "host-1"}]));
    assert_eq!(runs[0]["points"][0]["value"], 1);
    assert_eq!(series_of(&body, "ragtrace.stage.items")[0]["points"][0]["value"], 16);
    let cost = series_of(&body, "ragtrace.stage.cost")[0];
    assert_eq!((&cost["points"][0]["value"], &cost["unit"]), (&json!(0.004), &json!("dollar")));
    for name in ["p50", "p95", "p99", "max"] {
        let gauge = series_of(&body, &format!("ragtrace.stage.duration.{name}"))[0];
        let seconds = gauge["points"][0]["value"].as_f64().expect("a number");
        assert_eq!((&gauge["type"], &gauge["unit"]), (&json!(3), &json!("second")));
        assert!((seconds - 0.25).abs() < 0.003, "{name}: {seconds}");
    }
}

#[test]
fn a_point_is_of_its_minute_and_the_same_when_its_batch_comes_again() {
    let server = server();
    let metrics = sink(&server).metrics();
    let times = |batch: &Batch| -> Vec<i64> {
        run(metrics.deliver(batch)).expect("the intake takes it");
        let body = server.take_requests()[0].json();
        let all = body["series"].as_array().expect("series").iter();
        all.map(|series| series["points"][0]["timestamp"].as_i64().expect("a time")).collect()
    };
    let one = minute(embedding());
    let start = one.minute().as_micros() / 1_000_000;
    let first = batch(vec![one.clone()]);
    let seconds = times(&first);
    assert!(seconds.iter().all(|second| (start..start + 60).contains(second)), "{seconds:?} of {start}");
    assert_eq!(times(&first), seconds);
    let different = (0..50).any(|_| times(&batch(vec![one.clone()])) != seconds);
    assert!(different, "parts of one minute in several batches would replace each other");
}

#[test]
fn parts_of_one_minute_whose_tags_are_the_same_add_up_to_one_point_a_series() {
    let server = server();
    let start = minute(embedding()).minute();
    let at = |record: RecordBuilder| minute(record.timestamp(start));
    let nobody = || RecordBuilder::completed("embedding").kind(StageKind::Embed).duration(Duration::from_millis(40));
    let parts = vec![
        at(embedding()),
        at(embedding().duration(Duration::from_millis(750))),
        // Datadog's tags are in lower case, and allow only these characters.
        at(embedding().tenant_id("acme inc")),
        at(embedding().tenant_id("acme_inc").failure("E", "e")),
        at(nobody()),
        at(nobody().tenant_id("")),
        at(nobody().tenant_id("?")),
        minute(embedding().timestamp(start.plus(Duration::from_mins(1)))),
    ];
    run(sink(&server).metrics().deliver(&batch(parts))).expect("no point takes the place of another");
    let body = server.take_requests()[0].json();
    let values = |metric, start: &str| -> Vec<serde_json::Value> {
        let all = series_of(&body, metric).into_iter();
        let tagged = all.filter(|series| series["tags"].as_array().expect("tags").contains(&json!(start)));
        tagged.map(|series| series["points"][0]["value"].clone()).collect()
    };
    assert_eq!(values("ragtrace.stage.runs", "tenant:acme_inc"), [json!(3), json!(1), json!(1)]);
    assert_eq!(values("ragtrace.stage.items", "tenant:acme_inc"), [json!(64), json!(16)]);
    assert_eq!(values("ragtrace.stage.cost", "tenant:acme_inc"), [json!(0.008), json!(0.002)]);
    let longest = values("ragtrace.stage.duration.max", "tenant:acme_inc");
    assert!((longest[0].as_f64().expect("a number") - 0.75).abs() < 0.01, "{longest:?}");
    let runs = series_of(&body, "ragtrace.stage.runs").into_iter();
    let of_nobody: Vec<_> = runs.filter(|series| !series["tags"].to_string().contains("tenant:acme")).collect();
    assert_eq!(of_nobody.iter().map(|series| series["points"][0]["value"].as_u64()).max(), Some(Some(2)));
}

#[test]
fn points_that_are_too_old_or_to_come_are_left_out_and_counted() {
    let server = server();
    let metrics = sink(&server).metrics();
    let at = |time| minute(embedding().timestamp(time));
    let old = batch(vec![at(ago(Duration::from_mins(62))), at(ago(Duration::ZERO).plus(Duration::from_mins(20)))]);
    run(metrics.deliver(&old)).expect("nothing is sent");
    assert!(server.take_requests().is_empty());
    assert_eq!(metrics.counts().points_left_out(), 14);
    let mixed = batch(vec![at(ago(Duration::from_mins(62))), at(ago(Duration::from_mins(50)))]);
    run(metrics.deliver(&mixed)).expect("one of them is");
    assert_eq!(server.take_requests()[0].json()["series"].as_array().map(Vec::len), Some(7));
    assert_eq!(metrics.counts().points_left_out(), 21);
}

#[test]
fn a_payload_over_the_limits_is_split() {
    let server = server();
    let texts = (0..4_000).map(|number| minute(RecordBuilder::completed(format!("stage_{number}_{}", Uuid::new_v4()))));
    let error = run(sink(&server).metrics().deliver(&batch(texts.collect()))).expect_err("too large");
    assert_eq!(error.verdict(), ragtrace::sink::Verdict::Split, "{error}");
    assert!(server.take_requests().is_empty());
}

#[test]
fn no_record_is_taken_and_a_batch_without_counts_is_no_request() {
    let server = server();
    let metrics = sink(&server).metrics();
    let batch = Batch::new(Uuid::now_v7(), [RecordBuilder::log("a line").build()]);
    assert_eq!(run(metrics.deliver(&batch)).expect("nothing to send"), Delivered::all());
    assert!(server.take_requests().is_empty());
}
