//! Stages as spans with events, for the layers beside ragtrace's.

mod filters;
mod formatter;
mod hazards;
mod shapes;
mod threads;

use std::sync::Once;

use ragtrace_tests_tracing::recording::{Recorder, Recording};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// Sets the process's subscriber, and starts to note the calls to its layer.
fn record() -> Recording {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = registry().with(Recorder).with(ragtrace::layer());
        tracing::subscriber::set_global_default(subscriber).expect("nothing else sets one");
    });
    Recording::begin()
}
