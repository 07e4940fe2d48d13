//! Records: what a stage leaves at its start and its end, and an application's own log lines.
//!
//! The module promises that a record never changes once the worker has made it, and that cloning
//! one is cheap: all sinks share one copy, in a [`chunk`] with records that were made at the same
//! time. The canonical JSON of a record ([`Record::to_json`]) is the form that the spool, dead
//! letters, tests and the console use, and parses back as an equal record. Sinks with a format of
//! their own use the accessors.
//!
//! It does not promise that a few records hold little memory. A chunk is freed with the last of its
//! records, so whoever keeps a few of many records for long should keep copies
//! ([`Record::detached`]).
//!
//! In order of dependency: `origin`, `ids`, `fields` (positions and sizes of a record's fields),
//! `item`, `path` and `score` (parts of some records only), `parts` (the parts of a record that it
//! does not share), `chunk`; then `accessors` (the public [`Record`]), `levels` and `filter` (the
//! records that a sink takes), `record_mut`, `limits` and `chunk_builder` (how records are made and
//! changed before they are shared), `log_line` and `score_line` (records of entries that no stage
//! made), `record_builder` (records made by hand, for tests); then the canonical JSON: `sections`,
//! `fragments`, `encode` and `decode`; and `visit`, which reads fields without decoding them.

mod accessors;
mod chunk;
mod chunk_builder;
mod decode;
mod encode;
mod fields;
mod filter;
mod fragments;
mod ids;
mod item;
mod levels;
mod limits;
mod log_line;
mod messages;
mod origin;
mod parts;
mod path;
#[cfg(feature = "testing")]
mod record_builder;
mod record_mut;
mod score;
mod score_line;
mod sections;
mod visit;

pub use accessors::Record;
pub(crate) use accessors::SELF_REPORT_LOGGER;
pub(crate) use chunk::ChunkPool;
pub(crate) use chunk_builder::{ChunkBuilder, EncodedRanges, SealedFields};
pub use decode::DecodeRecordError;
pub(crate) use decode::add_json;
pub(crate) use fields::{EncodedRange, FieldSizes, field_name};
pub(crate) use filter::RecordFilter;
pub(crate) use ids::RecordIds;
pub use item::RecordItem;
pub(crate) use levels::{LevelFilter, Levels};
pub use limits::RecordLimits;
#[cfg(feature = "testing")]
pub(crate) use limits::cut_items;
#[cfg(feature = "tracing")]
pub(crate) use limits::shortened;
pub(crate) use log_line::LoggedLine;
pub(crate) use messages::RESPONSE_SENT;
#[cfg(all(feature = "tracing", feature = "pipeline"))]
pub(crate) use messages::message_of;
pub use origin::Origin;
pub(crate) use parts::{Extras, OptionalU64, RecordFlags, RecordParts};
pub use path::PathStep;
#[cfg(feature = "testing")]
pub use record_builder::RecordBuilder;
pub(crate) use record_mut::RecordMut;
pub use score::RecordScore;
pub(crate) use score_line::JudgedRun;
pub use visit::FieldValue;
