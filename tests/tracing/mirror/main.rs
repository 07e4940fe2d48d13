//! Stages as spans with events for the layers beside ours.

mod filters;
mod formatter;
mod hazards;
mod shapes;
mod threads;

use std::sync::Once;

use ragtrace_tests_tracing::recording::{Recorder, Recording};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// Sets the process's subscriber, and begins to note what its layer hears.
fn record() -> Recording {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = registry().with(Recorder).with(ragtrace::layer());
        tracing::subscriber::set_global_default(subscriber).expect("nothing else sets one");
    });
    Recording::begin()
}
