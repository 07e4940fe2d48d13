//! Stages as ordinary `tracing` spans with events, for other layers.
//!
//! The module promises that listeners of `tracing` (a formatter, OpenTelemetry) see each run as a
//! span that is entered and left where the run is on a thread, with an event inside of it when the
//! run starts and when it ends; that each span is closed, and each entered span is left, on
//! whichever threads a run moves, and also when it panics or is dropped; that a span nests with the
//! application's spans as the run does; and that a panic of a layer does not reach the application.
//! This crate's own layer records nothing twice, because it checks [`is_mirrored`]. No lock of this
//! crate is held while `tracing` is called.
//!
//! The mirror costs a stage nothing while no subscriber has a layer that shows stages, or a filter
//! in front of all layers leaves them out. Runs check only whether an observer is active;
//! `listeners` maintains that from the interest in each callsite, which `tracing` reports whenever
//! there is another subscriber. This crate's layer counts as a listener, so stages are shown even
//! to a registry that has no other layer. A run that began before there was a listener is not
//! shown, and one that began while there was one is shown to its end.
//!
//! `stage_sites` makes callsites (`site`) from descriptors; `observe` follows runs, of which it
//! keeps those that are open (`open_runs`) and those on this thread (`entered_runs`); `parent`
//! finds the parent span of a new one; `showing` wraps each call into `tracing`; `subscriber`
//! accesses the layer of a subscriber.

mod entered_runs;
mod listeners;
mod observe;
mod open_runs;
mod parent;
mod showing;
mod shown_error;
mod shown_fields;
mod site;
mod stage_sites;
mod subscriber;
mod tracing_span;

use std::sync::Once;

use ragtrace_core::{observer, watch_interned};
use tracing_core::Metadata;

pub(super) use self::subscriber::{LayerPort, StageMirror};

/// Begins to show stages to the layers beside one that has been added to a subscriber, unless its
/// `mirror` is off. It is called without a lock of `tracing`.
pub(super) fn begin(mirror: &mut StageMirror, port: LayerPort) {
    static ONCE: Once = Once::new();
    if !mirror.begin() {
        return;
    }
    subscriber::ask_by(port);
    ONCE.call_once(|| {
        // If there is no room for another observer, no run is ever shown.
        observer::add_idle(&observe::ShowStages);
        watch_interned(|stage| {
            stage_sites::of(stage);
        });
        for stage in ragtrace_core::stages() {
            stage_sites::of(stage);
        }
    });
}

/// Returns `true` if a new span or an event is that of a stage being shown, which already has
/// records.
#[inline]
pub(super) fn is_mirrored(metadata: &Metadata<'_>) -> bool {
    showing::is_showing() && showing::is_showing_site(site::address_of(metadata))
}

/// Returns `true` if a span is being entered, left or closed for a run. The run's context is
/// already on the thread, or off it.
#[inline]
pub(super) fn is_mirroring() -> bool {
    showing::is_showing()
}
