//! A SQLite file: records into it and back.
//!
//! **Exactly once.** A batch's id goes into a ledger in the transaction that writes its rows, so a
//! batch that is delivered again (its answer was lost, the process restarted) is acknowledged and
//! writes nothing. A record keeps its id over every retry and makes one row, whichever batch it
//! comes in.
//!
//! **Several processes may share a file**, on one machine. The file is in WAL mode: readers never
//! wait for the writer, nor the writer for them; writers take turns of a few milliseconds.
//! Networked file systems have no shared memory for that and are not supported
//! (<https://www.sqlite.org/wal.html>, section 1).
//!
//! **Readers leave nothing behind.** They make no file and delete none, so they lock nobody out,
//! and read where they may not write.
//!
//! **What was acknowledged stays** when the file is moved away, replaced or its log deleted while
//! it is written: it is moved out of the log, into the file wherever that is.
//!
//! **What it does not do:** it never retries by itself and keeps no queue. What stands in the way
//! becomes a verdict for the pipeline: busy, a full disk and I/O errors pass, so `retry`; what
//! somebody has to mend (a folder that is missing or not writable, a file that is not a database,
//! is damaged or belongs to a newer version) parks the sink by `park`, and the next probe opens the
//! file anew; data that SQLite refuses is `rejected`.

mod connect;
mod erase;
mod expire;
mod fault;
mod files;
#[cfg(test)]
mod growth;
mod leftovers;
mod purge;
mod read;
mod reader_vfs;
mod retain;
mod rotation;
mod schema;
mod sink;
mod steps;
mod write;
mod write_scores;

pub use connect::Synchronous;
pub(crate) use connect::migrate;
pub(crate) use purge::purge;
pub(crate) use read::{PATIENCE, SqliteFile};
pub(crate) use retain::retain;
pub use sink::SqliteSink;
