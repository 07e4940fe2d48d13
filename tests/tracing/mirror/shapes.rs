//! Every shape of stage, and its fields.

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::{FutureExt, Stream, StreamExt, stream};
use ragtrace::{NamedStage, RequestContext, Secret, StageKind, testing, traced_stage};
use tracing::instrument;

use crate::record;

#[derive(Debug)]
struct Unreadable(std::num::ParseIntError);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read the page")
    }
}

impl Error for Unreadable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[traced_stage(kind = parse, fields(doc.name = name), ok(|pages| longest = pages.iter().max()))]
async fn parse(name: &str, pages: &[&str]) -> Result<Vec<u32>, Unreadable> {
    between();
    pages.iter().map(|page| page.parse().map_err(Unreadable)).collect()
}

#[instrument]
fn between() {
    chunk("some text");
}

#[traced_stage(kind = chunk, target = "rag.chunks", level = "debug", record(splits: u32, note: &str))]
fn chunk(text: &str) -> usize {
    record!(splits = 3);
    record!(note = "fine");
    text.len()
}

#[traced_stage(kind = retrieve)]
fn found(up_to: u32) -> impl Stream<Item = Result<u32, Unreadable>> {
    stream::iter(0..up_to)
        .map(|number| if number == 3 { Err(Unreadable("x".parse::<u32>().unwrap_err())) } else { Ok(number) })
}

#[traced_stage]
async fn waits() {
    pending::<()>().await;
}

#[traced_stage]
fn panics() {
    panic!("no page")
}

#[traced_stage(fields(key = Secret::new("tops3cret"), long = "é".repeat(2_000), absent = None::<u8>, flag = true, ratio = 0.5))]
fn fields() {}

#[traced_stage]
fn outer() {
    begins();
}

#[traced_stage(root)]
fn begins() {}

#[tokio::test]
async fn a_stage_is_a_span_with_an_event_at_its_start_and_its_end_and_nests_with_spans_of_the_application() {
    let recording = record();
    let (result, _) = testing::capture(parse("report.pdf", &["1", "7"])).await;
    assert!(result.is_ok());
    assert_eq!(recording.tree(), ["parse", "  between", "    chunk"]);
    assert_eq!(
        recording.events(),
        [
            "INFO parse_started in parse",
            "DEBUG chunk_started in parse:between:chunk",
            "DEBUG chunk_completed in parse:between:chunk",
            "INFO parse_completed in parse",
        ]
    );
    let parsed = recording.fields("parse");
    assert_eq!(parsed["doc.name"], "report.pdf");
    assert_eq!((&*parsed["count"], &*parsed["longest"]), ("2", "7"));
    recording.assert_balanced();
}

#[tokio::test]
async fn a_failed_stage_tells_its_error_and_the_errors_that_caused_it() {
    let recording = record();
    let (result, _) = testing::capture(parse("report.pdf", &["one"])).await;
    assert!(result.is_err());
    assert_eq!(recording.events().last().map(String::as_str), Some("ERROR parse_failed in parse"));
    let heard = format!("{:?}", recording.heard());
    assert!(heard.contains(r#""error": "cannot read the page: invalid digit found in string""#), "{heard}");
    let parsed = recording.fields("parse");
    assert_eq!(parsed["error.type"], "Unreadable");
    assert_eq!(parsed["otel.status_code"], "ERROR");
    assert_eq!(parsed["otel.status_description"], "cannot read the page");
    recording.assert_balanced();
}

#[test]
fn what_a_body_records_is_added_to_its_span() {
    let recording = record();
    let (_, captured) = testing::capture_sync(|| chunk("text"));
    let fields = recording.fields("chunk");
    assert_eq!((&*fields["splits"], &*fields["note"]), ("3", "fine"));
    assert_eq!(captured.stage("chunk").completed().one().metric("splits"), Some(3.0));
}

#[test]
fn the_first_span_of_a_trace_says_which_trace_it_is() {
    let recording = record();
    let (trace, _) = testing::capture_sync(|| {
        let request = RequestContext::new();
        request.sync_scope(between);
        request.trace_id()
    });
    assert_eq!(recording.fields("chunk")["trace_id"], trace.to_string());
}

#[tokio::test]
async fn a_stream_is_one_span_that_ends_when_the_stream_does() {
    let recording = record();
    let (items, _) = testing::capture(async { found(2).collect::<Vec<_>>().await }).await;
    assert_eq!(items.len(), 2);
    assert_eq!(recording.events(), ["INFO found_started in found", "INFO found_completed in found"]);
    assert_eq!(recording.fields("found")["count"], "2");
    recording.assert_balanced();

    drop(recording);
    let recording = record();
    let (items, _) = testing::capture(async { found(5).collect::<Vec<_>>().await }).await;
    assert_eq!(items.len(), 5);
    assert_eq!(recording.events(), ["INFO found_started in found", "ERROR found_failed in found"]);
    recording.assert_balanced();
}

#[tokio::test]
async fn a_stage_that_is_dropped_or_panics_leaves_and_closes_its_span() {
    let recording = record();
    testing::capture(async {
        assert!(waits().now_or_never().is_none());
        drop(waits());
    })
    .await;
    assert_eq!(recording.events(), ["INFO waits_started in waits", "WARN waits_cancelled in waits"]);
    recording.assert_balanced();
    drop(recording);

    let recording = record();
    testing::capture_sync(|| assert!(catch_unwind(AssertUnwindSafe(panics)).is_err()));
    assert_eq!(recording.events(), ["INFO panics_started in panics", "ERROR panics_failed in panics"]);
    let heard = format!("{:?}", recording.heard());
    assert!(heard.contains(r#""error": "no page"#) && heard.contains(r#""error.type": "panic""#), "{heard}");
    recording.assert_balanced();
}

#[test]
fn a_secret_stays_one_and_a_long_text_is_cut() {
    let recording = record();
    testing::capture_sync(fields);
    let fields = recording.fields("fields");
    assert_eq!((&*fields["key"], &*fields["flag"], &*fields["ratio"]), ("[secret]", "true", "0.5"));
    let long = &fields["long"];
    assert!(long.len() <= 1_024 && long.ends_with("é…"), "{long}");
    assert!(!fields.contains_key("absent"));
}

#[test]
fn a_stage_that_begins_a_trace_inside_another_is_no_child_of_it() {
    let recording = record();
    testing::capture_sync(outer);
    assert_eq!(recording.tree(), ["outer", "begins"]);
    assert_ne!(recording.fields("outer")["trace_id"], recording.fields("begins")["trace_id"]);
    recording.assert_balanced();
}

#[test]
fn a_stage_that_is_named_at_run_time_is_shown_from_its_first_run_on() {
    let recording = record();
    let stage = NamedStage::new("job reindex", StageKind::Pipeline).expect("there are few names");
    testing::capture_sync(|| stage.run_sync(|| chunk("text")));
    assert_eq!(recording.tree(), ["job reindex", "  chunk"]);
}

#[test]
fn nothing_comes_twice_into_the_records_and_what_the_application_logs_comes_once() {
    let recording = record();
    let ((), captured) = testing::capture_sync(|| {
        outer();
        tracing::info!("a line of the application's");
    });
    assert_eq!(recording.events().len(), 5);
    let messages: Vec<_> = captured.logs().map(|record| record.message().into_owned()).collect();
    assert_eq!(messages, ["a line of the application's"]);
    assert_eq!(captured.records().len(), 5);
}
