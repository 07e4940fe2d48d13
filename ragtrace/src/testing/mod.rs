//! Assertions on the records of stages (feature `testing`).
//!
//! A capture collects only the records of the task that makes it, so tests can run in parallel,
//! with telemetry installed or not:
//!
//! ```
//! use ragtrace::{testing, traced_stage};
//!
//! #[traced_stage(kind = chunk, fields(max), ok(|chunks| longest = chunks.iter().map(String::len).max()))]
//! async fn chunk(text: &str, max: usize) -> Vec<String> {
//!     text.as_bytes().chunks(max).map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect()
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let (chunks, captured) = testing::capture(chunk("some text", 4)).await;
//! let completed = captured.stage("chunk").completed();
//! assert_eq!(completed.one().count(), Some(chunks.len() as u64));
//! assert_eq!(completed.one().metric("longest"), Some(4.0));
//! assert!(captured.stage("chunk").failed().is_empty());
//! # });
//! ```
//!
//! A view of a stage that does not exist fails the test, and the message suggests the nearest
//! names. [`View::within`] asserts that runs are nested, and [`Capture::clock`] makes the records
//! the same in every run. For tests of a sink there are [`RecordBuilder`], which makes records by
//! hand, and the module `sink` (with the feature `pipeline`), which tests a sink with every kind of
//! batch.
//!
//! Tasks that the code under test starts are captured if they carry the context: with
//! [`crate::spawn`] or [`crate::InContext::in_current_context`]. Records that they make after the
//! capture has ended are not part of it.

mod capture;
mod captured;
mod names;
#[cfg(feature = "pipeline")]
pub mod sink;
mod tree;
mod view;

pub use capture::{Capture, capture, capture_sync};
pub use captured::Captured;
#[doc(inline)]
pub use ragtrace_core::capture::ManualClock;
pub use view::View;

pub use crate::record::RecordBuilder;
