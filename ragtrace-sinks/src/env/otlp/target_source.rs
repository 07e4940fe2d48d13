//! The source of the target's URL.

/// The variables that the target's URL comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetSource {
    /// Ragtrace's own variables, which are for this sink only.
    Ours,
    /// The variables of OpenTelemetry's exporters. Whoever set them, in this process or around it,
    /// may know nothing of this sink.
    OpenTelemetry,
    /// The backend's own variable, or the profile's default.
    Backend,
}
