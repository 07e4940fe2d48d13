//! The layer beside others: nothing is taken from them, and it sees what reaches it.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use ragtrace::testing::capture_sync;
use ragtrace_tests_tracing::{Kept, Written, finish, quiet, turn};
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, Subscriber, dispatcher};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

fn events() {
    let span = tracing::info_span!("around", job = 7);
    span.in_scope(|| {
        tracing::error!("error");
        tracing::warn!("warn");
        tracing::info!("info");
        tracing::debug!("debug");
        tracing::trace!("trace");
    });
}

/// Returns the levels of the events that a formatter wrote.
fn written_by(written: &Written) -> Vec<String> {
    written.text().lines().map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned()).collect()
}

fn formatter<S: Subscriber + for<'a> LookupSpan<'a>>(written: &Written) -> impl Layer<S> + use<S> {
    fmt::layer().with_writer(written.clone()).with_ansi(false)
}

/// Sends the events to a subscriber, and returns the formatter's output and the resulting records,
/// at level `trace`.
fn seen(subscriber: impl Into<Dispatch>, written: &Written) -> (Vec<String>, Vec<String>) {
    let dispatch = subscriber.into();
    let kept = Kept::default();
    let telemetry = quiet().level("trace").sink(kept.clone()).install().expect("the only one");
    dispatcher::with_default(&dispatch, events);
    finish(telemetry);
    assert!(kept.lines().iter().all(|line| line.field("job") == Some(&7_u64.into())));
    (written_by(written), kept.messages())
}

#[test]
fn a_formatter_without_a_filter_loses_nothing_in_either_order() {
    let _turn = turn();
    let _second = Dispatch::new(registry());
    let written = Written::default();
    let after = registry().with(formatter(&written)).with(ragtrace::layer());
    assert_eq!(seen(after, &written), (LEVELS.map(str::to_owned).to_vec(), LEVELS.map(str::to_owned).to_vec()));
    let written = Written::default();
    let before = registry().with(ragtrace::layer()).with(formatter(&written));
    assert_eq!(seen(before, &written), (LEVELS.map(str::to_owned).to_vec(), LEVELS.map(str::to_owned).to_vec()));
}

#[test]
fn a_formatter_with_a_filter_of_its_own_keeps_it_to_itself() {
    let _turn = turn();
    let _second = Dispatch::new(registry());
    let all = LEVELS.map(str::to_owned).to_vec();
    let written = Written::default();
    let after = registry().with(formatter(&written).with_filter(LevelFilter::INFO)).with(ragtrace::layer());
    assert_eq!(seen(after, &written), (all[..3].to_vec(), all.clone()));
    let written = Written::default();
    let before = registry().with(ragtrace::layer()).with(formatter(&written).with_filter(LevelFilter::INFO));
    assert_eq!(seen(before, &written), (all[..3].to_vec(), all.clone()));
    let written = Written::default();
    let by_target = formatter(&written).with_filter(EnvFilter::new("composition=debug"));
    assert_eq!(seen(registry().with(by_target).with(ragtrace::layer()), &written), (all[..4].to_vec(), all));
}

#[test]
fn a_filter_in_front_of_all_layers_holds_for_this_one_too() {
    let _turn = turn();
    let _second = Dispatch::new(registry());
    let error = vec!["error".to_owned()];
    let written = Written::default();
    let subscriber = registry().with(EnvFilter::new("error")).with(ragtrace::layer()).with(formatter(&written));
    let dispatch = Dispatch::new(subscriber);
    let kept = Kept::default();
    let telemetry = quiet().level("trace").sink(kept.clone()).install().expect("the only one");
    dispatcher::with_default(&dispatch, events);
    finish(telemetry);
    assert_eq!((written_by(&written), kept.messages()), (error.clone(), error));
    assert!(kept.lines()[0].field("job").is_none(), "a span that is left out is not there");
}

#[test]
fn the_layer_is_one_line_behind_a_finished_subscriber() {
    let _turn = turn();
    let _second = Dispatch::new(registry());
    let all = LEVELS.map(str::to_owned).to_vec();
    let written = Written::default();
    let at_info = fmt().with_max_level(LevelFilter::INFO).with_writer(written.clone()).with_ansi(false).finish();
    assert_eq!(seen(at_info.with(ragtrace::layer()), &written), (all[..3].to_vec(), all[..3].to_vec()));
    let written = Written::default();
    let at_trace = fmt().with_max_level(LevelFilter::TRACE).with_writer(written.clone()).with_ansi(false).finish();
    assert_eq!(seen(at_trace.with(ragtrace::layer()), &written), (all.clone(), all));
    let written = Written::default();
    let by_filter = fmt().with_env_filter("warn").with_writer(written.clone()).with_ansi(false).finish();
    let (formatted, recorded) = {
        let dispatch = Dispatch::new(by_filter.with(ragtrace::layer()));
        let kept = Kept::default();
        let telemetry = quiet().level("trace").sink(kept.clone()).install().expect("the only one");
        dispatcher::with_default(&dispatch, events);
        finish(telemetry);
        (written_by(&written), kept.messages())
    };
    assert_eq!((&formatted[..], &recorded[..]), (&["error".to_owned(), "warn".to_owned()][..], &formatted[..]));
}

#[test]
fn a_second_layer_in_a_subscriber_does_nothing() {
    let _turn = turn();
    let _second = Dispatch::new(registry());
    let all = LEVELS.map(str::to_owned).to_vec();
    let nothing = Written::default();
    let in_a_row = registry().with(ragtrace::layer()).with(ragtrace::layer());
    assert_eq!(seen(in_a_row, &nothing).1, all);
    let together = registry().with(ragtrace::layer().and_then(ragtrace::layer()).and_then(ragtrace::layer()));
    assert_eq!(seen(together, &nothing).1, all);
    let optional = registry().with(Some(ragtrace::layer())).with(None::<ragtrace::Layer>).with(ragtrace::layer());
    assert_eq!(seen(optional, &nothing).1, all);
    let boxed: Box<dyn Layer<_> + Send + Sync> = ragtrace::layer().boxed();
    assert_eq!(seen(registry().with(boxed).with(ragtrace::layer()), &nothing).1, all);
}

#[test]
fn what_log_enabled_asks_takes_no_event_from_a_plain_layer() {
    let _turn = turn();
    let _second = Dispatch::new(registry());
    let written = Written::default();
    let dispatch =
        Dispatch::new(registry().with(formatter(&written).with_filter(LevelFilter::INFO)).with(ragtrace::layer()));
    let ((), captured) = capture_sync(|| {
        dispatcher::with_default(&dispatch, || {
            // sqlx asks like this after each query. A layer with a filter of its own then misses
            // the next event.
            let _ = tracing::enabled!(target: "sqlx::query", tracing::Level::TRACE);
            tracing::info!("the next one");
        });
    });
    assert_eq!(captured.logs().map(|line| line.message().into_owned()).collect::<Vec<_>>(), ["the next one"]);
}

/// A layer that logs in each event, as some do to report their own errors.
struct Chatty(Arc<Mutex<u32>>);

impl<S: Subscriber> Layer<S> for Chatty {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target() != "chatty" {
            *self.0.lock().expect("whole") += 1;
            tracing::info!(target: "chatty", "about an event");
        }
    }
}

#[test]
fn a_layer_that_logs_beside_it_is_heard_once() {
    let _turn = turn();
    let count = Arc::new(Mutex::new(0));
    let dispatch = Dispatch::new(registry().with(ragtrace::layer()).with(Chatty(Arc::clone(&count))));
    let ((), captured) = capture_sync(|| dispatcher::with_default(&dispatch, events));
    assert_eq!(*count.lock().expect("whole"), 5);
    assert!(captured.logs().filter(|line| line.logger() == "composition").count() == 5);
}

#[ragtrace::traced_stage("composition.exported")]
fn exported() {
    tracing::info!("inside");
}

#[test]
fn opentelemetry_has_its_spans_and_we_have_ours_in_any_order() {
    let _turn = turn();
    let _second = Dispatch::new(registry());
    for is_first in [true, false] {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        let written = Written::default();
        let tracer = provider.tracer("tests");
        let dispatch = if is_first {
            let exporting = tracing_opentelemetry::layer().with_tracer(tracer);
            Dispatch::new(registry().with(ragtrace::layer()).with(exporting).with(formatter(&written)))
        } else {
            let exporting = tracing_opentelemetry::layer().with_tracer(tracer);
            Dispatch::new(registry().with(formatter(&written)).with(exporting).with(ragtrace::layer()))
        };
        let ((), captured) = capture_sync(|| {
            dispatcher::with_default(&dispatch, || {
                events();
                exported();
            });
        });
        let spans = exporter.get_finished_spans().expect("in memory");
        let mut names: Vec<_> = spans.iter().map(|span| span.name.to_string()).collect();
        names.sort();
        assert_eq!(names, ["around", "composition.exported"]);
        let around = spans.iter().find(|span| span.name == "around").expect("it was exported");
        assert_eq!(around.events.len(), 5);
        let messages: Vec<_> = captured.logs().map(|line| line.message().into_owned()).collect();
        assert_eq!(messages, ["error", "warn", "info", "debug", "trace", "inside"]);
        assert_eq!(captured.stage("composition.exported").completed().len(), 1);
        assert!(written.text().contains("inside"));
    }
}
