//! Counts of what Datadog's limits cost: each loss counts once, however often a batch has to be
//! sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ragtrace::Sink;
use ragtrace::metrics::StageMinute;
use ragtrace::sink::{Batch, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace_sinks::DatadogCounts;
use ragtrace_sinks_support::{Answer, Server};

use crate::intake;
use crate::support::{ago, built, run, sink};

/// Starts a server that is too busy for the first two requests.
fn busy_server() -> Server {
    let requests = AtomicUsize::new(0);
    Server::start(move |request| match requests.fetch_add(1, Ordering::Relaxed) {
        0 | 1 => Answer::status(503),
        _ => intake::answer(request),
    })
}

/// Delivers a batch until it is accepted, and returns the counts after each attempt.
fn attempts<const N: usize>(sink: &impl Sink, batch: &Batch, counts: impl Fn() -> [u64; N]) -> [[u64; N]; 3] {
    [Some(Verdict::Retry), Some(Verdict::Retry), None].map(|expected| {
        let answer = run(sink.deliver(batch));
        assert_eq!(answer.err().map(|error| error.verdict()), expected);
        counts()
    })
}

fn all(counts: &DatadogCounts) -> [u64; 4] {
    [counts.cut_entries(), counts.fields_left_out(), counts.points_left_out(), counts.cut_spans()]
}

#[test]
fn what_was_cut_is_counted_once_it_has_arrived() {
    let long = RecordBuilder::log("x".repeat(1_200_000));
    let wide = (0..400).fold(RecordBuilder::log("wide"), |record, number| record.field(format!("f_{number}"), number));
    let server = busy_server();
    let logs = sink(&server);
    let [first, second, last] =
        attempts(&logs, &Batch::new(Uuid::now_v7(), built([long, wide])), || all(&logs.counts()));
    assert_eq!((first, second), ([0; 4], [0; 4]));
    assert!(last[0] == 1 && last[1] > 100 && last[1] < 400 && last[2..] == [0, 0], "{last:?}");

    let server = busy_server();
    let metrics = sink(&server).metrics();
    let at = |time| StageMinute::of(&RecordBuilder::completed("a").timestamp(time).build()).expect("an end");
    let minutes = vec![at(ago(Duration::from_mins(90))), at(ago(Duration::from_mins(2)))];
    let batch = Batch::new(Uuid::now_v7(), []).with_metrics(Vec::new(), minutes);
    assert_eq!(attempts(&metrics, &batch, || all(&metrics.counts())), [[0; 4], [0; 4], [0, 0, 5, 0]]);

    let server = busy_server();
    let spans = sink(&server).llm_observability("a");
    let large = RecordBuilder::completed("a").field("input", "x".repeat(5_100_000));
    let batch = Batch::new(Uuid::now_v7(), built([large]));
    assert_eq!(attempts(&spans, &batch, || all(&spans.counts())), [[0; 4], [0; 4], [0, 0, 0, 1]]);
}

#[test]
fn what_is_in_a_batch_that_has_to_be_split_is_not_counted_yet() {
    let server = Server::start(intake::answer);
    let logs = sink(&server);
    let long = || RecordBuilder::log("x".repeat(1_200_000)).field("more", "y".repeat(990_000));
    let whole = (0..12).map(|_| RecordBuilder::log("z".repeat(900_000))).chain([long()]);
    let batch = Batch::new(Uuid::now_v7(), built([long()].into_iter().chain(whole)));
    assert_eq!(run(logs.deliver(&batch)).expect_err("too large").verdict(), Verdict::Split);
    assert_eq!(logs.counts().cut_entries(), 0);
}
