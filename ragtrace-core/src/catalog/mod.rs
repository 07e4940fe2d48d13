//! The catalog: static descriptions of all stages and log lines.
//!
//! Descriptors are `&'static` and never change, so an entry in the queue refers to one by its
//! address. Descriptors of annotated functions are in a section of the executable (`section`).
//! Descriptors whose names are created at run time are interned, and their number is bounded
//! (`interned`).

mod descriptor;
mod interned;
mod kind;
mod list;
mod log_descriptor;
mod lookup;
mod schema;
mod section;

pub use descriptor::{FieldDescriptor, FieldSource, StageDescriptor};
pub use interned::{intern, intern_in, intern_listed, watch_interned};
pub use kind::StageKind;
pub use list::stages;
pub use log_descriptor::LogDescriptor;
pub use schema::stages_schema;
pub use section::CatalogEntry;
