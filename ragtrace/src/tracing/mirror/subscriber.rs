//! The part of the layer in a subscriber that shows stages to the others in it.

use std::ptr;
use std::sync::OnceLock;

use ragtrace_core::SpanId;
use tracing_core::Dispatch;

use super::listeners::WantsStages;

/// The part of a layer that says whether the layers beside it see stages.
#[derive(Debug)]
pub(in crate::tracing) struct StageMirror {
    is_on: bool,
    wants: Option<WantsStages>,
}

impl StageMirror {
    /// Makes it on or off, for a layer that is not part of a subscriber yet.
    pub(in crate::tracing) const fn new(is_on: bool) -> Self {
        Self { is_on, wants: None }
    }

    /// Counts the layer among those that show stages, once it is part of a subscriber. Returns
    /// whether it is one.
    pub(super) fn begin(&mut self) -> bool {
        if self.is_on && self.wants.is_none() {
            self.wants = Some(WantsStages::begin());
        }
        self.is_on
    }
}

/// How the layer of a subscriber is asked. The layer knows the mirror, and not the other way round.
#[derive(Clone, Copy, Debug)]
pub(in crate::tracing) struct LayerPort {
    /// Finds the layer's part in a subscriber.
    pub(in crate::tracing) mirror: fn(&Dispatch) -> Option<&StageMirror>,
    /// Returns the span of the context that the subscriber's current span carries.
    pub(in crate::tracing) carried: fn(&Dispatch) -> Option<SpanId>,
}

static PORT: OnceLock<LayerPort> = OnceLock::new();

/// Sets how layers are asked.
pub(super) fn ask_by(port: LayerPort) {
    PORT.get_or_init(|| port);
}

/// Returns which subscriber it is, if it wants stages: a number that no other has while it lives.
pub(super) fn wanting(dispatch: &Dispatch) -> Option<usize> {
    let mirror = (PORT.get()?.mirror)(dispatch)?;
    mirror.is_on.then(|| ptr::from_ref(mirror).addr())
}

/// Returns the span of the context that the subscriber's current span carries.
pub(super) fn carried(dispatch: &Dispatch) -> Option<SpanId> {
    (PORT.get()?.carried)(dispatch)
}
