//! The part of the layer in a subscriber that shows stages to the other layers.

use std::ptr;
use std::sync::OnceLock;

use ragtrace_core::SpanId;
use tracing_core::Dispatch;

use super::listeners::WantsStages;

/// The part of a layer that decides whether other layers see stages.
#[derive(Debug)]
pub(in crate::tracing) struct StageMirror {
    is_on: bool,
    wants: Option<WantsStages>,
}

impl StageMirror {
    /// Creates the part, switched on or off, for a layer that is not part of a subscriber yet.
    pub(in crate::tracing) const fn new(is_on: bool) -> Self {
        Self { is_on, wants: None }
    }

    /// Counts the layer among those that show stages, once it is part of a subscriber. Returns
    /// `true` if it shows stages.
    pub(super) fn begin(&mut self) -> bool {
        if self.is_on && self.wants.is_none() {
            self.wants = Some(WantsStages::begin());
        }
        self.is_on
    }
}

/// The functions that access the layer of a subscriber. The layer depends on the mirror, and not
/// the other way round.
#[derive(Clone, Copy, Debug)]
pub(in crate::tracing) struct LayerPort {
    /// Finds the layer's part in a subscriber.
    pub(in crate::tracing) mirror: fn(&Dispatch) -> Option<&StageMirror>,
    /// Returns the span of the context that the subscriber's current span carries.
    pub(in crate::tracing) carried: fn(&Dispatch) -> Option<SpanId>,
}

static PORT: OnceLock<LayerPort> = OnceLock::new();

/// Sets the functions that access layers.
pub(super) fn ask_by(port: LayerPort) {
    PORT.get_or_init(|| port);
}

/// Returns a number that identifies the subscriber while it lives, if it wants stages.
pub(super) fn wanting(dispatch: &Dispatch) -> Option<usize> {
    let mirror = (PORT.get()?.mirror)(dispatch)?;
    mirror.is_on.then(|| ptr::from_ref(mirror).addr())
}

/// Returns the span of the context that the subscriber's current span carries.
pub(super) fn carried(dispatch: &Dispatch) -> Option<SpanId> {
    (PORT.get()?.carried)(dispatch)
}
