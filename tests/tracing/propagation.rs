//! Contexts that `tracing`'s spans carry from a stage to wherever they are entered.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use ragtrace::testing::{Captured, capture, capture_sync};
use ragtrace::{RequestContext, SpanId, traced_stage};
use tracing::{Dispatch, Instrument, Span, dispatcher, info_span};
use tracing_subscriber::prelude::*;

fn subscriber() -> Dispatch {
    Dispatch::new(tracing_subscriber::registry().with(ragtrace::layer()))
}

/// Sets one subscriber for all tests of this process, since a runtime's threads have no other.
fn subscribe() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing::dispatcher::set_global_default(subscriber()).expect("the first"));
}

fn current_span() -> Option<SpanId> {
    RequestContext::current().and_then(|context| context.span_id())
}

/// Returns the user and the span of the thread's context, which distinguish the contexts of a test.
fn current() -> Option<(Option<String>, Option<SpanId>)> {
    RequestContext::current().map(|context| (context.user_id().map(str::to_owned), context.span_id()))
}

#[traced_stage("propagation.leaf", fields(number))]
async fn leaf(number: u64) {
    tokio::task::yield_now().await;
    tracing::info!(number, "in a leaf");
}

#[traced_stage("propagation.leaf_call")]
fn leaf_call() {}

#[traced_stage("propagation.spawning")]
async fn spawning(number: u64) {
    let tasks = (0..number).map(|number| {
        let span = info_span!("task", number);
        tokio::spawn(leaf(number).instrument(span))
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("it does not panic");
    }
    let within = info_span!("within");
    let entered = within.enter();
    let task = tokio::spawn(leaf(number).in_current_span());
    drop(entered);
    task.await.expect("it does not panic");
}

fn assert_children(captured: &Captured, of: &str, number: usize) {
    let parent = captured.stage(of).completed().one().clone();
    let leaves = captured.stage("propagation.leaf").completed();
    assert_eq!(leaves.len(), number);
    for leaf in leaves.iter() {
        assert_eq!((leaf.parent_span_id(), leaf.trace_id()), (parent.span_id(), parent.trace_id()), "{captured:?}");
    }
    let spans: std::collections::BTreeSet<_> = leaves.iter().filter_map(ragtrace::Record::span_id).collect();
    let lines: Vec<_> = captured.logs().collect();
    assert_eq!(lines.len(), number);
    assert!(lines.iter().all(|line| line.span_id().is_some_and(|span| spans.contains(&span))), "{captured:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_that_are_spawned_in_a_span_are_children_of_the_stage_that_made_it_and_captured() {
    subscribe();
    let ((), captured) = capture(spawning(40)).await;
    assert_children(&captured, "propagation.spawning", 41);
    assert_eq!(current(), None);
}

#[traced_stage("propagation.threads")]
fn threads() {
    let span = info_span!("shared");
    let barrier = Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (span, barrier) = (span.clone(), &barrier);
            scope.spawn(move || {
                for _ in 0..100 {
                    let entered = span.enter();
                    barrier.wait();
                    leaf_call();
                    drop(entered);
                    assert_eq!(current(), None, "the thread has what it had");
                }
            });
        }
    });
}

#[test]
fn a_span_that_is_entered_on_several_threads_at_once_has_each_in_its_context() {
    subscribe();
    let ((), captured) = capture_sync(threads);
    let parent = captured.stage("propagation.threads").completed().one().span_id();
    let leaves = captured.stage("propagation.leaf_call").completed();
    assert_eq!(leaves.len(), 400);
    assert!(leaves.iter().all(|leaf| leaf.parent_span_id() == parent));
}

#[traced_stage("propagation.hands_out")]
fn hands_out() -> Span {
    info_span!("handed out")
}

#[test]
fn a_span_carries_the_context_of_a_stage_that_has_ended() {
    subscribe();
    let ((), captured) = capture_sync(|| {
        let span = hands_out();
        let around = current();
        span.in_scope(leaf_call);
        assert_eq!(current(), around);
    });
    let ended = captured.stage("propagation.hands_out").completed().one().span_id();
    assert_eq!(captured.stage("propagation.leaf_call").completed().one().parent_span_id(), ended);
}

#[test]
fn a_span_that_names_its_parent_carries_that_ones_context() {
    subscribe();
    let (one, two) = (RequestContext::new().with_user_id("one"), RequestContext::new().with_user_id("two"));
    let user = || current().and_then(|(user, _)| user);
    let of_one = one.sync_scope(|| info_span!("of one"));
    let named = two.sync_scope(|| info_span!(parent: &of_one, "named"));
    let rootless = two.sync_scope(|| info_span!(parent: None, "without a parent"));
    let outside = info_span!("made outside of any");
    let inherited = info_span!(parent: &named, "inherited");
    assert_eq!(named.in_scope(user).as_deref(), Some("one"));
    assert_eq!(rootless.in_scope(user).as_deref(), Some("two"));
    assert_eq!(inherited.in_scope(user).as_deref(), Some("one"));
    two.sync_scope(|| assert_eq!(outside.in_scope(user).as_deref(), Some("two"), "it carries none"));
    let inside = of_one.in_scope(|| info_span!("inside"));
    assert_eq!(inside.in_scope(user).as_deref(), Some("one"));
    assert_eq!(current(), None);
}

#[test]
fn no_span_is_no_context() {
    subscribe();
    let request = RequestContext::new().with_user_id("alice");
    let none = request.sync_scope(Span::none);
    none.in_scope(|| assert_eq!(current(), None));
    request.sync_scope(|| none.in_scope(|| assert!(current().is_some())));
}

#[test]
fn a_panic_inside_a_span_leaves_the_thread_as_it_was() {
    subscribe();
    let span = RequestContext::new().with_user_id("alice").sync_scope(|| info_span!("panicking"));
    let around = RequestContext::new().with_user_id("bob");
    around.sync_scope(|| {
        let before = current();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            span.in_scope(|| {
                assert_ne!(current(), before);
                panic!("inside");
            });
        }));
        assert!(panicked.is_err());
        assert_eq!(current(), before);
    });
    assert_eq!(current(), None);
}

#[traced_stage("propagation.holds")]
async fn holds_a_guard(span: Span) -> Option<SpanId> {
    let own = current_span();
    let guard = span.enter();
    assert_ne!(current_span(), own, "it is inside the span");
    tokio::task::yield_now().await;
    assert_eq!(current_span(), own, "the stage has its own context again");
    drop(guard);
    assert_eq!(current_span(), own);
    leaf_call();
    own
}

#[test]
fn a_guard_that_is_held_over_an_await_stays_inside_its_stage() {
    subscribe();
    let span = RequestContext::new().with_user_id("other").sync_scope(|| info_span!("held"));
    let (own, captured) = capture_sync(|| {
        let mut stage = Box::pin(holds_a_guard(span));
        let mut cx = Context::from_waker(Waker::noop());
        let before = current();
        assert!(stage.as_mut().poll(&mut cx).is_pending());
        assert_eq!(current(), before, "the thread has what it had, though the guard is held");
        let polled = stage.as_mut().poll(&mut cx);
        assert_eq!(current(), before);
        let Poll::Ready(own) = polled else { panic!("it waits for nothing else") };
        own
    });
    let run = captured.stage("propagation.holds").completed().one().clone();
    assert_eq!(run.span_id(), own, "its end is its own");
    assert_eq!(captured.stage("propagation.leaf_call").completed().one().parent_span_id(), own);
}

#[test]
fn spans_of_two_subscribers_have_contexts_of_their_own() {
    subscribe();
    let (first, second) = (subscriber(), subscriber());
    let span_of = |dispatch: &Dispatch, user: &str| {
        let request = RequestContext::new().with_user_id(user);
        dispatcher::with_default(dispatch, || request.sync_scope(|| info_span!("span")))
    };
    let (one, two) = (span_of(&first, "one"), span_of(&second, "two"));
    assert_eq!(one.id(), two.id(), "each numbers its own");
    let user = || current().and_then(|(user, _)| user);
    let (entered_one, entered_two) = (one.enter(), two.enter());
    assert_eq!(user().as_deref(), Some("two"));
    drop(entered_one);
    assert_eq!(user().as_deref(), Some("two"));
    drop(entered_two);
    assert_eq!(user(), None);
}

#[tokio::test]
async fn what_an_instrumented_future_drops_is_of_its_context() {
    struct Records;
    impl Drop for Records {
        fn drop(&mut self) {
            leaf_call();
        }
    }
    /// A future that outlives the stage it comes from.
    struct HandedOut(Pin<Box<dyn Future<Output = ()> + Send>>);
    #[traced_stage("propagation.drops")]
    async fn drops() -> HandedOut {
        let records = Records;
        let never = async move {
            let _records = records;
            std::future::pending::<()>().await;
        };
        HandedOut(Box::pin(never.instrument(info_span!("dropped"))))
    }
    subscribe();
    let ((), captured) = capture(async {
        let HandedOut(mut future) = drops().await;
        let mut cx = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
        tokio::task::spawn_blocking(move || drop(future)).await.expect("it does not panic");
    })
    .await;
    let parent = captured.stage("propagation.drops").completed().one().span_id();
    assert_eq!(captured.stage("propagation.leaf_call").completed().one().parent_span_id(), parent);
}

#[derive(Clone, Debug)]
enum Step {
    /// Creates a span.
    Make,
    /// Enters the span with this number.
    Enter(usize),
    /// Drops the guard with this number.
    Leave(usize),
    /// Takes steps in a synchronous stage.
    Call(Vec<Step>),
    /// Takes steps in a stage, waits, and takes more steps.
    Await(Vec<Step>, Vec<Step>),
    /// Takes steps in a request.
    Request(Vec<Step>),
    /// Takes steps that end in a panic.
    Panic(Vec<Step>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let number = || 0..6_usize;
    let step = prop_oneof![
        Just(Step::Make),
        number().prop_map(Step::Enter),
        number().prop_map(Step::Enter),
        number().prop_map(Step::Leave),
        number().prop_map(Step::Leave),
    ];
    let step = step.prop_recursive(4, 60, 8, |inner| {
        let some = || prop::collection::vec(inner.clone(), 0..8);
        prop_oneof![
            3 => inner.clone(),
            1 => some().prop_map(Step::Call),
            1 => (some(), some()).prop_map(|(before, after)| Step::Await(before, after)),
            1 => some().prop_map(Step::Request),
            1 => some().prop_map(Step::Panic),
        ]
    });
    prop::collection::vec(step, 0..16)
}

/// Spans, and the guards of those that are entered, wherever that was.
#[derive(Default)]
struct Spans {
    made: Vec<Span>,
    entered: Vec<tracing::span::EnteredSpan>,
}

#[traced_stage("propagation.random_call")]
fn random_call(spans: &mut Spans, steps: &[Step]) -> Option<SpanId> {
    let own = current_span();
    run(spans, steps);
    own
}

#[traced_stage("propagation.random")]
async fn random(spans: &std::cell::RefCell<&mut Spans>, before: &[Step], after: &[Step]) -> Option<SpanId> {
    let own = current_span();
    run(&mut spans.borrow_mut(), before);
    tokio::task::yield_now().await;
    assert_eq!(current_span(), own, "a stage has its own context after each wait");
    run(&mut spans.borrow_mut(), after);
    own
}

fn run(spans: &mut Spans, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Make => spans.made.push(info_span!("random")),
            Step::Enter(number) => {
                if let Some(span) = spans.made.get(*number) {
                    spans.entered.push(span.clone().entered());
                }
            }
            Step::Leave(number) => {
                if *number < spans.entered.len() {
                    drop(spans.entered.remove(*number));
                }
            }
            Step::Call(steps) => {
                random_call(spans, steps);
            }
            Step::Await(before, after) => {
                let cell = std::cell::RefCell::new(&mut *spans);
                let mut stage = Box::pin(random(&cell, before, after));
                let mut cx = Context::from_waker(Waker::noop());
                assert!(stage.as_mut().poll(&mut cx).is_pending());
                assert!(stage.as_mut().poll(&mut cx).is_ready());
            }
            Step::Request(steps) => RequestContext::new().sync_scope(|| run(spans, steps)),
            Step::Panic(steps) => {
                let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                    random_call_that_panics(spans, steps);
                }));
                assert!(panicked.is_err());
            }
        }
    }
}

#[traced_stage("propagation.panicking")]
fn random_call_that_panics(spans: &mut Spans, steps: &[Step]) {
    run(spans, steps);
    std::panic::resume_unwind(Box::new("as it should"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn in_any_order_of_spans_stages_and_requests_the_thread_ends_as_it_began(steps in steps()) {
        subscribe();
        let ((), captured) = capture_sync(|| {
            let before = current();
            let mut spans = Spans::default();
            run(&mut spans, &steps);
            while !spans.entered.is_empty() {
                drop(spans.entered.remove(0));
            }
            assert_eq!(current(), before);
        });
        prop_assert_eq!(current(), None);
        // Each run has ended, under the span that it began with.
        let records = captured.records();
        let of = |is_end: bool| -> std::collections::BTreeSet<_> {
            records.iter().filter(|record| record.event().is_end() == is_end).filter_map(ragtrace::Record::span_id).collect()
        };
        prop_assert_eq!(of(false), of(true));
        prop_assert!(records.iter().all(|record| record.parent_span_id().is_none_or(|parent| of(true).contains(&parent))));
    }
}

#[test]
fn a_shared_future_is_in_the_context_of_its_span_and_not_of_who_polls_it() {
    subscribe();
    let span = RequestContext::new().with_user_id("alice").sync_scope(|| info_span!("alice's"));
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let future = {
        let seen = Arc::clone(&seen);
        async move {
            for _ in 0..2 {
                seen.lock().expect("whole").push(current().and_then(|(user, _)| user));
                tokio::task::yield_now().await;
            }
        }
    };
    let mut future = Box::pin(future.instrument(span));
    let mut cx = Context::from_waker(Waker::noop());
    for user in ["bob", "carol", "dave"] {
        let _ = RequestContext::new().with_user_id(user).sync_scope(|| future.as_mut().poll(&mut cx));
    }
    assert_eq!(*seen.lock().expect("whole"), [Some("alice".to_owned()), Some("alice".to_owned())]);
}
