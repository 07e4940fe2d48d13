//! With its feature `log-always`, `tracing` also writes each event to `log`, and a `LogTracer`
//! brings it back. `scripts/test-log-always` runs this.

#![cfg(ragtrace_log_always)]

use std::fmt;

use ragtrace::Record;
use ragtrace::testing::capture_sync;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// A value that logs while it is formatted.
struct Logs;

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!("from inside");
        f.write_str("logs")
    }
}

/// A layer that logs on some events.
struct Chatty;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Chatty {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "talked_about" {
            tracing::info!("about it");
        }
    }
}

fn messages(work: impl FnOnce()) -> Vec<String> {
    let ((), captured) = capture_sync(work);
    captured.logs().map(Record::message).map(std::borrow::Cow::into_owned).collect()
}

#[test]
fn no_event_is_recorded_twice() {
    let subscriber = tracing_subscriber::registry().with(Chatty).with(ragtrace::layer());
    tracing::subscriber::set_global_default(subscriber).expect("the first of the process");
    tracing_log::LogTracer::init().expect("the first of the process");
    assert_eq!(log::max_level(), log::LevelFilter::Trace);
    let seen = messages(|| {
        let span = tracing::info_span!("span", rows = 3, late = tracing::field::Empty);
        span.record("late", 4);
        tracing::info!(parent: &span, "with a parent");
        span.in_scope(|| tracing::info!("inside"));
        log::info!("a line of its own");
    });
    assert_eq!(seen, ["with a parent", "inside", "a line of its own"]);
    let mut seen = messages(|| tracing::info!(value = ?Logs, "with a field that logs"));
    seen.dedup();
    seen.sort();
    assert_eq!(seen.iter().filter(|message| *message == "with a field that logs").count(), 1, "{seen:?}");
    let mut seen = messages(|| tracing::info!(target: "talked_about", "something"));
    seen.sort();
    assert_eq!(seen, ["about it", "something"]);
}
