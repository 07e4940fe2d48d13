//! Stages.

mod descriptor;
mod kind;

pub use descriptor::{FieldDescriptor, FieldSource, StageDescriptor};
pub use kind::{ParseKindError, StageKind};
