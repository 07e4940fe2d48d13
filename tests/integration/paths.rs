//! The paths of runs, which a sink asks for: from the local root down, on whatever threads they
//! ran.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use ragtrace::sink::{Needs, SinkError};
use ragtrace::{
    Event, Level, NamedStage, PathStep, Record, RequestContext, SpanId, SpoolLimits, StageKind, Timestamp, TraceId,
    traced_stage,
};
use ragtrace_tests::{Reply, Scripted};

use crate::support::{Memory, finish, quiet, turn};

fn asking() -> Memory {
    Memory::default().needs(Needs::default().with_ancestry())
}

/// A plan of runs, each with its parent. The first step that names a run starts it, the second ends
/// it.
#[derive(Debug)]
struct Plan {
    parents: Vec<Option<usize>>,
    /// Each step selects one of the runs that may start or end next, and a thread.
    steps: Vec<(usize, usize)>,
}

const THREADS: usize = 3;

fn plans() -> impl Strategy<Value = Plan> {
    (1_usize..30, any::<bool>()).prop_flat_map(|(runs, is_deep)| {
        let (runs, back) = if is_deep { (runs * 4, 2) } else { (runs, runs) };
        let parents = (0..runs).map(|index| index.saturating_sub(back)..=index).collect::<Vec<_>>();
        let steps = proptest::collection::vec((any::<usize>(), 0..THREADS), 2 * runs);
        (parents, steps).prop_map(|(parents, steps)| {
            // A run that is its own parent stands for a root.
            let parent_of = |(index, parent): (usize, usize)| Some(parent).filter(|parent| *parent < index);
            Plan { parents: parents.into_iter().enumerate().map(parent_of).collect(), steps }
        })
    })
}

type Job = Box<dyn FnOnce() + Send>;

/// A thread that executes jobs in order, as a runtime's does.
struct Worker {
    jobs: Sender<Job>,
    done: Receiver<()>,
}

impl Worker {
    fn start() -> Self {
        let (jobs, received) = channel::<Job>();
        let (sender, done) = channel();
        std::thread::spawn(move || {
            for job in received {
                job();
                if sender.send(()).is_err() {
                    break;
                }
            }
        });
        Self { jobs, done }
    }

    fn run(&self, job: Job) {
        self.jobs.send(job).expect("it is there");
        self.done.recv().expect("it does not panic");
    }
}

/// A run that waits until it may end.
struct Run {
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
    may_end: Arc<AtomicBool>,
    inside: Arc<Mutex<Option<RequestContext>>>,
}

impl Run {
    fn new(context: &RequestContext) -> Self {
        let (may_end, inside) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let (gate, seen) = (Arc::clone(&may_end), Arc::clone(&inside));
        let body = async move {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = RequestContext::current();
            let is_open =
                |_: &mut Context<'_>| if gate.load(Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending };
            poll_fn(is_open).await;
        };
        let stage = NamedStage::new("step of a plan", StageKind::Task).expect("one name");
        Self { future: Box::pin(context.scope(async move { stage.run(body).await })), may_end, inside }
    }

    /// Returns the context inside the run, once it has started.
    fn inside(&self) -> RequestContext {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).clone().expect("it has started")
    }
}

/// Executes the plan, and returns the span of each run.
fn follow(plan: &Plan, workers: &[Worker]) -> Vec<SpanId> {
    let mut contexts: Vec<Option<RequestContext>> = vec![None; plan.parents.len()];
    let runs: Arc<Mutex<HashMap<usize, Run>>> = Arc::default();
    let mut has_ended = vec![false; plan.parents.len()];
    for &(choice, thread) in &plan.steps {
        let may_start = |index: &usize| {
            contexts[*index].is_none() && plan.parents[*index].is_none_or(|parent| contexts[parent].is_some())
        };
        let may_end = |index: &usize| contexts[*index].is_some() && !has_ended[*index];
        let ready: Vec<_> = (0..plan.parents.len()).filter(|index| may_start(index) || may_end(index)).collect();
        let index = ready[choice % ready.len()];
        if contexts[index].is_none() {
            let around = plan.parents[index].and_then(|parent| contexts[parent].clone());
            runs.lock().expect("no panic").insert(index, Run::new(&around.unwrap_or_default()));
        } else {
            runs.lock().expect("no panic")[&index].may_end.store(true, Ordering::Relaxed);
            has_ended[index] = true;
        }
        let shared = Arc::clone(&runs);
        workers[thread].run(Box::new(move || {
            let mut runs = shared.lock().expect("no panic");
            let run = runs.get_mut(&index).expect("it has started");
            if run.future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                runs.remove(&index);
            }
        }));
        if !has_ended[index] {
            contexts[index] = Some(runs.lock().expect("no panic")[&index].inside());
        }
    }
    contexts.iter().map(|context| context.as_ref().and_then(RequestContext::span_id).expect("it started")).collect()
}

fn expected(plan: &Plan, mut index: usize) -> Vec<usize> {
    let mut path = vec![index];
    while let Some(parent) = plan.parents[index] {
        path.push(parent);
        index = parent;
    }
    path.reverse();
    if path.len() > PathStep::MOST {
        path.drain(1..=path.len() - PathStep::MOST);
    }
    path
}

#[test]
fn each_end_has_its_whole_path_whichever_threads_runs_start_and_end_on() {
    let _turn = turn();
    let memory = asking();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only");
    let mut runner = TestRunner::new(Config::with_cases(100));
    let result = runner.run(&plans(), |plan| {
        let workers: Vec<_> = (0..THREADS).map(|_| Worker::start()).collect();
        let spans = follow(&plan, &workers);
        let report = telemetry.flush_blocking(Duration::from_secs(30));
        prop_assert!(report.complete, "{}", report);
        let records = memory.records();
        let of_event = |event| {
            let of = move |record: &&Record| record.event() == event;
            records.iter().filter(of).filter_map(|record| Some((record.span_id()?, record.clone()))).collect()
        };
        let started: HashMap<SpanId, Record> = of_event(Event::Started);
        let completed: HashMap<SpanId, Record> = of_event(Event::Completed);
        for (index, span) in spans.iter().enumerate() {
            let step = |of: usize| PathStep::new(spans[of], started[&spans[of]].timestamp());
            let expected: Vec<_> = expected(&plan, index).into_iter().map(step).collect();
            prop_assert_eq!(completed[span].path(), &expected[..]);
            prop_assert!(started[span].path().is_empty());
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    finish(telemetry);
}

#[traced_stage(level = "trace")]
fn quiet_stage() {
    inner();
}

#[traced_stage]
fn inner() {}

#[traced_stage]
fn outer() {
    quiet_stage();
}

#[traced_stage]
fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n.saturating_mul(factorial(n - 1)) }
}

fn names<'a>(records: &'a [Record], of: &Record) -> Vec<&'a str> {
    let name = |step: &PathStep| {
        let of_step = |record: &&Record| record.span_id() == Some(step.span_id) && record.event().is_end();
        records.iter().find(of_step).and_then(Record::stage).unwrap_or("none")
    };
    of.path().iter().map(name).collect()
}

fn completed<'a>(records: &'a [Record], stage: &str) -> &'a Record {
    let of = |record: &&Record| record.stage() == Some(stage) && record.event() == Event::Completed;
    records.iter().find(of).expect("it completed")
}

#[test]
fn a_path_has_the_stages_that_a_level_hides() {
    let _turn = turn();
    let all = Memory::named("all").needs(Needs::default().with_ancestry().with_all_end_records()).level(Level::Error);
    let some = Memory::named("some").needs(Needs::default().with_ancestry());
    let telemetry = quiet().sink(all.clone()).sink(some.clone()).install().expect("the only");
    outer();
    finish(telemetry);
    let (all, some) = (all.records(), some.records());
    assert_eq!(names(&all, completed(&all, "inner")), ["outer", "quiet_stage", "inner"]);
    assert_eq!(names(&all, completed(&some, "inner")), ["outer", "quiet_stage", "inner"]);
    assert_eq!(names(&all, completed(&some, "outer")), ["outer"]);
}

#[test]
fn a_path_of_a_deep_recursion_has_the_root_and_the_nearest_steps() {
    let _turn = turn();
    let memory = asking();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only");
    factorial(99);
    finish(telemetry);
    let records = memory.records();
    // The innermost run ends first.
    let ends: Vec<_> = records.iter().filter(|record| record.event().is_end()).collect();
    let root = ends[99].span_id().expect("a stage's");
    let spans: Vec<_> = ends.iter().rev().filter_map(|record| record.span_id()).collect();
    for (depth, end) in ends.iter().rev().enumerate() {
        let path: Vec<_> = end.path().iter().map(|step| step.span_id).collect();
        let nearest = &spans[(depth + 1).saturating_sub(63)..=depth];
        let expected = if depth < 63 { nearest.to_vec() } else { [&[root], nearest].concat() };
        assert_eq!(path, expected, "at {depth}");
    }
}

#[test]
fn a_path_begins_at_the_local_root_where_another_process_called() {
    let _turn = turn();
    let memory = asking();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only");
    let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    RequestContext::from_traceparent(header).expect("well-formed").sync_scope(outer);
    finish(telemetry);
    let records = memory.records();
    assert_eq!(names(&records, completed(&records, "outer")), ["outer"]);
    let root = completed(&records, "outer");
    assert_eq!(root.parent_span_id().map(|id| id.to_string()).as_deref(), Some("b7ad6b7169203331"));
    assert_eq!(completed(&records, "inner").path()[0].span_id, root.span_id().expect("a stage's"));
}

#[test]
fn no_root_of_a_trace_whose_id_was_given_without_a_parent_is_the_traces() {
    let _turn = turn();
    let memory = asking();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only");
    let (shared, own) = (TraceId::new(), RequestContext::new());
    for _ in 0..2 {
        RequestContext::new().with_given_trace_id(shared).sync_scope(outer);
    }
    own.sync_scope(outer);
    finish(telemetry);
    let records = memory.records();
    let roots: Vec<_> =
        records.iter().filter(|record| record.stage() == Some("outer") && record.event().is_end()).collect();
    let detached: Vec<_> = roots.iter().map(|root| (root.trace_id(), root.path()[0].is_detached)).collect();
    assert_eq!(detached, [(Some(shared), true), (Some(shared), true), (Some(own.trace_id()), false)]);
    assert!(roots.iter().all(|root| root.is_local_root() && root.parent_span_id().is_none()));
    for inner in records.iter().filter(|record| record.stage() == Some("inner") && record.event().is_end()) {
        let root = roots.iter().find(|root| root.span_id() == Some(inner.path()[0].span_id)).expect("its root");
        assert_eq!(inner.path()[0], root.path()[0], "the same step in every path");
    }
}

#[test]
fn links_outlive_the_process_in_the_spool_with_the_roots_that_have_them() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let down = Scripted::new("memory", |_| Reply::Fail(SinkError::retry("it is down")), |_| ());
    let telemetry = quiet().spool(folder.path(), SpoolLimits::default()).sink(down).install().expect("the only");
    let links = [(TraceId::new(), SpanId::new()), (TraceId::new(), SpanId::new())];
    let request = links.iter().fold(RequestContext::new(), |request, (trace, span)| request.with_link(*trace, *span));
    request.sync_scope(outer);
    RequestContext::new().sync_scope(outer);
    telemetry.shutdown_blocking(Duration::from_secs(10));
    let memory = Memory::default();
    let telemetry = quiet().spool(folder.path(), SpoolLimits::default()).sink(memory.clone()).install().expect("again");
    finish(telemetry);
    let mut linked = 0;
    for record in memory.records() {
        let of_record: Vec<_> = record.links().iter().map(|link| (link.trace_id, link.span_id)).collect();
        let is_linked = record.is_local_root() && record.trace_id() == Some(request.trace_id());
        assert_eq!(of_record, if is_linked { &links[..] } else { &[] });
        let copy = Record::from_json(&record.to_json()).expect("a record");
        assert_eq!((copy.links(), copy.to_json()), (record.links(), record.to_json()));
        linked += usize::from(is_linked);
    }
    assert_eq!(linked, 2, "the start and the end of the root");
}

#[test]
fn no_record_has_a_path_where_no_sink_asks() {
    let _turn = turn();
    let memory = Memory::default();
    let telemetry = quiet().sink(memory.clone()).install().expect("the only");
    outer();
    finish(telemetry);
    assert!(memory.records().iter().all(|record| record.path().is_empty() && !record.to_json().contains("\"path\"")));
}

#[test]
fn a_path_outlives_the_process_in_the_spool() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let down = Scripted::new("memory", |_| Reply::Fail(SinkError::retry("it is down")), |_| ());
    let down = down.with_needs(Needs::default().with_ancestry());
    let telemetry = quiet().spool(folder.path(), SpoolLimits::default()).sink(down).install().expect("the only");
    let before = Timestamp::now().minus(Duration::from_secs(1));
    outer();
    telemetry.shutdown_blocking(Duration::from_secs(10));
    let memory = asking();
    let telemetry = quiet().spool(folder.path(), SpoolLimits::default()).sink(memory.clone()).install().expect("again");
    finish(telemetry);
    let records = memory.records();
    let path = completed(&records, "inner").path();
    assert_eq!(path.len(), 3);
    assert_eq!(path[0], completed(&records, "outer").path()[0]);
    assert!(path.iter().all(|step| step.start >= before && step.start <= Timestamp::now()));
}
