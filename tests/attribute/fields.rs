//! Fields on their way: stages inside the fields of others, long fields, and fields whose
//! expressions panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::future::FutureExt as _;
use ragtrace::{Record, Value, testing, traced_stage};
use ragtrace_tests::captured;

#[traced_stage(fields(depth, text = "x".repeat(long(depth))), ok(|out| deeper = *out))]
fn measured(depth: u64) -> u64 {
    depth * 2
}

/// Returns the length of the text of a measured stage.
fn long(depth: u64) -> usize {
    usize::try_from(depth * 100).expect("it is small")
}

/// A stage whose fields run stages with fields of their own, before, between and after its other
/// fields.
#[traced_stage(
    fields(first = measured(1), name, second = measured(2), inner = measured_inside(3)),
    ok(|out| last = measured(*out), sum = *out)
)]
async fn around(name: &str) -> u64 {
    measured(5);
    name.len() as u64
}

#[traced_stage(fields(n, of = measured(n)))]
fn measured_inside(n: u64) -> u64 {
    measured(n) + 1
}

fn number(record: &Record, name: &str) -> Option<u64> {
    record.field(name).and_then(Value::as_u64)
}

fn metric(record: &Record, name: &str) -> Option<u64> {
    record.metrics().find(|(metric, _)| *metric == name).and_then(|(_, value)| value.as_u64())
}

#[test]
fn the_fields_of_a_stage_that_a_field_runs_are_its_own() {
    let (_, captured) = captured(around("document"));
    let start = captured.stage("around").started().one();
    assert_eq!((number(start, "first"), number(start, "second"), number(start, "inner")), (Some(2), Some(4), Some(7)));
    assert_eq!(start.field("name").and_then(Value::as_str), Some("document"));
    assert_eq!(start.context().count(), 4);
    let end = captured.stage("around").completed().one();
    assert_eq!((end.metric("last"), end.metric("sum"), end.context().count()), (Some(16.0), Some(8.0), 4));
    for record in captured.stage("measured").completed().iter() {
        let depth = number(record, "depth").expect("a depth");
        assert_eq!(record.field("text").and_then(Value::as_str).map(str::len), Some(long(depth)));
        assert_eq!(metric(record, "deeper"), Some(depth * 2));
    }
    assert_eq!(captured.stage("measured").completed().len(), 6);
}

#[traced_stage(fields(text, number), ok(|out| text_again = %out, half = out.len() / 2))]
async fn texts(text: &str, number: i64) -> String {
    tokio::task::yield_now().await;
    text.to_owned()
}

#[test]
fn texts_of_any_length_arrive_beside_numbers() {
    for length in [0, 1, 7, 8, 9, 400, 503, 504, 505, 512, 5_000, 600_000] {
        let text: String = "aä\"\n€🦀z".chars().cycle().take(length).collect();
        let (_, captured) = captured(texts(&text, i64::MIN));
        for record in captured.stage("texts").iter() {
            assert_eq!(record.field("text").and_then(Value::as_str), Some(&text[..]));
            assert_eq!(record.field("number"), Some(&Value::I64(i64::MIN)));
            // The record reads back as it was written.
            let json: serde_json::Value = serde_json::from_str(&record.to_json()).expect("JSON");
            assert_eq!(json["context"]["text"], text);
        }
        let end = captured.stage("texts").completed().one();
        assert_eq!(end.field("text_again").and_then(Value::as_str), Some(&text[..]));
        assert_eq!(metric(end, "half"), u64::try_from(text.len() / 2).ok());
    }
}

/// An expression that panics.
fn no_more(_: u8) -> u8 {
    panic!("no more of it");
}

#[traced_stage(fields(before = 1, bad = no_more(bad)))]
fn bad_start(bad: u8) {}

#[traced_stage(ok(|()| part = 1, bad = no_more(1), behind = 2))]
fn bad_end() {}

#[traced_stage(fields(n))]
fn good(n: u32) {}

#[test]
fn an_expression_that_panics_leaves_nothing_to_other_stages() {
    let ((), captured) = testing::capture_sync(|| {
        assert!(catch_unwind(|| bad_start(1)).is_err());
        good(1);
        assert!(catch_unwind(bad_end).is_err());
        good(2);
    });
    assert!(captured.stage("bad_start").is_empty(), "it never began");
    let end = captured.stage("bad_end").failed().one();
    assert!(end.error().is_some_and(|error| error.message().starts_with("no more of it (at ")));
    assert_eq!((end.metric("part"), end.metric("behind")), (None, None), "the end says why and no more");
    for (record, n) in captured.stage("good").started().iter().zip(1..) {
        assert_eq!((number(record, "n"), record.context().count()), (Some(n), 1));
    }
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

#[traced_stage]
async fn holds() {
    let _held = PanicsInDrop;
    std::future::pending::<()>().await;
}

#[traced_stage]
async fn holds_inside() {
    holds().await;
}

#[test]
fn a_stage_whose_destructors_panic_has_failed() {
    let ((), captured) = captured(async {
        let mut running = Box::pin(holds_inside());
        assert!((&mut running).now_or_never().is_none());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(running))).is_err());
        good(1);
    });
    for stage in ["holds", "holds_inside"] {
        let error = captured.stage(stage).failed().one().error().expect("an error");
        assert!(error.message().starts_with("in a destructor"), "{}", error.message());
    }
    assert_eq!(captured.stage("good").started().one().parent_span_id(), None);
}

#[test]
fn a_stage_that_is_dropped_while_another_panic_unwinds_is_cancelled() {
    #[traced_stage]
    async fn waits() {
        std::future::pending::<()>().await;
    }
    let ((), captured) = captured(async {
        let mut running = Box::pin(waits());
        assert!((&mut running).now_or_never().is_none());
        let caught = catch_unwind(AssertUnwindSafe(move || {
            let _running = running;
            panic!("around it");
        }));
        assert!(caught.is_err());
    });
    assert_eq!(captured.stage("waits").cancelled().len(), 1);
}
