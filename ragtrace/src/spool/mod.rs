//! Keeps on disk the batches that a sink does not take now, and the records that it never will.
//!
//! It promises:
//!
//! - The disk has a thread of its own. Neither the application nor the worker ever waits for it.
//! - A stored batch keeps its id and its records until it is delivered. If it is split, the parts
//!   are on disk before one of them is sent, so a crash between them repeats nothing.
//! - What does not fit the limits is dropped, the oldest or the newest as set, and counted.
//! - A disk that is full, a folder that cannot be written and a damaged file cost what they hold
//!   and no more: the process goes on in memory and says so on stderr. A file that is removed under
//!   the process is noticed, what it held counts as dropped, and a new one begins.
//! - A process that ends at any moment leaves a file that the next one reads.
//!
//! It does not promise: an order between batches, and that a batch arrives once at a sink that
//! keeps no ledger.
//!
//! # The folder
//!
//! ```text
//! slot-0/lock                  locked for as long as its process lives
//! slot-0/spool.redb            the batches of that process
//! slot-0/spool.redb.new        the same while it is made, or written anew by a purge
//! slot-0/spool.redb.corrupt-…  a file that could not be read, set aside
//! slot-1/…                     another process with the same folder
//! dead-letters.jsonl           records that a sink refused for good, a line each
//! dead-letters.jsonl.new       the same while it is written anew
//! dead-letters.lock            locked while a line is written, or while the lines are replayed
//! ```
//!
//! Processes may share a folder: each takes the first slot that nobody has locked. What other slots
//! without a process hold is moved to it at its start, so what a process left behind is delivered
//! by the next one, once.
//!
//! # The format
//!
//! `spool.redb` is a `redb` database with four tables: `meta` (`version` is 1), `batches` (by sink
//! and sequence number: id, records, bytes, time of storing), `chunks` (by sequence number and
//! position: the bytes) and `undecided` (by trace and row: what the sampler holds). The bytes of a
//! batch are a line of JSON with its id and its counts, and the canonical JSON of each record, a
//! line each. A file of another version is set aside like a damaged one. A dead letter is a line of
//! JSON with `at`, `sink`, `reason` and `record`.
//!
//! # The files
//!
//! Ground first: `codec` (a batch as bytes), `replace` (a file for another), `database` (the file
//! of a slot), `slot`, `index` and `undecided` (what the file holds, in memory), `protocol` (what
//! the worker asks and is answered), `group_commit`; then the thread's work: `store` (its state),
//! `recover` (opening), `execute` (the commands) and `thread` (the loop). `dead_letter`, `replay`
//! and `purge` are for other programs, too.

mod codec;
mod database;
mod dead_letter;
mod execute;
mod group_commit;
mod index;
mod limits;
mod protocol;
mod purge;
mod recover;
mod replace;
mod replay;
mod slot;
mod store;
mod thread;
mod undecided;

#[cfg(fuzzing)]
pub(crate) use codec::rewrite_batch;
#[cfg(fuzzing)]
pub(crate) use dead_letter::rewrite_dead_letter;
pub use dead_letter::{DeadLetter, DeadLetters};
pub use limits::{Durability, SpoolLimits, WhenFull};
pub(crate) use protocol::{KeptBatch, SpoolCommand, SpoolConfig, SpoolEvent, SpoolHandle, StoredBatch, StoredKey};
pub use purge::{PurgedSpool, purge};
pub use replay::ReplayReport;
pub(crate) use thread::start;
