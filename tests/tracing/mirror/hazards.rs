//! Layers that panic, that run stages, and that no longer exist.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use ragtrace::{testing, traced_stage};
use ragtrace_tests_tracing::recording::Recorder;
use tokio::sync::oneshot;
use tracing::dispatcher::with_default;
use tracing::span::{Attributes, Id};
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, fmt, registry};

use crate::formatter::Output;
use crate::record;

#[traced_stage]
fn stage() -> u8 {
    7
}

#[traced_stage]
async fn waits(until: oneshot::Receiver<()>) {
    until.await.expect("it is sent");
}

/// A layer that panics at a given call.
struct Panics;

impl<S: Subscriber> Layer<S> for Panics {
    fn on_new_span(&self, _: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        panic!("a layer's fault in a new span")
    }

    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        panic!("a layer's fault in an event")
    }
}

/// A layer that panics when spans are entered, left and closed.
struct PanicsLater;

impl<S: Subscriber> Layer<S> for PanicsLater {
    fn on_enter(&self, _: &Id, _: Context<'_, S>) {
        panic!("a layer's fault in an entry")
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        panic!("a layer's fault in an exit")
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        panic!("a layer's fault in a close")
    }
}

#[test]
fn a_layer_that_panics_does_not_reach_the_application() {
    let _turn = record();
    for subscriber in [
        Dispatch::new(registry().with(Panics).with(ragtrace::layer())),
        Dispatch::new(registry().with(PanicsLater).with(ragtrace::layer())),
    ] {
        let (value, captured) = with_default(&subscriber, || testing::capture_sync(stage));
        assert_eq!(value, 7);
        assert_eq!(captured.stage("stage").completed().len(), 1);
    }
}

/// A writer whose writing is a stage.
#[derive(Clone, Default)]
struct StagedWriter;

static WRITTEN: AtomicUsize = AtomicUsize::new(0);

#[traced_stage]
fn write(bytes: &[u8]) -> usize {
    tracing::info!("writing");
    WRITTEN.fetch_add(1, Ordering::Relaxed);
    bytes.len()
}

impl Write for StagedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stage_in_which_a_layer_writes_is_recorded_and_not_shown_to_that_layer() {
    let _turn = record();
    let subscriber = registry().with(fmt::layer().with_writer(StagedWriter::default)).with(ragtrace::layer());
    let (_, captured) = with_default(&Dispatch::new(subscriber), || testing::capture_sync(stage));
    assert_eq!(WRITTEN.load(Ordering::Relaxed), 2);
    assert_eq!(captured.stage("write").completed().len(), 2);
}

#[test]
fn a_span_is_left_and_closed_by_the_subscriber_that_made_it() {
    let recording = record();
    let output = Output::default();
    let first = Dispatch::new(registry().with(Recorder).with(ragtrace::layer()));
    let second = Dispatch::new(registry().with(fmt::layer().with_writer(output.clone())).with(ragtrace::layer()));
    testing::capture_sync(|| {
        let (send, receive) = oneshot::channel();
        let mut run = Box::pin(waits(receive));
        with_default(&first, || assert!(run.as_mut().now_or_never().is_none()));
        drop(first);
        send.send(()).expect("somebody waits");
        with_default(&second, || assert!(run.as_mut().now_or_never().is_some()));
    });
    assert_eq!(recording.events(), ["INFO waits_started in waits", "INFO waits_completed in waits"]);
    assert!(output.lines().is_empty(), "{:?}", output.lines());
    recording.assert_balanced();
}

#[test]
fn a_run_that_began_before_there_was_a_subscriber_is_not_shown() {
    let _turn = record();
    let output = Output::default();
    testing::capture_sync(|| {
        let (send, receive) = oneshot::channel();
        let mut run = Box::pin(waits(receive));
        with_default(&Dispatch::none(), || assert!(run.as_mut().now_or_never().is_none()));
        let late = registry().with(fmt::layer().with_writer(output.clone())).with(ragtrace::layer());
        send.send(()).expect("somebody waits");
        with_default(&Dispatch::new(late), || assert!(run.as_mut().now_or_never().is_some()));
    });
    assert!(output.lines().is_empty(), "{:?}", output.lines());
}
