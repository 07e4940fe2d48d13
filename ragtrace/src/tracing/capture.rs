//! A subscriber for programs that have none.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use ::tracing::subscriber::set_global_default;
use ragtrace_core::Level;
use tracing_core::metadata::LevelFilter;
use tracing_core::subscriber::{Interest, NoSubscriber};
use tracing_core::{Metadata, Subscriber, callsite, dispatcher};
use tracing_log::{AsLog, LogTracer};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry;

use super::layer::{Layer, layer};
use crate::record::LevelFilter as Taken;

/// The least severe level that a sink takes, as an index into [`LEVELS`].
static LEAST: AtomicU8 = AtomicU8::new(0);

/// Set if this crate has set the logger of `log`.
static IS_LOGGER: AtomicBool = AtomicBool::new(false);

/// The levels by their number; the last one is off.
const LEVELS: [LevelFilter; 6] = [
    LevelFilter::TRACE,
    LevelFilter::DEBUG,
    LevelFilter::INFO,
    LevelFilter::WARN,
    LevelFilter::ERROR,
    LevelFilter::OFF,
];

/// The warning for an application with a subscriber of its own.
const ADD_THE_LAYER: &str = "`capture_tracing` has no effect, because the program has already set a `tracing` subscriber: add \
    `.with(ragtrace::layer())` to that one, unless it has the layer inside of a `reload::Layer`";

/// The warning for an application with a subscriber for one thread.
const ADD_THE_LAYER_HERE: &str = "`capture_tracing` has no effect on this thread, because a `tracing` subscriber is set for it \
    alone: add `.with(ragtrace::layer())` to that one";

/// Records the events of a program without a subscriber, and its `log` lines, as far as a sink
/// takes them. Returns a warning if another subscriber prevents this.
pub(crate) fn capture(taken: Taken) -> Option<&'static str> {
    LEAST.store(taken.least().map_or(Taken::ABOVE_ALL, |level| level as u8), Ordering::Relaxed);
    let of = |find: fn(&dispatcher::Dispatch) -> bool| dispatcher::get_default(find);
    let is_set_here = of(|dispatch| !dispatch.is::<NoSubscriber>() && !dispatch.is::<Layer>());
    let is_first = set_global_default(registry().with(LeastLevel).with(layer().mirror_stages(false))).is_ok();
    if is_first {
        // If there is another logger, it keeps its lines, and events are still recorded.
        let is_logger = LogTracer::builder().with_max_level(least().as_log()).init().is_ok();
        IS_LOGGER.store(is_logger, Ordering::Relaxed);
        return is_set_here.then_some(ADD_THE_LAYER_HERE);
    }
    if of(dispatcher::Dispatch::is::<LeastLevel>) {
        // The subscriber was set by an earlier installation, whose sinks took other levels.
        if IS_LOGGER.load(Ordering::Relaxed) {
            log::set_max_level(least().as_log());
        }
        callsite::rebuild_interest_cache();
        return None;
    }
    if of(dispatcher::Dispatch::is::<Layer>) { None } else { Some(ADD_THE_LAYER) }
}

fn least() -> LevelFilter {
    LEVELS.get(usize::from(LEAST.load(Ordering::Relaxed))).copied().unwrap_or(LevelFilter::OFF)
}

const _: () = assert!(LEVELS.len() == Taken::ABOVE_ALL as usize + 1 && Level::Trace as u8 == 0);

/// A filter that leaves out everything that no sink takes, for the subscriber that has only this
/// layer.
struct LeastLevel;

impl<S: Subscriber> tracing_subscriber::Layer<S> for LeastLevel {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if *metadata.level() <= least() { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= least()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(least())
    }
}
