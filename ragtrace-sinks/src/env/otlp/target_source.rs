//! Which variables say where to.

/// The variables that the URL is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetSource {
    /// From ours, which is for this sink alone.
    Ours,
    /// From those of OpenTelemetry's exporters, of which others in the process and beside it may
    /// know nothing but that there is one.
    OpenTelemetry,
    /// From the backend's own, or it is the profile's.
    Backend,
}
