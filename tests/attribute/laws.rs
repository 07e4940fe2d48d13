//! Laws that hold for any tree of stages, however each of them ends: one start and one end for each
//! stage that was polled, the right parent, the same context after each poll as before, and no end
//! before its start.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{FutureExt as _, join_all, select};
use futures_util::stream::{self, StreamExt as _};
use proptest::prelude::*;
use ragtrace::testing::Captured;
use ragtrace::{Event, Record, RequestContext, SpanId, traced_stage};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, yield_now};

/// A stage and what it does.
#[derive(Clone, Debug)]
struct Node {
    id: u64,
    shape: Shape,
    /// The number of yields before its children, and after them.
    yields: u8,
    children: Vec<(How, Node)>,
    end: End,
}

/// The kind of function that the stage is.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Async,
    Boxed,
    Block,
    /// The stream runs the children, one per item.
    Stream,
    /// The children do not run, since a call cannot wait for them.
    Sync,
}

/// The way in which the parent runs the stage.
#[derive(Clone, Copy, Debug)]
enum How {
    Await,
    Spawn,
    /// Together with the child before it.
    Join,
    /// In a race with a child that loses.
    Select,
    Timeout(u8),
    /// Dropped after this many polls.
    Cancel(u8),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Ok,
    Err,
    Panic,
}

/// The observations of the stages themselves, for comparison with the records.
#[derive(Clone, Default)]
struct Journal {
    entries: Arc<Mutex<HashMap<u64, Entry>>>,
    /// The spawned tasks, including those of parents that are gone.
    tasks: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

#[derive(Clone, Debug)]
struct Entry {
    parent: u64,
    /// `None` if the body neither returned nor panicked.
    end: Option<End>,
}

impl Journal {
    fn begins(&self, id: u64, parent: u64) {
        let earlier = self.entries.lock().unwrap().insert(id, Entry { parent, end: None });
        assert!(earlier.is_none(), "{id} began twice");
    }

    fn ends(&self, id: u64, end: End) -> Result<u64, String> {
        self.entries.lock().unwrap().get_mut(&id).unwrap().end = Some(end);
        match end {
            End::Ok => Ok(id),
            End::Err => Err(format!("{id} failed")),
            End::Panic => panic!("{id} panicked"),
        }
    }
}

fn here() -> Option<SpanId> {
    RequestContext::current().and_then(|context| context.span_id())
}

/// Checks that each poll, and the drop, leave the thread's context as it was.
struct Watched<F>(Option<Pin<Box<F>>>);

impl<F: Future> Watched<F> {
    fn new(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let before = here();
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| self.0.as_mut().unwrap().as_mut().poll(cx)));
        assert_eq!(here(), before, "a poll left another context");
        polled.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<F> Drop for Watched<F> {
    fn drop(&mut self) {
        let before = here();
        self.0 = None;
        assert_eq!(here(), before, "a drop left another context");
    }
}

/// Drops a future after some polls.
struct Cancelled<F> {
    future: Pin<Box<F>>,
    polls: u8,
}

impl<F: Future> Future for Cancelled<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        cx.waker().wake_by_ref();
        self.future.as_mut().poll(cx).map(Some)
    }
}

#[traced_stage("laws.async", fields(id = node.id))]
async fn asynchronous(node: Node, parent: u64, journal: Journal) -> Result<u64, String> {
    body(node, parent, journal).await
}

#[traced_stage("laws.boxed", fields(id = node.id))]
fn boxed(node: Node, parent: u64, journal: Journal) -> Pin<Box<dyn Future<Output = Result<u64, String>> + Send>> {
    Box::pin(async move { body(node, parent, journal).await })
}

#[traced_stage("laws.stream", fields(id = node.id))]
fn streaming(
    node: Node,
    parent: u64,
    journal: Journal,
) -> impl futures_util::Stream<Item = Result<u64, String>> + Send {
    stream::once(async move { body(node, parent, journal).await })
}

#[traced_stage("laws.sync", fields(id = node.id))]
fn synchronous(node: &Node, parent: u64, journal: &Journal) -> Result<u64, String> {
    journal.begins(node.id, parent);
    journal.ends(node.id, node.end)
}

fn run(node: Node, parent: u64, journal: Journal) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let outcome = async move {
        let future = async move {
            match node.shape {
                Shape::Async => asynchronous(node, parent, journal).await,
                Shape::Boxed => boxed(node, parent, journal).await,
                Shape::Block => {
                    let id = node.id;
                    ragtrace::stage!("laws.block", fields(id), async move { body(node, parent, journal).await }).await
                }
                Shape::Stream => {
                    let mut items = Box::pin(streaming(node, parent, journal));
                    let item = items.next().await;
                    // The end of the stream is the end of its stage, so the stream is polled to its
                    // end.
                    assert!(items.next().await.is_none());
                    item.unwrap_or(Ok(0))
                }
                Shape::Sync => synchronous(&node, parent, &journal),
            }
        };
        // A panic is caught here, so that the siblings end by themselves.
        let _ = AssertUnwindSafe(future).catch_unwind().await;
    };
    Box::pin(Watched::new(outcome))
}

async fn body(node: Node, parent: u64, journal: Journal) -> Result<u64, String> {
    journal.begins(node.id, parent);
    let own = here();
    let mut together = Vec::new();
    for _ in 0..node.yields {
        yield_now().await;
        assert_eq!(here(), own, "an await changed the context");
    }
    for (how, child) in node.children {
        let child = run(child, node.id, journal.clone());
        match how {
            How::Await => child.await,
            How::Spawn => {
                let (done, is_done) = oneshot::channel();
                let task = ragtrace::spawn(async move {
                    child.await;
                    // A parent that is gone does not listen.
                    let _ = done.send(());
                });
                journal.tasks.lock().unwrap().push(task);
                is_done.await.unwrap();
            }
            How::Join => together.push(child),
            How::Select => {
                let winner = Box::pin(yield_now());
                drop(select(child, winner).await);
            }
            How::Timeout(millis) => {
                let patience = Duration::from_millis(millis.into());
                let slow = async {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    child.await;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                };
                drop(tokio::time::timeout(patience, slow).await);
            }
            How::Cancel(polls) => drop(Cancelled { future: Box::pin(child), polls }.await),
        }
        assert_eq!(here(), own, "a child changed the context");
    }
    join_all(together).await;
    journal.ends(node.id, node.end)
}

fn nodes() -> impl Strategy<Value = Node> {
    let shape = prop_oneof![
        4 => Just(Shape::Async),
        1 => Just(Shape::Boxed),
        1 => Just(Shape::Block),
        1 => Just(Shape::Stream),
        1 => Just(Shape::Sync),
    ];
    let end = prop_oneof![5 => Just(End::Ok), 2 => Just(End::Err), 1 => Just(End::Panic)];
    let how = prop_oneof![
        3 => Just(How::Await),
        1 => Just(How::Spawn),
        2 => Just(How::Join),
        1 => Just(How::Select),
        1 => (0..6_u8).prop_map(How::Timeout),
        2 => (0..5_u8).prop_map(How::Cancel),
    ];
    let leaf =
        (shape, 0..3_u8, end).prop_map(|(shape, yields, end)| Node { id: 0, shape, yields, children: Vec::new(), end });
    let tree = leaf.clone().prop_recursive(4, 24, 4, move |inner| {
        (leaf.clone(), prop::collection::vec((how.clone(), inner), 0..4))
            .prop_map(|(node, children)| Node { children, ..node })
    });
    tree.prop_map(|mut node| {
        number(&mut node, &mut 0);
        node
    })
}

/// Gives each node a number of its own, from 1.
fn number(node: &mut Node, last: &mut u64) {
    *last += 1;
    node.id = *last;
    node.children.iter_mut().for_each(|(_, child)| number(child, last));
}

fn check(journal: &HashMap<u64, Entry>, captured: &Captured) -> Result<(), TestCaseError> {
    let mut runs: HashMap<u64, Vec<&Record>> = HashMap::new();
    for record in captured.records() {
        let id = record.field("id").and_then(ragtrace::Value::as_u64).unwrap();
        runs.entry(id).or_default().push(record);
    }
    prop_assert_eq!(runs.len(), journal.len(), "a stage was recorded that was not polled, or the other way round");
    let spans: HashMap<u64, Option<SpanId>> = runs.iter().map(|(id, run)| (*id, run[0].span_id())).collect();
    for (id, entry) in journal {
        let run = &runs[id];
        let [start, end] = run[..] else {
            return Err(TestCaseError::fail(format!("{id} has {} records: {run:?}", run.len())));
        };
        let expected = match entry.end {
            Some(End::Ok) => Event::Completed,
            Some(End::Err | End::Panic) => Event::Failed,
            None => Event::Cancelled,
        };
        prop_assert_eq!((start.event(), end.event()), (Event::Started, expected), "{}", id);
        prop_assert_eq!(start.span_id(), end.span_id());
        let parent = spans.get(&entry.parent).copied().flatten();
        prop_assert_eq!((start.parent_span_id(), end.parent_span_id()), (parent, parent), "the parent of {}", id);
        prop_assert!(start.timestamp() <= end.timestamp());
        prop_assert!(end.busy() <= end.duration() || end.busy().is_none());
        let is_panic = end.error().is_some_and(|error| error.type_name() == "panic");
        prop_assert_eq!(is_panic, entry.end == Some(End::Panic));
        let message = end.error().map(ragtrace::ErrorInfo::message).unwrap_or_default();
        match entry.end {
            Some(End::Err) => prop_assert_eq!(message, format!("{id} failed")),
            Some(End::Panic) => prop_assert!(message.starts_with(&format!("{id} panicked (at ")), "{}", message),
            _ => prop_assert_eq!(message, ""),
        }
    }
    Ok(())
}

fn obeys(node: Node, threads: bool) -> Result<(), TestCaseError> {
    let mut builder = if threads {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    let runtime = builder.worker_threads(2).enable_time().build().unwrap();
    let journal = Journal::default();
    let all = async {
        run(node, 0, journal.clone()).await;
        while let Some(task) = { journal.tasks.lock().unwrap().pop() } {
            task.await.unwrap();
        }
    };
    let ((), captured) = runtime.block_on(ragtrace::testing::capture(all));
    let entries = journal.entries.lock().unwrap();
    check(&entries, &captured)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_tree_of_stages_obeys_the_laws(node in nodes()) {
        obeys(node, false)?;
    }

    #[test]
    fn any_tree_of_stages_obeys_the_laws_across_threads(node in nodes()) {
        obeys(node, true)?;
    }
}
