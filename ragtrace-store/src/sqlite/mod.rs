//! Writes records to a SQLite file, and reads them back.
//!
//! **Exactly once.** The transaction that writes a batch also enters the batch's id into a ledger.
//! A batch that is delivered again, because its answer was lost or the process restarted, is
//! acknowledged and writes nothing. A record keeps its id over every retry and makes one row,
//! whichever batch it comes in.
//!
//! **Several processes may share a file** on one machine. The file is in WAL mode, so readers and
//! the writer never wait for each other, and writers take turns of a few milliseconds. Networked
//! file systems lack the shared memory for this and are not supported
//! (<https://www.sqlite.org/wal.html>, section 1).
//!
//! **Readers leave nothing behind.** They create and delete no files. So they lock nobody out, and
//! can read where they may not write.
//!
//! **Acknowledged records stay** when the file is moved away or replaced, or its log is deleted,
//! while it is being written. The sink moves them from the log into the file, wherever that is.
//!
//! **What this does not do:** it never retries by itself, and keeps no queue. An error becomes a
//! verdict for the pipeline. A lock, a full disk and I/O errors are temporary, so the verdict is
//! `retry`. A problem that somebody has to fix parks the sink with `park`, and the next probe opens
//! the file again: a folder that is missing or not writable, or a file that is not a database, is
//! damaged, or belongs to a newer version. Data that SQLite refuses is `rejected`.

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
