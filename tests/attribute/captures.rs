//! `ragtrace::testing`: the contents of captures, and the messages of failed assertions.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use expect_test::expect_file;
use ragtrace::testing::{self, Captured, ManualClock};
use ragtrace::{InContext as _, RequestContext, Timestamp, traced_stage};
use ragtrace_tests::captured;

#[traced_stage("captures.outer", kind = pipeline, fields(query))]
async fn outer(query: &str) -> Result<usize, std::io::Error> {
    let found = inner(query.len()).await;
    if found.is_empty() {
        return Err(std::io::Error::other("nothing found"));
    }
    Ok(found.len())
}

#[traced_stage("captures.inner", kind = retrieve, ok(|_| cost_usd = 0.25))]
async fn inner(n: usize) -> Vec<usize> {
    tokio::task::yield_now().await;
    (0..n).collect()
}

fn failure(of: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(of)).unwrap_err();
    payload.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn with_clock(clock: &ManualClock, query: &str) -> Captured {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_, captured) = runtime.block_on(testing::Capture::new().clock(clock).run(outer(query)));
    captured
}

#[test]
fn a_failed_assertion_prints_what_was_captured() {
    let clock = ManualClock::at(Timestamp::from_micros(0));
    let captured = with_clock(&clock, "");
    let said = failure(|| {
        captured.stage("captures.outer").completed().one();
    });
    let expected = "expected one record of stage `captures.outer`, completed, found 0; captured:
captures.outer_started query=
  captures.inner_started
  captures.inner_completed 0.0ns count=0 cost_usd=0.25
captures.outer_failed 0.0ns query= Error: \"nothing found\"
";
    assert_eq!(said, expected);
    let said = failure(|| {
        captured.stage("captures.inner").one();
    });
    assert!(said.starts_with("expected one record of stage `captures.inner`, found 2; captured:\n"), "{said}");
    let ((), nothing) = testing::capture_sync(|| ());
    let said = failure(|| {
        nothing.stage("captures.inner").one();
    });
    assert_eq!(said, "expected one record of stage `captures.inner`, found 0; nothing was captured");
}

#[test]
fn a_manual_clock_and_ids_make_snapshots() {
    let clock = ManualClock::at("2026-11-22T08:20:11Z".parse().unwrap());
    clock.advance(Duration::from_millis(250));
    let captured = with_clock(&clock, "ab");
    let lines = captured.records().iter().map(ragtrace::Record::to_json);
    // The line of a stage's declaration changes with every edit above it.
    let lines: Vec<_> =
        lines.map(|line| format!("{}}}\n", line.split(",\"source\"").next().unwrap_or(&line))).collect();
    expect_file!["captures.jsonl"].assert_eq(&lines.concat());
    assert_eq!(with_clock(&clock, "ab").records(), captured.records(), "another run records the same");
}

#[test]
fn a_capture_belongs_to_its_task() {
    let ((), captured) = captured(async {
        let other = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(testing::capture(inner(3)))
        });
        outer("abc").await.unwrap();
        ragtrace::spawn(inner(1)).await.unwrap();
        tokio::spawn(inner(2).in_current_context()).await.unwrap();
        tokio::spawn(inner(9)).await.unwrap();
        let (_, other) = other.join().unwrap();
        assert_eq!(other.records().len(), 2);
        let request = RequestContext::new().with_user_id("alice");
        request.scope(inner(4)).await;
    });
    let counts: Vec<_> = captured.stage("captures.inner").completed().iter().map(ragtrace::Record::count).collect();
    assert_eq!(counts, [Some(3), Some(1), Some(2), Some(4)]);
    let last = captured.stage("captures.inner").completed().iter().last().unwrap();
    assert_eq!(last.user_id(), Some("alice"));
}

#[test]
fn a_view_narrows() {
    let (_, captured) = captured(outer("abc"));
    let all = captured.stage("captures.outer");
    assert_eq!((all.len(), all.started().len(), all.failed().len()), (2, 1, 0));
    assert!(all.cancelled().is_empty());
    assert_eq!(format!("{:?}", all.started()).lines().next(), Some("1 records of stage `captures.outer`, started:"));
    let one = all.completed().one();
    assert_eq!(one.field("query").and_then(|query| query.as_str()), Some("abc"));
    assert!(one.duration() >= one.busy());
}

#[traced_stage("captures.ring", kind = pipeline, descriptor = RING)]
async fn ring(depth: u32) {
    if depth > 0 {
        Box::pin(ring(depth - 1)).await;
    } else {
        inner(1).await;
    }
}

#[test]
fn a_view_asserts_what_runs_inside_what() {
    let (_, captured) = captured(async {
        ring(2).await;
        outer("ab").await
    });
    let found = captured.stage("captures.inner");
    assert_eq!(found.len(), 4);
    let said = failure(|| drop(found.within("captures.outer")));
    let begins = "expected all records of stage `captures.inner` within `captures.outer`, found captures.inner_started \
                  outside; captured:\n";
    assert!(said.starts_with(begins), "{said}");
    let said = failure(|| drop(found.failed().within("captures.outer")));
    let begins = "expected records of stage `captures.inner`, failed within `captures.outer`, found none; captured:\n";
    assert!(said.starts_with(begins), "{said}");
    let ((), captured) = crate::captured(ring(2));
    assert_eq!(captured.stage("captures.inner").within("captures.ring").completed().one().count(), Some(1));
    // No run is inside itself, and the outermost run is inside of none.
    let said = failure(|| drop(captured.stage("captures.ring").within("captures.ring")));
    assert!(said.contains("found captures.ring_started outside"), "{said}");
    let said = failure(|| drop(captured.stage("captures.inner").within("captures.outer")));
    assert!(said.contains("outside"), "a stage that is known and did not run: {said}");
}

#[test]
fn a_view_asserts_what_runs_inside_a_stage_by_its_descriptor() {
    let (_, captured) = captured(async {
        ring(1).await;
        outer("ab").await
    });
    assert_eq!(captured.of(&RING).completed().len(), 2);
    let said = failure(|| drop(captured.stage("captures.inner").within_stage(&RING)));
    assert!(
        said.starts_with("expected all records of stage `captures.inner` within `captures.ring`, found "),
        "{said}"
    );
    let ((), captured) = crate::captured(ring(1));
    assert_eq!(captured.stage("captures.inner").within_stage(&RING).completed().one().count(), Some(1));
}

#[test]
fn a_name_that_no_stage_has_fails_and_suggests_the_nearest() {
    let (_, captured) = captured(outer("ab"));
    let said = failure(|| drop(captured.stage("captures.iner")));
    assert_eq!(said, "no stage has the name `captures.iner`: did you mean `captures.inner`?");
    let said = failure(|| drop(captured.stage("captures.inner").within("captures.out")));
    assert_eq!(said, "no stage has the name `captures.out`: did you mean `captures.outer`?");
    let said = failure(|| drop(captured.stage("entirely_different_work")));
    assert!(said.starts_with("no stage has the name `entirely_different_work`; captured:\n"), "{said}");
    assert!(captured.stage("captures.ring").is_empty(), "it is known, and did not run");
}
