//! The ways in which a stage ends, and the record of each.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::FutureExt as _;
use futures_util::stream::{self, Stream, StreamExt as _};
use ragtrace::testing::{self, Captured, ManualClock};
use ragtrace::{Event, Record, RequestContext, Timestamp, traced_stage};
use ragtrace_tests::captured;

/// An error with a source that has a source.
#[derive(Debug)]
struct Outer(Inner);

#[derive(Debug)]
struct Inner;

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the document could not be read")
    }
}

impl fmt::Display for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is gone")
    }
}

impl std::error::Error for Outer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl std::error::Error for Inner {}

/// A report as in `anyhow` and `eyre`: not an `Error` itself, but a pointer to one.
struct Report(Box<dyn std::error::Error + Send + Sync>);

impl std::ops::Deref for Report {
    type Target = dyn std::error::Error + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

struct Shown;

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shown")
    }
}

#[derive(Debug)]
struct Debugged {
    #[expect(dead_code, reason = "it is in the `Debug`")]
    code: u8,
}

struct Nothing;

#[traced_stage]
fn error() -> Result<(), Outer> {
    Err(Outer(Inner))
}

#[traced_stage]
fn boxed() -> Result<(), Box<dyn std::error::Error>> {
    Err(Outer(Inner).into())
}

#[traced_stage]
fn boxed_and_sent() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    Err(Outer(Inner).into())
}

#[traced_stage]
fn any_error() -> anyhow::Result<()> {
    Err(anyhow::Error::new(Outer(Inner)).context("the answer failed"))
}

#[traced_stage]
fn report() -> Result<(), Report> {
    Err(Report(Outer(Inner).into()))
}

#[traced_stage]
fn shared() -> Result<(), std::sync::Arc<Outer>> {
    Err(Outer(Inner).into())
}

#[traced_stage]
fn handed_to_many() -> Result<(), std::sync::Arc<anyhow::Error>> {
    Err(anyhow::Error::new(Outer(Inner)).context("the answer failed").into())
}

#[traced_stage]
fn joined() -> std::thread::Result<()> {
    std::thread::spawn(|| panic!("on the other thread")).join()
}

#[traced_stage]
fn shown() -> Result<(), Shown> {
    Err(Shown)
}

#[traced_stage]
fn text() -> Result<(), &'static str> {
    Err("a text")
}

#[traced_stage]
fn debugged() -> Result<(), Debugged> {
    Err(Debugged { code: 7 })
}

#[traced_stage]
fn nameless() -> Result<(), Nothing> {
    Err(Nothing)
}

#[test]
fn an_error_is_recorded_by_the_best_it_offers() {
    let ((), captured) = testing::capture_sync(|| {
        let _ = (error(), boxed(), boxed_and_sent(), any_error(), report(), shared());
        let _ = (handed_to_many(), joined());
        let _ = (shown(), text(), debugged(), nameless());
    });
    let of = |stage: &str| {
        let error = captured.stage(stage).failed().one().error().cloned().unwrap();
        (error.type_name().to_owned(), error.message().to_owned(), error.chain().join(" <- "))
    };
    let is = |name: &str, message: &str, chain: &str| (name.to_owned(), message.to_owned(), chain.to_owned());
    let (read, disk) = ("the document could not be read", "the disk is gone");
    assert_eq!(of("error"), is("Outer", read, disk));
    assert_eq!(of("boxed"), is("Box<dyn Error>", read, disk));
    assert_eq!(of("boxed_and_sent"), is("Box<dyn Error + Send + Sync>", read, disk));
    assert_eq!(of("any_error"), is("Error", "the answer failed", &format!("{read} <- {disk}")));
    assert_eq!(of("report"), is("Report", read, disk));
    assert_eq!(of("shared"), is("Arc<Outer>", read, disk));
    let answer = is("Arc<Error>", "the answer failed", &format!("{read} <- {disk}"));
    assert_eq!(of("handed_to_many"), answer);
    assert_eq!(of("joined"), is("Box<dyn Any + Send>", "on the other thread", ""));
    assert_eq!(of("shown"), is("Shown", "shown", ""));
    assert_eq!(of("text"), is("&str", "a text", ""));
    assert_eq!(of("debugged"), is("Debugged", "Debugged { code: 7 }", ""));
    assert_eq!(of("nameless"), is("Nothing", "Nothing", ""));
}

#[traced_stage]
fn nothing_found() -> Option<u32> {
    None
}

#[traced_stage]
fn answered_no() -> Result<Result<u32, Shown>, Outer> {
    Ok(Err(Shown))
}

#[traced_stage]
fn not_yet() -> std::task::Poll<Result<(), Shown>> {
    std::task::Poll::Ready(Err(Shown))
}

#[test]
fn only_an_err_is_a_failure() {
    let ((), captured) = testing::capture_sync(|| {
        nothing_found();
        let _ = (answered_no(), not_yet());
    });
    let ends: Vec<_> = captured.records().iter().map(Record::event).filter(|event| event.is_end()).collect();
    assert_eq!(ends, [Event::Completed; 3]);
}

#[traced_stage]
fn copied_on_write() -> std::borrow::Cow<'static, [u8]> {
    vec![1, 2].into()
}

#[traced_stage]
fn shared_slice() -> std::sync::Arc<[u8]> {
    vec![1, 2, 3].into()
}

#[test]
fn what_points_to_a_collection_is_counted() {
    let ((), captured) = testing::capture_sync(|| drop((copied_on_write(), shared_slice())));
    assert_eq!(captured.stage("copied_on_write").completed().one().count(), Some(2));
    assert_eq!(captured.stage("shared_slice").completed().one().count(), Some(3));
}

#[test]
fn the_backtrace_of_an_anyhow_error_is_the_stack_trace() {
    let (_, captured) = testing::capture_sync(any_error);
    let wanted = anyhow::anyhow!("").backtrace().status() == std::backtrace::BacktraceStatus::Captured;
    let trace = captured.stage("any_error").failed().one().stack_trace().map(|trace| trace.contains("any_error"));
    assert_eq!(trace, wanted.then_some(true));
}

#[traced_stage]
async fn panicking(poll: u32) {
    for _ in 0..poll {
        tokio::task::yield_now().await;
    }
    panic!("on purpose at poll {poll}")
}

#[traced_stage]
async fn around(poll: u32) {
    panicking(poll).await;
}

#[traced_stage]
fn panicking_call() {
    around_call();
}

#[traced_stage]
fn around_call() {
    std::panic::panic_any(7_u8);
}

#[test]
fn a_panic_fails_every_stage_that_it_passes_and_goes_on() {
    for poll in [0, 2] {
        let (caught, captured) = captured(AssertUnwindSafe(around(poll)).catch_unwind());
        let payload = caught.unwrap_err();
        assert_eq!(payload.downcast_ref::<String>(), Some(&format!("on purpose at poll {poll}")));
        for stage in ["panicking", "around"] {
            let error = captured.stage(stage).failed().one().error().unwrap();
            assert_eq!(error.type_name(), "panic");
            assert!(error.message().starts_with(&format!("on purpose at poll {poll} (at ")), "{}", error.message());
            assert!(error.message().contains("outcomes.rs:"));
        }
    }
    let (caught, captured) = testing::capture_sync(|| catch_unwind(panicking_call));
    assert_eq!(caught.unwrap_err().downcast_ref::<u8>(), Some(&7));
    assert_eq!(captured.stage("panicking_call").failed().len() + captured.stage("around_call").failed().len(), 2);
    assert!(RequestContext::current().is_none(), "the thread has what it had before");
}

#[traced_stage]
async fn waiting() {
    std::future::pending::<()>().await;
}

#[traced_stage]
async fn sibling() {
    tokio::task::yield_now().await;
    panic!("the other one");
}

#[traced_stage]
async fn both() {
    tokio::join!(waiting(), sibling());
}

#[test]
fn the_sibling_of_a_panic_is_cancelled() {
    let (caught, captured) = captured(AssertUnwindSafe(both()).catch_unwind());
    assert!(caught.is_err());
    assert_eq!(captured.stage("waiting").cancelled().len(), 1);
    assert_eq!(captured.stage("sibling").failed().len(), 1);
    assert_eq!(captured.stage("both").failed().len(), 1);
}

#[test]
fn a_dropped_stage_is_cancelled_and_one_that_was_never_polled_is_nothing() {
    let (outcome, captured) = captured(async {
        drop(waiting());
        tokio::time::timeout(Duration::from_millis(5), waiting()).await
    });
    assert!(outcome.is_err());
    let waits = captured.stage("waiting");
    assert_eq!((waits.started().len(), waits.cancelled().len(), waits.len()), (1, 1, 2));
    assert_eq!(waits.cancelled().one().level(), ragtrace::Level::Warn);
}

#[test]
fn a_cancelled_stage_ends_after_what_is_inside_it() {
    let ((), captured) = captured(async {
        let mut running = Box::pin(both_wait());
        assert!((&mut running).now_or_never().is_none());
    });
    let ends: Vec<_> = captured.records().iter().filter(|record| record.event() == Event::Cancelled).collect();
    assert_eq!(ends.iter().map(|end| end.stage().unwrap()).collect::<Vec<_>>(), ["waiting", "waiting", "both_wait"]);
}

#[traced_stage]
async fn both_wait() {
    tokio::join!(waiting(), waiting());
}

#[traced_stage(ok(|_| asked = true))]
async fn twice_polled() -> u8 {
    1
}

#[test]
fn a_stage_that_has_ended_says_no_more() {
    let (_, captured) = captured(async {
        let mut stage = Box::pin(twice_polled());
        assert_eq!((&mut stage).now_or_never(), Some(1));
        catch_unwind(AssertUnwindSafe(|| stage.as_mut().poll(&mut Context::from_waker(Waker::noop())))).is_err()
    });
    assert_eq!(captured.stage("twice_polled").len(), 2);
}

/// A stream that fails, and continues.
#[traced_stage(stream, record(seen: u32), fields(n))]
fn numbers(n: u32) -> Pin<Box<dyn Stream<Item = Result<u32, Outer>> + Send>> {
    let items = stream::iter(0..n).map(|number| if number == 2 { Err(Outer(Inner)) } else { Ok(number) });
    Box::pin(items.inspect(|_| {
        inside_the_stream();
    }))
}

#[traced_stage]
fn inside_the_stream() {}

fn ends(captured: &Captured, stage: &str) -> Vec<Event> {
    let records = captured.stage(stage);
    records.iter().map(Record::event).filter(|event| event.is_end()).collect()
}

#[test]
fn a_stream_ends_once_by_its_end_an_error_or_a_drop() {
    let (_, completed) = captured(async { numbers(2).count().await });
    assert_eq!(ends(&completed, "numbers"), [Event::Completed]);
    assert_eq!(completed.stage("numbers").completed().one().count(), Some(2));

    let (items, failed) = captured(async { numbers(5).count().await });
    assert_eq!((items, ends(&failed, "numbers")), (5, vec![Event::Failed]));
    let record = failed.stage("numbers").failed().one();
    assert_eq!(record.count(), Some(3));
    assert_eq!(record.error().map(|error| error.chain().len()), Some(1));
    let span = failed.stage("numbers").started().one().span_id();
    let inside = failed.stage("inside_the_stream").started();
    assert_eq!(inside.len(), 5);
    assert!(inside.iter().all(|run| run.parent_span_id() == span), "what comes after the error is inside still");

    let ((), dropped) = captured(async {
        let mut items = numbers(9);
        items.next().await;
        assert!(RequestContext::current().is_some_and(|context| context.span_id().is_none()));
    });
    assert_eq!(ends(&dropped, "numbers"), [Event::Cancelled]);
    assert_eq!(dropped.stage("numbers").cancelled().one().count(), Some(1));

    let ((), unpolled) = captured(async { drop(numbers(9)) });
    assert!(unpolled.records().is_empty());
}

#[traced_stage]
fn slow(steps: u32) -> impl Stream<Item = u32> {
    stream::iter(0..steps).then(|step| async move {
        tokio::time::sleep(Duration::from_millis(10)).await;
        step
    })
}

#[test]
fn a_stream_tells_the_time_to_its_first_item() {
    let clock = ManualClock::at(Timestamp::from_micros(0));
    let (count, captured) = testing::Capture::new().clock(&clock).run_sync(|| {
        let mut items = pin!(numbers(1));
        let mut cx = Context::from_waker(Waker::noop());
        clock.advance(Duration::from_millis(30));
        assert!(items.as_mut().poll_next(&mut cx).is_ready());
        clock.advance(Duration::from_millis(12));
        items.poll_next(&mut cx).is_ready()
    });
    assert!(count);
    let record = captured.stage("numbers").completed().one();
    assert_eq!(record.metric("first_item_ms"), Some(0.0), "the run begins at the first poll");
    assert_eq!(record.metric("duration_ms"), Some(12.0));
    let (_, captured) = crate::captured(async { slow(3).count().await });
    assert!(captured.stage("slow").completed().one().busy() <= captured.stage("slow").completed().one().duration());
}

#[traced_stage(stream)]
async fn refused(n: u32) -> Result<impl Stream<Item = u32>, Outer> {
    tokio::task::yield_now().await;
    match n {
        0 => Err(Outer(Inner)),
        1 => panic!("no stream"),
        _ => Ok(stream::iter(0..n)),
    }
}

#[test]
fn a_stream_that_never_comes_fails_or_is_cancelled() {
    let ((), captured) = captured(async {
        assert!(refused(0).await.is_err());
        assert!(AssertUnwindSafe(refused(1)).catch_unwind().await.is_err());
        let mut dropped = Box::pin(refused(2));
        assert!((&mut dropped).now_or_never().is_none());
    });
    assert_eq!(ends(&captured, "refused"), [Event::Failed, Event::Failed, Event::Cancelled]);
}

#[traced_stage]
fn panicking_stream(at: u32) -> impl Stream<Item = u32> {
    stream::iter(0..9).inspect(move |n| assert!(*n < at, "too far"))
}

#[test]
fn a_panic_in_a_stream_fails_it() {
    let (caught, captured) = captured(AssertUnwindSafe(async { panicking_stream(2).count().await }).catch_unwind());
    assert!(caught.is_err());
    assert_eq!(ends(&captured, "panicking_stream"), [Event::Failed]);
    let error = captured.stage("panicking_stream").failed().one().error().unwrap();
    assert!(error.message().starts_with("too far"));
}

#[traced_stage(root)]
async fn own_trace() {}

#[traced_stage]
async fn calls_own_trace() {
    own_trace().await;
}

#[test]
fn a_root_starts_a_trace_and_keeps_who_asked() {
    let request = RequestContext::new().with_user_id("alice");
    let ((), captured) = captured(async { request.scope(calls_own_trace()).await });
    let own = captured.stage("own_trace").started().one();
    assert_ne!(own.trace_id(), Some(request.trace_id()));
    assert_eq!((own.parent_span_id(), own.user_id(), own.is_local_root()), (None, Some("alice"), true));
}

#[test]
fn nothing_is_read_when_nobody_listens() {
    #[traced_stage(fields(never = unreachable()), ok(|_| never = unreachable()))]
    async fn unheard() -> u8 {
        1
    }
    fn unreachable() -> u8 {
        unreachable!("nobody listens")
    }
    // A capture in another test keeps stages enabled, but this thread's stages belong to no
    // capture.
    assert_eq!(unheard().now_or_never(), Some(1));
}
