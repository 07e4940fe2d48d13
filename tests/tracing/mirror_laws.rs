//! Random pipelines are shown as they are recorded.
//!
//! This runs in two processes: one shows everything, and in the other, `mirror_laws_info`, a level
//! hides stages that are not asynchronous, but not their failures.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::{Either, select};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use proptest::prelude::*;
use ragtrace::testing::Captured;
use ragtrace::{Event, RequestContext, testing, traced_stage};
use ragtrace_tests_tracing::recording::{Heard, Recorder, Recording};
use tokio::runtime::Builder;
use tokio::task::yield_now;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Level, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// Returns `true` if a level hides the stage `laws.sync`.
fn hides_sync() -> bool {
    env!("CARGO_CRATE_NAME") == "mirror_laws_info"
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A stage and what it does.
#[derive(Clone, Debug)]
struct Node {
    /// The number, which is set when the pipeline is built.
    id: u64,
    shape: Shape,
    end: End,
    handed_on: HandedOn,
    /// `true` if a span of the application surrounds it.
    has_span_around: bool,
    yields: u8,
    children: Vec<Arc<Node>>,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Async,
    Stream,
    Sync,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Completes,
    Fails,
    Panics,
    /// The future is dropped after this many polls, unless it has ended.
    IsDropped(u8),
}

#[derive(Clone, Copy, Debug)]
enum HandedOn {
    Stays,
    /// To a task with ragtrace's context.
    Spawned,
    /// To a task with the current span.
    Instrumented,
    /// To a context that was changed on the way.
    OfUser,
}

fn nodes() -> impl Strategy<Value = Node> {
    let leaf = node(Just(Vec::new()).boxed());
    leaf.prop_recursive(4, 24, 4, |inner| node(prop::collection::vec(inner, 0..4).boxed()))
}

fn node(children: BoxedStrategy<Vec<Node>>) -> impl Strategy<Value = Node> {
    let shape = prop_oneof![3 => Just(Shape::Async), 1 => Just(Shape::Stream), 1 => Just(Shape::Sync)];
    let end = prop_oneof![
        4 => Just(End::Completes),
        1 => Just(End::Fails),
        1 => Just(End::Panics),
        1 => (0..4_u8).prop_map(End::IsDropped),
    ];
    let handed_on = prop_oneof![
        4 => Just(HandedOn::Stays),
        1 => Just(HandedOn::Spawned),
        1 => Just(HandedOn::Instrumented),
        1 => Just(HandedOn::OfUser),
    ];
    (shape, end, handed_on, any::<bool>(), 0..3_u8, children).prop_map(
        |(shape, end, handed_on, has_span_around, yields, children)| {
            let children = children.into_iter().map(Arc::new).collect();
            Node { id: 0, shape, end, handed_on, has_span_around, yields, children }
        },
    )
}

/// Gives every node a number of its own.
fn numbered(node: &Node, next: &mut u64) -> Arc<Node> {
    *next += 1;
    let id = *next;
    let children = node.children.iter().map(|child| numbered(child, next)).collect();
    Arc::new(Node { id, children, ..node.clone() })
}

#[traced_stage("laws.async", fields(id = node.id))]
async fn asynchronous(node: Arc<Node>) -> Result<u64, String> {
    body(node).await
}

#[traced_stage("laws.stream", fields(id = node.id))]
fn streaming(node: Arc<Node>) -> impl Stream<Item = Result<u64, String>> + Send {
    stream::once(async move { body(node).await })
}

#[traced_stage("laws.sync", level = "debug", fields(id = node.id))]
fn synchronous(node: &Node) -> Result<u64, String> {
    for child in &node.children {
        let _ = std::panic::catch_unwind(AssertUnwindSafe(|| synchronous(child)));
    }
    ending(node)
}

async fn body(node: Arc<Node>) -> Result<u64, String> {
    yields(node.yields).await;
    for child in &node.children {
        run(Arc::clone(child)).await;
        yields(1).await;
    }
    ending(&node)
}

fn ending(node: &Node) -> Result<u64, String> {
    match node.end {
        End::Completes | End::IsDropped(_) => Ok(node.id),
        End::Fails => Err(format!("{} fails", node.id)),
        // The panic hook would print a message.
        End::Panics => std::panic::resume_unwind(Box::new("it panics")),
    }
}

async fn yields(number: u8) {
    for _ in 0..number {
        yield_now().await;
    }
}

fn run(node: Arc<Node>) -> Work {
    Box::pin(async move {
        let (shape, end, handed_on) = (node.shape, node.end, node.handed_on);
        let is_inside = node.has_span_around;
        let work: Work = match shape {
            Shape::Async => Box::pin(asynchronous(node).map(drop)),
            Shape::Stream => Box::pin(streaming(node).collect::<Vec<_>>().map(drop)),
            Shape::Sync => Box::pin(async move { drop(synchronous(&node)) }),
        };
        let work: Work = Box::pin(AssertUnwindSafe(work).catch_unwind().map(drop));
        let work: Work = match end {
            End::IsDropped(polls) => Box::pin(async move {
                match select(work, Box::pin(yields(polls))).await {
                    Either::Left(_) => {}
                    Either::Right(((), work)) => drop(work),
                }
            }),
            _ => work,
        };
        let work: Work = if is_inside { Box::pin(work.instrument(info_span!("around"))) } else { work };
        match handed_on {
            HandedOn::Stays => work.await,
            HandedOn::Spawned => drop(ragtrace::spawn(work).await),
            HandedOn::Instrumented => drop(tokio::spawn(work.in_current_span()).await),
            HandedOn::OfUser => match RequestContext::current() {
                Some(context) => context.with_user_id("alice").scope(work).await,
                None => work.await,
            },
        }
    })
}

/// The runs by their numbers, each with the number of the run around it, and its events.
type Runs = BTreeMap<u64, (Option<u64>, BTreeSet<&'static str>)>;

fn recorded(captured: &Captured) -> Runs {
    let number_of = |span| {
        let of_span = |record: &&ragtrace::Record| record.span_id() == Some(span);
        let record = captured.records().iter().filter(of_span).find_map(|record| record.field("id"));
        record.and_then(ragtrace::Value::as_u64)
    };
    let mut runs = Runs::new();
    let mut parents = BTreeMap::new();
    let mut hidden = BTreeSet::new();
    for record in captured.records() {
        let Some(id) = record.span_id().and_then(number_of) else { continue };
        parents.insert(id, record.parent_span_id().and_then(number_of));
        if hides_sync() && record.stage() == Some("laws.sync") {
            hidden.insert(id);
            continue;
        }
        let run = runs.entry(id).or_default();
        run.1.insert(match record.event() {
            Event::Started => "started",
            Event::Completed => "completed",
            Event::Failed => "failed",
            Event::Cancelled => "cancelled",
            _ => "something else",
        });
    }
    for (id, run) in &mut runs {
        run.0 = parents[id];
        while let Some(parent) = run.0.filter(|parent| hidden.contains(parent)) {
            run.0 = parents.get(&parent).copied().flatten();
        }
    }
    runs
}

fn shown(heard: &[Heard]) -> Runs {
    let mut parents = BTreeMap::new();
    let mut numbers = BTreeMap::new();
    for heard in heard {
        if let Heard::New { span, parent, fields, .. } = heard {
            parents.insert(*span, *parent);
            if let Some(id) = fields.get("id").and_then(|id| id.parse().ok()) {
                numbers.insert(*span, id);
            }
        }
    }
    let around = |span: u64| {
        let mut at = parents.get(&span).copied().flatten();
        while let Some(span) = at {
            if let Some(id) = numbers.get(&span) {
                return Some(*id);
            }
            at = parents.get(&span).copied().flatten();
        }
        None
    };
    let mut runs: Runs = numbers.iter().map(|(span, id)| (*id, (around(*span), BTreeSet::new()))).collect();
    for heard in heard {
        let Heard::Event { message, level, scope, .. } = heard else { continue };
        if hides_sync() && message.starts_with("laws.sync") {
            assert_eq!((*level, message.as_str()), (Level::ERROR, "laws.sync_failed"));
            continue;
        }
        let Some(run) = scope.first().and_then(|span| runs.get_mut(numbers.get(span)?)) else {
            panic!("{message} is in no run's span: {heard:?}")
        };
        let event = ["started", "completed", "failed", "cancelled"].into_iter().find(|event| message.ends_with(event));
        assert!(run.1.insert(event.unwrap_or("something else")), "{message} is there twice");
    }
    runs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn each_run_is_shown_as_it_is_recorded_and_each_span_is_left_and_closed(root in nodes()) {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            let level = if hides_sync() { LevelFilter::INFO } else { LevelFilter::TRACE };
            let subscriber = registry().with(level).with(Recorder).with(ragtrace::layer());
            tracing::subscriber::set_global_default(subscriber).expect("nothing else sets one");
        });
        let recording = Recording::begin();
        let root = numbered(&root, &mut 0);
        let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
        let ((), captured) = runtime.block_on(testing::capture(run(root)));
        // This ends the tasks of runs that were dropped.
        drop(runtime);
        recording.assert_balanced();
        let (recorded, shown) = (recorded(&captured), shown(&recording.heard()));
        for (id, (parent, events)) in &recorded {
            let Some((shown_parent, shown_events)) = shown.get(id) else {
                panic!("{id} is not shown: {recorded:?} {shown:?}")
            };
            // A run that began after its parent had ended cannot be shown inside it.
            prop_assert!(shown_parent == parent || shown_parent.is_none(), "{id}: {recorded:?} {shown:?}");
            prop_assert!(events.is_subset(shown_events), "{id}: {recorded:?} {shown:?}");
            prop_assert_eq!(shown_events.len(), 2, "{}: {:?} {:?}", id, recorded, shown);
        }
        let without_parent = |runs: &Runs| runs.values().filter(|(parent, _)| parent.is_none()).count();
        let has_drops = shown.values().any(|(_, events)| events.contains("cancelled") || events.contains("failed"));
        prop_assert!(has_drops || without_parent(&recorded) == without_parent(&shown), "{recorded:?} {shown:?}");
    }
}
