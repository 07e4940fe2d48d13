//! The formatter of `tracing-subscriber` beside ragtrace's layer.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use ragtrace::{testing, traced_stage};
use tracing::Dispatch;
use tracing::dispatcher::with_default;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::record;

/// The text that a formatter wrote.
#[derive(Clone, Debug, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    pub(crate) fn lines(&self) -> Vec<String> {
        let written = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(written).expect("texts").lines().map(str::to_owned).collect()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Output {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[traced_stage(kind = chunk, target = "rag", fields(doc.name = name, filters = ragtrace::json(&[1, 2])))]
fn chunk(name: &str) -> Result<Vec<u8>, io::Error> {
    tracing::info!("inside");
    if name.is_empty() { Err(io::Error::other("no name")) } else { Ok(vec![1, 2]) }
}

#[test]
fn a_formatter_writes_stages_as_it_writes_any_span_and_event() {
    let _turn = record();
    let output = Output::default();
    let formatter = fmt::layer().with_writer(output.clone()).with_ansi(false).without_time();
    let subscriber = Dispatch::new(registry().with(ragtrace::layer()).with(formatter));
    with_default(&subscriber, || {
        testing::capture_sync(|| {
            assert!(chunk("a.txt").is_ok());
            assert!(chunk("").is_err());
        })
    });
    let lines = output.lines();
    let of = |at: usize, parts: &[&str]| {
        assert!(parts.iter().all(|part| lines[at].contains(part)), "{at}, {parts:?}: {lines:#?}");
    };
    assert_eq!(lines.len(), 6);
    of(0, &["INFO chunk{", r#"doc.name="a.txt" filters=[1,2]"#, "}: rag: chunk_started"]);
    of(1, &["INFO chunk{", r#"doc.name="a.txt""#, "mirror::formatter: inside"]);
    of(2, &["INFO chunk{", "count=2}: rag: chunk_completed duration_ms="]);
    of(5, &["ERROR chunk{", r#"error.type="Error""#, "rag: chunk_failed error=no name duration_ms="]);
}

#[test]
fn a_formatter_that_was_there_first_loses_nothing_and_sees_stages_too() {
    let _turn = record();
    let output = Output::default();
    let formatter = fmt().with_writer(output.clone()).with_ansi(false).without_time().finish();
    let subscriber = Dispatch::new(formatter.with(ragtrace::layer()));
    with_default(&subscriber, || testing::capture_sync(|| chunk("a.txt").is_ok()));
    assert_eq!(output.lines().len(), 3, "{:?}", output.lines());
}

#[test]
fn a_subscriber_whose_layer_does_not_mirror_sees_no_stages() {
    let _turn = record();
    let output = Output::default();
    let formatter = fmt::layer().with_writer(output.clone()).with_ansi(false);
    let subscriber = Dispatch::new(registry().with(ragtrace::layer().mirror_stages(false)).with(formatter));
    with_default(&subscriber, || testing::capture_sync(|| chunk("a.txt").is_ok()));
    assert_eq!(output.lines().len(), 1, "{:?}", output.lines());
}

#[test]
fn a_layer_in_a_box_or_in_an_option_mirrors_all_the_same() {
    let _turn = record();
    let output = Output::default();
    let formatter = fmt::layer().with_writer(output.clone()).with_ansi(false);
    let subscriber = Dispatch::new(registry().with(Some(ragtrace::layer().boxed())).with(formatter));
    with_default(&subscriber, || testing::capture_sync(|| chunk("a.txt").is_ok()));
    assert_eq!(output.lines().len(), 3, "{:?}", output.lines());
}
