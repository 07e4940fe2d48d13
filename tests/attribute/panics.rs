//! The panic that a failed stage reports is always its own, and never another one.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::future::FutureExt as _;
use futures_util::stream::{self, Stream, StreamExt as _};
use ragtrace::testing::{self, Captured};
use ragtrace::{Event, RequestContext, traced_stage};
use ragtrace_tests::captured;

/// Returns the message of a stage's failure by a panic.
fn message(captured: &Captured, stage: &str) -> String {
    let record = captured.stage(stage).failed().one();
    let error = record.error().unwrap();
    assert_eq!(error.type_name(), "panic");
    error.message().to_owned()
}

fn begins(message: &str, text: &str) {
    assert!(message.starts_with(&format!("{text} (at ")) && message.contains("panics.rs:"), "{message}");
}

#[traced_stage]
async fn parse(text: &str) {
    panic!("cannot parse {text:?}");
}

#[traced_stage]
async fn embed() {
    let task: tokio::task::JoinHandle<()> = tokio::task::spawn_blocking(|| panic!("the model is not there"));
    if let Err(error) = task.await {
        resume_unwind(error.into_panic());
    }
}

#[traced_stage]
async fn answer() {
    embed().await;
}

#[test]
fn a_panic_of_another_thread_is_recorded_by_its_own_text_wherever_it_goes_on() {
    let ((), captured) = captured(async {
        let alice = RequestContext::new().with_user_id("alice");
        assert!(AssertUnwindSafe(alice.scope(parse("alice's text"))).catch_unwind().await.is_err());
        let bob = RequestContext::new().with_user_id("bob");
        assert!(AssertUnwindSafe(bob.scope(answer())).catch_unwind().await.is_err());
    });
    begins(&message(&captured, "parse"), r#"cannot parse "alice's text""#);
    assert_eq!(message(&captured, "embed"), "the model is not there");
    assert_eq!(message(&captured, "answer"), "the model is not there");
}

#[traced_stage]
fn goes_on(payload: Box<dyn std::any::Any + Send>) {
    resume_unwind(payload);
}

#[traced_stage]
fn says(text: &str) {
    panic!("{text}");
}

#[traced_stage]
fn says_one_and_goes_on_with_another() {
    assert!(catch_unwind(|| says("one")).is_err());
    goes_on(Box::new("another"));
}

#[traced_stage]
fn catches_one_and_goes_on_with_another() {
    assert!(catch_unwind(|| panic!("one")).is_err());
    resume_unwind(Box::new("another".to_owned()));
}

#[traced_stage]
fn catches_one_and_panics_by_another() {
    assert!(catch_unwind(|| says("one")).is_err());
    panic!("another");
}

#[traced_stage]
fn hands_on() {
    if let Err(payload) = catch_unwind(|| says("the same")) {
        resume_unwind(payload);
    }
}

#[traced_stage]
fn catches_and_returns() -> u8 {
    let _ = catch_unwind(|| says("caught"));
    1
}

#[test]
fn a_panic_that_was_caught_is_not_the_one_that_comes_after_it() {
    let ((), captured) = testing::capture_sync(|| {
        for stage in [says_one_and_goes_on_with_another, catches_one_and_goes_on_with_another] {
            assert!(catch_unwind(stage).is_err());
        }
        assert!(catch_unwind(catches_one_and_panics_by_another).is_err());
        assert_eq!(catches_and_returns(), 1);
    });
    assert_eq!(message(&captured, "goes_on"), "another");
    assert_eq!(message(&captured, "says_one_and_goes_on_with_another"), "another");
    assert_eq!(message(&captured, "catches_one_and_goes_on_with_another"), "another");
    begins(&message(&captured, "catches_one_and_panics_by_another"), "another");
    captured.stage("catches_and_returns").completed().one();
}

#[test]
fn a_panic_that_goes_on_keeps_its_place() {
    let (caught, captured) = testing::capture_sync(|| {
        catch_unwind(|| RequestContext::new().sync_scope(hands_on)).unwrap_err().downcast::<String>().is_ok()
    });
    assert!(caught, "the payload is the application's");
    begins(&message(&captured, "says"), "the same");
    assert_eq!(message(&captured, "hands_on"), message(&captured, "says"));
}

#[test]
fn a_payload_that_says_nothing_is_a_panic_and_no_more() {
    let ((), captured) = testing::capture_sync(|| {
        assert!(catch_unwind(|| says("a secret of somebody's")).is_err());
        assert!(catch_unwind(|| goes_on(Box::new(7_u8))).is_err());
    });
    assert_eq!(message(&captured, "goes_on"), "panicked");
    let (_, of_value) = testing::capture_sync(|| catch_unwind(panics_with_a_value));
    begins(&message(&of_value, "panics_with_a_value"), "a value that is not a text");
    let (_, boxed) = testing::capture_sync(|| {
        let payload = catch_unwind(|| panic!("inside")).unwrap_err();
        catch_unwind(AssertUnwindSafe(|| goes_on(Box::new(payload)))).is_err()
    });
    assert_eq!(message(&boxed, "goes_on"), "inside");
}

#[traced_stage]
fn panics_with_a_value() {
    panic_any(7_u8);
}

#[test]
fn a_panic_outside_of_any_stage_is_nobody_s() {
    let (_, captured) = testing::capture_sync(|| {
        let _ = catch_unwind(|| panic!("alice's text"));
        catch_unwind(|| goes_on(Box::new(())))
    });
    assert_eq!(message(&captured, "goes_on"), "panicked");
}

#[expect(clippy::large_types_passed_by_value, reason = "what the test is about")]
#[traced_stage]
fn large(bytes: [u8; 5_000], payload: Option<&'static str>) -> [u8; 5_000] {
    match payload {
        Some(text) => resume_unwind(Box::new(text)),
        None if bytes[0] == 0 => panic!("large"),
        None => bytes,
    }
}

#[test]
fn a_stage_that_takes_and_returns_much_says_its_own_panic_or_none() {
    let (_, captured) = testing::capture_sync(|| {
        let _ = catch_unwind(|| panic!("alice's text"));
        let _ = catch_unwind(|| says("alice's text"));
        catch_unwind(|| large([0; 5_000], Some("bob's"))).is_err()
    });
    assert!(["panicked", "bob's"].contains(&&*message(&captured, "large")));
    let (_, captured) = testing::capture_sync(|| catch_unwind(|| large([0; 5_000], None)).is_err());
    begins(&message(&captured, "large"), "large");
}

/// A value that panics, or resumes a panic, when it is dropped.
struct Dropped(bool);

impl Drop for Dropped {
    fn drop(&mut self) {
        if self.0 { panic!("in the drop") } else { resume_unwind(Box::new("unseen")) }
    }
}

#[traced_stage]
async fn waits_with(dropped: Dropped) {
    let _dropped = dropped;
    let _ = catch_unwind(|| panic!("alice's text"));
    std::future::pending::<()>().await;
}

#[traced_stage(stream)]
async fn streams_with(dropped: Dropped) -> impl Stream<Item = u8> {
    stream::pending().chain(stream::once(async move {
        let dropped = dropped;
        u8::from(dropped.0)
    }))
}

#[test]
fn a_panic_while_a_stage_is_dropped_is_its_own_or_has_no_text() {
    for (panics, expected) in [(true, "in the drop (at "), (false, "panicked")] {
        let (caught, captured) = testing::capture_sync(|| {
            let mut stage = Box::pin(waits_with(Dropped(panics)));
            assert!(stage.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            let of_future = catch_unwind(AssertUnwindSafe(|| drop(stage))).is_err();
            let mut stream = Box::pin(streams_with(Dropped(panics)).now_or_never().unwrap());
            assert!(stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
            of_future && catch_unwind(AssertUnwindSafe(|| drop(stream))).is_err()
        });
        assert!(caught);
        for stage in ["waits_with", "streams_with"] {
            let message = message(&captured, stage);
            assert!(message.starts_with(expected) && !message.contains("alice"), "{stage}: {message}");
        }
    }
}

#[traced_stage]
fn payloads() -> impl Stream<Item = u8> {
    stream::iter([1, 2]).inspect(|n| {
        if *n == 2 {
            resume_unwind(Box::new("of the stream"))
        }
    })
}

#[traced_stage(stream)]
async fn no_stream() -> impl Stream<Item = u8> {
    if true {
        resume_unwind(Box::new("before the stream"));
    }
    stream::empty()
}

#[test]
fn a_stream_fails_by_its_own_panic() {
    let (_, captured) = captured(async {
        let _ = catch_unwind(|| says("alice's text"));
        assert!(AssertUnwindSafe(payloads().count()).catch_unwind().await.is_err());
        AssertUnwindSafe(no_stream()).catch_unwind().await.is_err()
    });
    assert_eq!(message(&captured, "payloads"), "of the stream");
    assert_eq!(message(&captured, "no_stream"), "before the stream");
}

/// A stage that moves from thread to thread between its polls.
#[traced_stage]
async fn moves() {
    let mut first = true;
    std::future::poll_fn(move |_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
    resume_unwind(Box::new("after the move"));
}

#[test]
fn a_stage_that_moves_to_a_thread_takes_nothing_that_was_noted_there() {
    let (_, captured) = testing::capture_sync(|| {
        let mut stage: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(moves());
        assert!(stage.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        let there = std::thread::spawn(move || {
            let _ = catch_unwind(|| RequestContext::new().sync_scope(|| says("alice's text")));
            catch_unwind(AssertUnwindSafe(|| stage.as_mut().poll(&mut Context::from_waker(Waker::noop())))).is_err()
        });
        there.join().unwrap()
    });
    assert_eq!(message(&captured, "moves"), "after the move");
}

#[traced_stage]
async fn outside() {
    let inside = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _ = catch_unwind(AssertUnwindSafe(|| inside.block_on(parse("inside"))));
    resume_unwind(Box::new("outside"));
}

#[test]
fn a_runtime_inside_a_stage_keeps_its_panics_to_itself() {
    let (_, captured) = testing::capture_sync(|| catch_unwind(AssertUnwindSafe(|| outside().now_or_never())).is_err());
    assert_eq!(message(&captured, "outside"), "outside");
}

#[traced_stage(ok(|n| sum = n.checked_add(255).expect("no sum")))]
fn panicking_ok() -> u8 {
    1
}

#[traced_stage(err(|e| code = e.parse::<u8>().unwrap()))]
async fn panicking_err() -> Result<(), String> {
    Err("not a number".to_owned())
}

#[test]
fn a_stage_whose_result_cannot_be_read_has_not_completed() {
    let (_, captured) = captured(async {
        assert!(catch_unwind(panicking_ok).is_err());
        AssertUnwindSafe(panicking_err()).catch_unwind().await.is_err()
    });
    begins(&message(&captured, "panicking_ok"), "no sum");
    let events: Vec<_> = captured.records().iter().map(ragtrace::Record::event).collect();
    assert_eq!(events, [Event::Started, Event::Failed, Event::Started, Event::Failed]);
    assert_eq!(captured.stage("panicking_err").failed().one().error().unwrap().message(), "not a number");
}
