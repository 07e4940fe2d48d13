//! The catalog: what is known of each stage and each log line before any of them runs.
//!
//! A descriptor is `&'static` and never changes, so an entry in the queue names it by its address.
//! Descriptors of annotated functions lie in a section of the program (`section`); those whose
//! names are made at run time are interned, with a bound on their number (`interned`).

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
