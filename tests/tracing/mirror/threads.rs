//! Runs that move between threads, and work that is passed on.

use std::future::Future;
use std::pin::Pin;
use std::thread;

use futures_util::FutureExt;
use ragtrace::{InContext, RequestContext, testing, traced_stage};
use tokio::sync::oneshot;
use tracing::{Instrument, Span, info_span, instrument};

use crate::record;

#[traced_stage(kind = pipeline)]
async fn pipeline(work: impl Future<Output = ()>) {
    work.await;
}

#[traced_stage(kind = chunk)]
async fn step() {
    tokio::task::yield_now().await;
}

#[traced_stage(level = "trace")]
async fn nested(work: impl Future<Output = ()>) {
    work.await;
}

#[instrument(skip_all)]
async fn instrumented(work: impl Future<Output = ()>) {
    work.await;
}

async fn spawned(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work).await.expect("it does not panic");
}

#[test]
fn a_run_is_entered_and_left_on_each_thread_that_polls_it_and_ended_on_any() {
    let recording = record();
    testing::capture_sync(|| {
        let context = RequestContext::current().expect("in a capture");
        let (send, receive) = oneshot::channel();
        let run: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(pipeline(instrumented(async {
            receive.await.expect("it is sent");
            step().await;
        })));
        let poll = |mut run: Pin<Box<dyn Future<Output = ()> + Send>>| {
            let context = context.clone();
            let poll = move || {
                let is_done = context.sync_scope(|| run.as_mut().now_or_never()).is_some();
                (run, is_done)
            };
            thread::spawn(poll).join().expect("it does not panic")
        };
        let (run, is_done) = poll(run);
        assert!(!is_done);
        send.send(()).expect("somebody waits");
        let (run, is_done) = poll(run);
        assert!(!is_done);
        drop(run);
    });
    assert_eq!(recording.tree(), ["pipeline", "  instrumented", "    step"]);
    let events = recording.events();
    assert!(events.contains(&"WARN step_cancelled in pipeline:instrumented:step".to_owned()), "{events:?}");
    assert_eq!(events.last().map(String::as_str), Some("WARN pipeline_cancelled in pipeline"));
    recording.assert_balanced();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stage_in_a_task_that_has_the_context_alone_is_a_child_of_the_stage_that_started_it() {
    let recording = record();
    let ((), captured) = testing::capture(pipeline(async {
        let work = async {
            instrumented(step()).await;
            step().await;
        };
        ragtrace::spawn(work).await.expect("it does not panic");
        let inherited = nested(async { ragtrace::spawn(step()).await.expect("it does not panic") });
        inherited.await;
    }))
    .await;
    // `instrumented` is the application's span, and has no parent on the other thread.
    let mut tree = recording.tree();
    tree.sort();
    assert_eq!(tree, ["    step", "  nested", "  step", "  step", "instrumented", "pipeline"]);
    assert_eq!(captured.stage("step").within("pipeline").completed().len(), 3);
    recording.assert_balanced();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_tracing_hands_on_is_back_in_the_stage_that_its_span_is_or_was_made_in() {
    let recording = record();
    let ((), captured) = testing::capture(pipeline(async {
        spawned(step().instrument(Span::current())).await;
        spawned(step().in_current_span()).await;
        spawned(step().instrument(info_span!("made"))).await;
        // The application's own span is off, so the current one takes its place, which is the
        // stage's.
        spawned(step().instrument(Span::none().or_current())).await;
        spawned(step().in_current_context().in_current_span()).await;
        nested(async { spawned(step().in_current_span()).await }).await;
    }))
    .await;
    assert_eq!(
        recording.tree(),
        ["pipeline", "  step", "  step", "  made", "    step", "  step", "  step", "  nested", "    step"]
    );
    assert_eq!(captured.stage("step").within("pipeline").completed().len(), 6);
    recording.assert_balanced();
}

#[tokio::test]
async fn a_stage_whose_parent_has_ended_is_shown_all_the_same() {
    let recording = record();
    testing::capture(async {
        let mut late = None;
        pipeline(async { late = RequestContext::current() }).await;
        late.expect("in a stage").scope(step()).await;
    })
    .await;
    assert_eq!(recording.tree(), ["pipeline", "step"]);
    recording.assert_balanced();
}

#[test]
fn a_stage_in_a_destructor_at_the_end_of_a_thread_ends_as_ever() {
    struct AtTheEnd;
    impl Drop for AtTheEnd {
        fn drop(&mut self) {
            testing::capture_sync(|| {
                assert!(pipeline(async {}).now_or_never().is_some());
            });
        }
    }
    thread_local! {
        static LAST: AtTheEnd = const { AtTheEnd };
    }
    let recording = record();
    thread::spawn(|| {
        // This is created first and so dropped last, after the thread's own state is gone.
        LAST.with(|_| ());
        testing::capture_sync(|| assert!(pipeline(async {}).now_or_never().is_some()));
    })
    .join()
    .expect("nothing panics");
    recording.assert_balanced();
}

#[traced_stage]
fn load() {}

#[tokio::test]
async fn a_span_that_was_made_in_the_request_before_a_stage_began_does_not_lead_out_of_the_stage() {
    let recording = record();
    let request = RequestContext::new().with_user_id("alice");
    let work = async {
        let loader = info_span!("loader");
        pipeline(async { loader.in_scope(load) }).await;
        // On another thread the span carries the request.
        let elsewhere = loader.clone();
        thread::spawn(move || elsewhere.in_scope(load)).join().expect("it does not panic");
    };
    let ((), captured) = testing::capture(async { request.scope(work).await }).await;
    let loaded = captured.stage("load").completed();
    let mut parents: Vec<_> = loaded.iter().map(ragtrace::Record::parent_span_id).collect();
    parents.sort();
    let pipeline = captured.stage("pipeline").completed().one().span_id();
    assert_eq!(parents, [None, pipeline]);
    assert!(loaded.iter().all(|record| record.user_id() == Some("alice")));
    assert_eq!(recording.tree(), ["loader", "  load", "  load", "pipeline"]);
    recording.assert_balanced();
}
