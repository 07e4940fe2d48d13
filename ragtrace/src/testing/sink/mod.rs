//! Tests a sink against everything that a pipeline may give it.
//!
//! The test promises that the sink is called as a pipeline calls it, on a thread with a runtime
//! like the pipeline's, and that it gets batches of every kind: an empty one, one of each event,
//! texts with awkward characters, records with all parts and with hardly any, extreme numbers and
//! times, metrics without records, the largest batch that the sink allows, several batches at the
//! same time, and one batch twice. Every record has to arrive. The report lists the checks and
//! describes everything that is wrong.
//!
//! It does not promise that the contents of the records are right in the backend, which only the
//! author of the sink can check.
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//!
//! use ragtrace::sink::{Batch, Delivered, SinkError};
//! use ragtrace::testing::sink::SinkTest;
//! use ragtrace::uuid::Uuid;
//! use ragtrace::{Record, Sink};
//!
//! /// Keeps records by the id of their batch, so that a repeated batch adds nothing.
//! #[derive(Default)]
//! struct InMemory(Mutex<HashMap<Uuid, Vec<Record>>>);
//!
//! impl InMemory {
//!     fn records(&self) -> usize {
//!         self.0.lock().unwrap().values().map(Vec::len).sum()
//!     }
//! }
//!
//! impl Sink for InMemory {
//!     fn name(&self) -> &str {
//!         "in_memory"
//!     }
//!
//!     async fn deliver(&self, batch: &Batch) -> Result<Delivered, SinkError> {
//!         self.0.lock().unwrap().insert(batch.id(), batch.records().to_vec());
//!         Ok(Delivered::all())
//!     }
//! }
//!
//! let sink = Arc::new(InMemory::default());
//! let counted = Arc::clone(&sink);
//! SinkTest::new(sink).exactly_once(async move || counted.records()).run_sync().assert_passed();
//! ```

mod attempt;
mod batches;
mod checks;
mod report;
mod sink_test;

pub use report::SinkReport;
pub use sink_test::SinkTest;
