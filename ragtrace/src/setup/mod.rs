//! Setting up and taking down: the builder, and the handle that an application keeps.

mod builder;
mod handle;
mod telemetry;

pub use builder::{Builder, SetupError, builder};
pub use handle::TelemetryHandle;
pub use telemetry::Telemetry;
