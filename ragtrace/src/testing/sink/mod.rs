//! A test of a sink of your own, against what a pipeline may give it.
//!
//! It promises: the sink is asked what a pipeline asks, on a thread with a runtime like the
//! pipeline's, and gets batches of every sort: an empty one, each event, texts with every awkward
//! character, records with all parts and with hardly any, extreme numbers and times, counts alone,
//! the largest batch that it wants, several at once, and one for the second time. Every record has
//! to arrive. The report says what was tried, and what is wrong in words.
//!
//! It does not promise: that the records are right where they arrived, which only the sink's
//! author can read.
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
//! /// Keeps records by the id of their batch, so that one that comes again adds nothing.
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
