//! Tests runs that are begun, entered and ended by explicit calls.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ragtrace_core::__private::CatalogEntry;
use ragtrace_core::capture::{CapturedEntries, ManualClock};
use ragtrace_core::dispatch::ListenerGuard;
use ragtrace_core::entry::Outcome;
use ragtrace_core::stage::ManualRun;
use ragtrace_core::{ErrorInfo, Failure, RequestContext, StageDescriptor, Timestamp};

static STAGE: CatalogEntry = CatalogEntry::new(StageDescriptor::new("request", "test"));

/// Calls `work` in a captured request, and returns the outcomes of its runs.
fn outcomes(work: impl FnOnce(&RequestContext)) -> Vec<Outcome> {
    let clock = ManualClock::at(Timestamp::from_micros(0));
    let capture: Arc<CapturedEntries> = CapturedEntries::new(Some(clock.clone()));
    let context = RequestContext::reproducible(clock.anchor()).with_user_id("alice").with_listener(capture.clone());
    let _enabled = ListenerGuard::begin();
    work(&context);
    let (mut starts, mut outcomes) = (0, Vec::new());
    capture.finish(|queued| {
        starts += usize::from(queued.entry.start().is_some());
        outcomes.extend(queued.entry.end().map(|(_, end, ..)| end.outcome));
    });
    assert_eq!(starts, outcomes.len(), "each start has one end");
    outcomes
}

#[test]
fn a_run_is_on_the_thread_while_it_is_entered_and_nowhere_else() {
    let seen = outcomes(|context| {
        let mut run = ManualRun::begin(&STAGE, context, |_| ());
        assert!(RequestContext::current().is_none() && run.is_active());
        let inside = run.context().expect("a context");
        for _ in 0..2 {
            let entered = run.enter();
            let current = RequestContext::current().expect("inside");
            assert_eq!((current.user_id(), current.span_id()), (Some("alice"), inside.span_id()));
            entered.pause();
            assert!(RequestContext::current().is_none());
        }
        let mut elsewhere = std::thread::spawn(move || {
            run.enter().pause();
            run
        })
        .join()
        .expect("the thread ends");
        elsewhere.end(|_| ());
        elsewhere.end(|ending| {
            ending.cancel();
        });
        let entered = elsewhere.enter();
        assert_eq!(RequestContext::current().and_then(|current| current.span_id()), inside.span_id());
        entered.pause();
    });
    assert_eq!(seen, [Outcome::Completed], "it ends once");
}

#[test]
fn a_run_fails_by_its_answer_by_a_panic_or_is_cancelled() {
    let seen = outcomes(|context| {
        let mut failed = ManualRun::begin(&STAGE, context, |_| ());
        failed.end(|ending| {
            ending.fail(Box::new(Failure::new(ErrorInfo::new("500", String::new(), Vec::new()))));
            ending.answered();
        });
        let mut panicked = ManualRun::begin(&STAGE, context, |_| ());
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let _entered = panicked.enter();
            panic!("on purpose");
        }));
        assert!(RequestContext::current().is_none());
        panicked.fail_by_panic(&*caught.expect_err("it panicked"), |_| ());
        drop(ManualRun::begin(&STAGE, context, |_| ()));
    });
    assert_eq!(seen, [Outcome::Failed, Outcome::Failed, Outcome::Cancelled]);
}

#[test]
fn without_a_listener_the_context_is_there_all_the_same() {
    let context = RequestContext::new().with_user_id("bob");
    let mut run = ManualRun::begin(&STAGE, &context, |_| unreachable!("nobody listens"));
    let is_active = run.is_active();
    let entered = run.enter();
    assert_eq!(RequestContext::current().as_ref().and_then(RequestContext::user_id), Some("bob"));
    entered.pause();
    run.end(|_| ());
    assert!(RequestContext::current().is_none() && !is_active);
}
