//! What generated code may name, and nobody else: it changes without notice.

use std::pin::Pin;

pub use crate::__catalog_entry as catalog_entry;
pub use crate::catalog::CatalogEntry;
pub use crate::stage::{
    CountProbe, ErrorProbe, Probe, is_large, open, open_bare, open_deferred, record, record_cost, record_count, run,
    start_fields,
};
pub use crate::value::{Field, FieldBuffer};
pub use crate::{FieldDescriptor, Level, StageDescriptor, StageKind};
#[cfg(feature = "anyhow")]
pub use anyhow::Error as AnyhowError;

/// Lets a body's type be known before it is inferred. It is never called.
#[expect(clippy::unreachable, reason = "generated code names it behind `if false`")]
pub fn expected<T>() -> T {
    unreachable!("generated code never gets here")
}

/// `Box::pin`, by a name that nobody shadows.
pub fn boxed<F>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}
