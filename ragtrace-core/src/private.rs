//! Items that generated code calls. Not a public API: they change without notice.

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

/// Tells type inference what type a body returns. Never called.
#[expect(clippy::unreachable, reason = "generated code calls it only behind `if false`")]
pub fn expected<T>() -> T {
    unreachable!("generated code never gets here")
}

/// Calls `Box::pin` under a name that user code cannot shadow.
pub fn boxed<F>(future: F) -> Pin<Box<F>> {
    Box::pin(future)
}
