//! Stages as ordinary `tracing` spans with events, for the layers beside ours.
//!
//! It promises that whoever listens to `tracing` (a formatter, OpenTelemetry) sees each run as a
//! span that is entered and left where the run is on a thread, with an event inside it when the run
//! starts and when it ends; that each span made is closed, and each entered is left, on whichever
//! threads a run goes, and also when it panics or is dropped; that a span nests with the
//! application's own as the run does; and that a layer that panics does not reach the application.
//! Nothing is shown twice to our own layer, which asks [`is_mirrored`], and no lock of ours is held
//! while `tracing` is called.
//!
//! It costs a stage nothing while no subscriber has a layer of ours that shows stages, or a filter
//! in front of all layers leaves them out: the runs' own question whether an observer is active is
//! answered by `listeners`, which counts what `tracing` says of each callsite whenever there is
//! another subscriber. Our own layer counts among those that listen, so a stage is shown to a
//! registry that has nothing else. A run that began before somebody listened is not shown, and one
//! that began while somebody did is shown to its end.
//!
//! `stage_sites` makes callsites (`site`) out of descriptors; `observe` follows runs, of which it
//! keeps those that are open (`open_runs`) and those that are on this thread (`entered_runs`);
//! `parent` finds the span around a new one; `showing` is for each call into `tracing`;
//! `subscriber` asks the layer that a subscriber has.

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

/// Shows stages to the layers beside one that is now part of a subscriber, unless its `mirror` is
/// off. Called under no lock of `tracing`'s.
pub(super) fn begin(mirror: &mut StageMirror, port: LayerPort) {
    static ONCE: Once = Once::new();
    if !mirror.begin() {
        return;
    }
    subscriber::ask_by(port);
    ONCE.call_once(|| {
        // Without room for it nobody would hear of a run.
        observer::add_idle(&observe::ShowStages);
        watch_interned(|stage| {
            stage_sites::of(stage);
        });
        for stage in ragtrace_core::stages() {
            stage_sites::of(stage);
        }
    });
}

/// Returns whether a new span or an event is one of a stage, which is shown right now: there are
/// records of it already.
#[inline]
pub(super) fn is_mirrored(metadata: &Metadata<'_>) -> bool {
    showing::is_showing() && showing::is_showing_site(site::address_of(metadata))
}

/// Returns whether a span is entered, left or closed for a run right now. The run's context is on
/// the thread, or off it, already.
#[inline]
pub(super) fn is_mirroring() -> bool {
    showing::is_showing()
}
