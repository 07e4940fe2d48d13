//! A retrieval-augmented generation pipeline to trace: it reads documents, cuts them into chunks,
//! embeds and stores these, and answers questions from them. Nothing here needs a network.
//!
//! The stages are in [`ingest`] and [`ask`], the only modules with `#[traced_stage]`. Everything
//! else is the work they do. The programs `ingest.rs` and `ask.rs` beside this folder run them.

pub mod answer;
pub mod ask;
pub mod changes;
pub mod chunk;
pub mod discover;
pub mod document;
pub mod embed;
pub mod enrich;
pub mod evaluation;
pub mod format;
pub mod gone;
pub mod ingest;
pub mod interrupt;
pub mod normalize;
pub mod options;
pub mod parse;
pub mod progress;
pub mod question;
pub mod report;
pub mod rerank;
pub mod source;
pub mod sources;
pub mod stage_logs;
pub mod stdin;
pub mod stop_words;
pub mod store;
pub mod terms;
pub mod words;

mod blocking;
mod vector_extension;

pub use ask::{AskError, Library, Part, question};
pub use ingest::{IngestError, Ingestion, document_ingestion, ingestion};
pub use source::Source;

/// The code of the guide's pages is compiled as a test.
#[cfg(all(doctest, feature = "otlp"))]
#[doc = include_str!("../../docs/otlp.md")]
struct Otlp;

/// The code of the guide's pages is compiled as a test.
#[cfg(all(doctest, feature = "langsmith"))]
#[doc = include_str!("../../docs/langsmith.md")]
struct LangSmith;

/// The code of the guide's pages is compiled as a test.
#[cfg(all(doctest, feature = "datadog"))]
#[doc = include_str!("../../docs/datadog.md")]
struct Datadog;
