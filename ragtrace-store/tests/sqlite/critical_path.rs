//! Self times and the critical path of a trace.

use std::time::Duration;

use proptest::prelude::*;
use ragtrace::{Record, Sink};
use ragtrace_store::{self as store, SpanNode, SpanStatus, Trace};
use serde_json::{Value as Json, json};

use crate::support::{BEGIN, File, Make, batch, ingestion, run};

async fn latest(records: impl IntoIterator<Item = Record>) -> Trace {
    let file = File::holding(records).await;
    let store = store::open(&file.url()).await.expect("opens");
    store.latest_trace().await.expect("reads").expect("there is a trace")
}

fn ms(duration: Duration) -> u128 {
    assert_eq!(duration.subsec_micros() % 1_000, 0, "{duration:?}");
    duration.as_millis()
}

/// Returns the parts of the path as the stage, its offset in milliseconds and its duration.
fn path(trace: &Trace) -> Vec<(String, u128, u128)> {
    let parts = trace.critical_path();
    let part = |part: ragtrace_store::PathPart<'_>| {
        (part.span().stage().to_owned(), ms(part.started_at().since(trace.started_at())), ms(part.duration()))
    };
    parts.parts().map(part).collect()
}

/// Returns the end of a run below a parent.
fn end(stage: &str, span: u64, parent: u64, from_to_ms: (u64, u64)) -> Record {
    run("completed", stage, span, from_to_ms).1.parent(parent).record()
}

fn root(from_to_ms: (u64, u64)) -> Record {
    run("completed", "ask", 1, from_to_ms).1.record()
}

fn parts<const N: usize>(expected: [(&str, u128, u128); N]) -> Vec<(String, u128, u128)> {
    expected.map(|(stage, from, took)| (stage.to_owned(), from, took)).to_vec()
}

#[tokio::test]
async fn the_path_goes_through_the_child_that_ended_last_and_gaps_are_the_parents_own() {
    let trace = latest([root((0, 100)), end("retrieve", 2, 1, (10, 40)), end("generate", 3, 1, (50, 90))]).await;
    let expected = [("ask", 0, 10), ("retrieve", 10, 30), ("ask", 40, 10), ("generate", 50, 40), ("ask", 90, 10)];
    assert_eq!(path(&trace), parts(expected));
    let times = |span: SpanNode<'_>| (span.self_time().map(ms), span.critical_time().map(ms));
    assert_eq!(
        trace.spans().map(times).collect::<Vec<_>>(),
        [(Some(30), Some(30)), (Some(30), Some(30)), (Some(40), Some(40))]
    );
}

#[tokio::test]
async fn of_children_that_ran_beside_one_another_the_path_has_the_one_that_was_waited_for() {
    let children = [(2, "fast", (0, 30)), (3, "slow", (0, 70)), (4, "next", (70, 100)), (5, "beside", (20, 90))];
    let trace = latest([root((0, 100))].into_iter().chain(children.map(|(id, stage, at)| end(stage, id, 1, at)))).await;
    assert_eq!(path(&trace), parts([("slow", 0, 70), ("next", 70, 30)]));
    let on_path = |span: SpanNode<'_>| (span.stage().to_owned(), span.critical_time().is_some());
    let on_path: Vec<_> = trace.spans().map(on_path).filter(|(_, is_on)| !is_on).map(|(stage, _)| stage).collect();
    assert_eq!(on_path, ["fast", "beside"]);
    assert_eq!(trace.spans().next().expect("a root").self_time(), Some(Duration::ZERO));
}

#[tokio::test]
async fn a_child_outside_of_its_parent_counts_as_far_as_it_lies_inside() {
    // The clock of the other process is 20 ms ahead, then 30 ms behind, then off by an hour.
    for (child, expected, alone) in [
        ((70, 120), parts([("ask", 0, 70), ("remote", 70, 30)]), 70),
        ((0, 80), parts([("remote", 20, 60), ("ask", 80, 20)]), 20),
        ((3_600_000, 3_600_050), parts([("ask", 0, 100)]), 100),
    ] {
        let begin = if child.0 == 0 { 20 } else { 0 };
        let trace = latest([root((begin, 100)), end("remote", 2, 1, child)]).await;
        // Offsets are from the first span, which may be the child.
        assert_eq!(path(&trace), expected, "{child:?}");
        assert_eq!(trace.roots().next().expect("a root").self_time().map(ms), Some(alone), "{child:?}");
    }
}

#[tokio::test]
async fn what_has_not_ended_reaches_to_the_last_record() {
    let file = File::new();
    let sink = file.sink();
    let now = ragtrace::Timestamp::now();
    let at = |make: Make, ms| make.with("timestamp", now.plus(Duration::from_millis(ms)).to_string()).record();
    let done = Make::new("completed", "retrieve", 2, 0).metrics(json!({"duration_ms": 30})).parent(1);
    let records = [
        at(Make::new("started", "ask", 1, 0), 0),
        at(done, 40),
        at(Make::new("started", "generate", 3, 0).parent(1), 50),
        at(Make::new("log", "generate", 3, 0), 80),
    ];
    sink.deliver(&batch(records)).await.expect("delivered");
    let store = store::open(&file.url()).await.expect("opens");
    let expected = parts([("ask", 0, 10), ("retrieve", 10, 30), ("ask", 40, 10), ("generate", 50, 30)]);
    for status in [SpanStatus::Open, SpanStatus::Lost] {
        let trace = store.latest_trace().await.expect("reads").expect("there is a trace");
        assert_eq!((trace.status(), path(&trace)), (status, expected.clone()));
        let self_times: Vec<_> = trace.spans().map(SpanNode::self_time).collect();
        assert_eq!(self_times, [None, Some(Duration::from_millis(30)), None]);
        if status == SpanStatus::Open {
            sink.close().await;
        }
    }
}

#[tokio::test]
async fn each_root_has_a_path_of_its_own() {
    let other = run("completed", "other", 9, (50, 150)).1.record();
    let trace = latest([root((0, 100)), end("retrieve", 2, 1, (0, 40)), other]).await;
    assert_eq!(path(&trace), parts([("retrieve", 0, 40), ("ask", 40, 60), ("other", 50, 100)]));
}

#[tokio::test]
async fn a_microsecond_of_rounding_between_two_stages_does_not_hide_the_first() {
    let with = |make: Make, start_us: u64, duration_ms: f64| {
        let at = BEGIN.plus(Duration::from_micros(start_us) + Duration::from_secs_f64(duration_ms / 1e3));
        make.with("timestamp", at.to_string()).metrics(json!({"duration_ms": duration_ms})).record()
    };
    let started =
        |make: Make, us: u64| make.with("timestamp", BEGIN.plus(Duration::from_micros(us)).to_string()).record();
    let make = |event: &str, stage: &str, span: u64| Make::new(event, stage, span, 0).parent(1);
    let trace = latest([
        root((0, 2)),
        started(make("started", "parse", 2), 0),
        with(make("completed", "parse", 2), 0, 1.0009),
        started(make("started", "chunk", 3), 1_000),
        with(make("completed", "chunk", 3), 1_000, 1.0),
    ])
    .await;
    let on_path: Vec<_> = trace.critical_path().parts().map(|part| part.span().stage().to_owned()).collect();
    assert_eq!(on_path, ["parse", "chunk"]);
}

#[tokio::test]
async fn the_json_of_a_span_has_both_times() {
    let trace = latest(ingestion()).await;
    let json: Json = serde_json::from_str(&trace.to_json()).expect("JSON");
    let times = |span: &Json| (span["stage"].clone(), span["self_ms"].clone(), span["critical_ms"].clone());
    let times: Vec<_> = json["spans"].as_array().expect("spans").iter().map(times).collect();
    let expected = [
        (json!("ingestion"), json!(6.0), json!(6.0)),
        (json!("file_parsing"), json!(112.0), json!(112.0)),
        (json!("document_chunking"), json!(84.0), json!(84.0)),
        (json!("chunk_embedding"), json!(1218.0), json!(1218.0)),
    ];
    assert_eq!(times.len(), 4);
    for ((stage, own, critical), expected) in times.iter().zip(&expected) {
        let near = |is: &Json, to: &Json| (is.as_f64().expect("ms") - to.as_f64().expect("ms")).abs() < 0.2;
        assert!(stage == &expected.0 && near(own, &expected.1) && near(critical, &expected.2), "{times:?}");
    }
}

#[tokio::test]
async fn a_trace_of_100_000_spans_is_walked_however_deep_it_is() {
    // A chain of 50,000, each a millisecond shorter at both ends, below it 49,999 siblings.
    const DEPTH: u64 = 50_000;
    let chain = (2..=DEPTH).map(|at| end("level", at, at - 1, (at, 400_000 - at)));
    let wide = (0..49_999).map(|at| end("sibling", DEPTH + 1 + at, DEPTH, (DEPTH + at * 2, DEPTH + at * 2 + 1)));
    let trace = latest(std::iter::once(root((1, 399_999))).chain(chain).chain(wide)).await;
    assert_eq!(trace.spans().len(), 99_999);
    let path = trace.critical_path();
    let total: Duration = path.parts().map(ragtrace_store::PathPart::duration).sum();
    assert_eq!(Some(total), trace.roots().next().expect("a root").duration());
    assert_eq!(path.parts().filter(|part| part.span().stage() == "sibling").count(), 49_999);
    assert_eq!(trace.stage_totals().len(), 3);
    assert!(trace.diff(&trace).stages().iter().all(|stage| !stage.is_changed()));
}

/// A span of a random tree: its parent among the spans before it, its start, its duration, and
/// `false` if its end is missing.
type Random = (Option<usize>, u64, u64, bool);

fn random_tree() -> impl Strategy<Value = Vec<Random>> {
    let span = (any::<prop::sample::Index>(), 0..10_u8, 0..60_u64, 0..60_u64, prop::bool::weighted(0.9));
    prop::collection::vec(span, 1..24).prop_map(|spans| {
        let parent = |at: usize, index: &prop::sample::Index, any: u8| (at > 0 && any > 0).then(|| index.index(at));
        let spans = spans.iter().enumerate();
        spans.map(|(at, (index, any, from, took, ended))| (parent(at, index, *any), *from, *took, *ended)).collect()
    })
}

fn records(tree: &[Random]) -> Vec<Record> {
    let id = |at: usize| at as u64 + 1;
    let record = |(at, (parent, from, took, ended)): (usize, &Random)| {
        let (start, end) = run("completed", &format!("stage_{at}"), id(at), (*from, from + took));
        let make = if *ended { end } else { start };
        parent.map_or(make.clone(), |parent| make.parent(id(parent))).record()
    };
    tree.iter().enumerate().map(record).collect()
}

/// The extent of a span in milliseconds from the start of the trace.
fn extent(span: SpanNode<'_>, trace: &Trace) -> (u128, u128) {
    let from = ms(span.started_at().since(trace.started_at()));
    (from, span.duration().map_or(ms(trace.duration()), |duration| from + ms(duration)))
}

/// Returns the path of a span, found in the simplest way: millisecond by millisecond, from the end.
fn walked<'a>(span: SpanNode<'a>, within: (u128, u128), trace: &Trace, found: &mut Vec<(&'a str, u128, u128)>) {
    let mut point = within.1;
    while point > within.0 {
        let inside = |child: &SpanNode<'_>| {
            let (from, to) = extent(*child, trace);
            (from.max(within.0), to.min(within.1))
        };
        // The last one of these, if several ended together: the longest.
        let children = span.children().filter(|child| inside(child).0 < inside(child).1 && inside(child).1 == point);
        let ended = children.min_by_key(|child| (std::cmp::Reverse(extent(*child, trace).1), extent(*child, trace).0));
        if let Some(child) = ended {
            walked(child, inside(&child), trace, found);
            point = inside(&child).0;
        } else {
            point -= 1;
            match found.last_mut() {
                Some((stage, from, _)) if *stage == span.stage() && *from == point + 1 => *from = point,
                _ => found.push((span.stage(), point, point + 1)),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_parts_of_a_path_add_up_to_their_root_and_never_overlap(tree in random_tree()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let trace = runtime.block_on(latest(records(&tree)));
        let path = path(&trace);
        let mut rest = path.as_slice();
        for root in trace.roots() {
            let (from, to) = extent(root, &trace);
            let mut point = from;
            while let Some(((_, begin, took), after)) = rest.split_first().filter(|_| point < to) {
                prop_assert_eq!(*begin, point);
                prop_assert!(*took > 0);
                (point, rest) = (point + took, after);
            }
            prop_assert_eq!(point, to, "{:?}", &path);
            let mut expected = Vec::new();
            walked(root, (from, to), &trace, &mut expected);
            let theirs = expected.iter().rev().map(|(stage, from, to)| (stage.to_string(), *from, to - from));
            let ours = &path[path.len() - rest.len() - expected.len()..path.len() - rest.len()];
            prop_assert_eq!(ours, theirs.collect::<Vec<_>>());
        }
        prop_assert!(rest.is_empty());
        for span in trace.spans() {
            let of_it: u128 = path.iter().filter(|(stage, ..)| stage == span.stage()).map(|(_, _, took)| took).sum();
            prop_assert_eq!(span.critical_time().map_or(0, ms), of_it);
        }
    }

    #[test]
    fn the_self_time_is_the_time_in_which_no_child_ran(tree in random_tree()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let trace = runtime.block_on(latest(records(&tree)));
        for span in trace.spans() {
            let (from, to) = extent(span, &trace);
            let children: Vec<_> = span.children().map(|child| extent(child, &trace)).collect();
            let is_alone = |at: &u128| !children.iter().any(|(from, to)| from <= at && at < to);
            let expected = span.duration().map(|_| (from..to).filter(is_alone).count() as u128);
            prop_assert_eq!(span.self_time().map(ms), expected);
        }
    }
}
