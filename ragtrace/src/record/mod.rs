//! A record: what a stage leaves behind at its start and at its end, and an application's own log
//! line.
//!
//! It promises: a record never changes once the worker has made it, and is a cheap clone:
//! every sink shares one copy, in a [`chunk`] with those that were made at the same time. Its
//! canonical JSON ([`Record::to_json`]) is the form that spools, dead letters, tests and the
//! console use, and reads back as an equal record; sinks with a format of their own read the
//! accessors.
//!
//! It does not promise: that few records hold little memory. A chunk goes when the last of its
//! records does, so whoever keeps few of many for long keeps copies ([`Record::detached`]).
//!
//! Ground first: `origin`, `ids`, `fields` (where fields are, and their sizes), `item`, `path` and
//! `score` (what only some records have), `parts` (what a record has for itself), `chunk`; then
//! `accessors` (the public [`Record`]), `levels` and `filter` (which of them somebody takes),
//! `record_mut`, `limits` and `chunk_builder` (how records are made and changed before they are
//! shared), `log_line` and `score_line` (records of entries that are no stage's), `record_builder`
//! (records by hand, for tests); then the canonical JSON: `sections`, `fragments`, `encode` and
//! `decode`; and `visit`, which reads fields where they lie.

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
