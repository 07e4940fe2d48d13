//! Setting up and taking down: the builder, and the handle that an application keeps.

mod builder;
mod telemetry;

pub use builder::{Builder, SetupError, builder};
pub use telemetry::Telemetry;
