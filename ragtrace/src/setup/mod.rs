//! Installing telemetry and shutting it down: the builder, the value that owns the installed
//! telemetry, and the handle for an application's state.

mod builder;
mod error;
mod handle;
mod level;
mod telemetry;
mod variables;

pub use builder::{Builder, builder};
pub use error::SetupError;
pub use handle::TelemetryHandle;
pub use level::IntoLevel;
pub use telemetry::Telemetry;
