//! The spool: batches on disk that a sink does not accept now, and dead letters, which it never
//! will.
//!
//! The spool promises:
//!
//! - The disk is used by a thread of its own. Neither the application nor the worker ever waits for
//!   it.
//! - A stored batch keeps its id and its records until it is delivered. If it is split, the parts
//!   are on disk before one of them is sent, so a crash in between repeats nothing.
//! - Batches beyond the limits are dropped, the oldest or the newest as set, and counted.
//! - A full disk, a folder that is not writable, or a damaged file loses only the batches in it:
//!   the process continues in memory and says so on stderr. If a file is removed while the process
//!   runs, this is noticed, its records count as dropped, and a new file is created.
//! - A process that ends at any moment leaves a file that the next process can read.
//!
//! It does not promise an order between batches, nor delivery exactly once to a sink that does not
//! store the ids of its batches.
//!
//! # The folder
//!
//! ```text
//! slot-0/lock                  locked for as long as its process lives
//! slot-0/spool.redb            the batches of that process
//! slot-0/spool.redb.new        a new spool.redb that is being created, or rewritten by a purge
//! slot-0/spool.redb.corrupt-…  a file that could not be read, set aside
//! slot-0/account.json          what the process has on disk, for `survey` and people
//! slot-0/account.json.new      a new account.json that is being written
//! slot-1/…                     another process that uses the same folder
//! dead-letters.jsonl           records that a sink refused for good, one on each line
//! dead-letters.jsonl.new       a new dead-letters.jsonl that is being written
//! dead-letters.lock            locked while a line is written, or while the lines are replayed
//! ```
//!
//! Several processes may share a folder: each takes the first slot that is not locked. At its start
//! it takes over the contents of the slots whose process is gone, so batches that a process left
//! behind are delivered by the next one, once.
//!
//! # The format
//!
//! `spool.redb` is a `redb` database with four tables: `meta` (`version` is 1), `batches` (by sink
//! and sequence number: id, number of records, bytes, time of storing), `chunks` (by sequence
//! number and position: the bytes) and `undecided` (by trace and row: the records that the sampler
//! holds). The bytes of a batch are a line of JSON with its id and its metrics, and a line with the
//! canonical JSON of each record. A file of another version is set aside like a damaged one. A dead
//! letter is a line of JSON with `at`, `sink`, `reason` and `record`.
//!
//! `account.json` is a JSON object with `version` (1), `at`, `pid`, `host`, `started_at`, `sinks`
//! (for each `name`, `batches`, `records`, `bytes` and `oldest`), `undecided_traces` and `trouble`.
//! The spool's thread writes it at the start, about a second after a change, and at the end, since
//! nobody else can open the database while the process lives. It goes with the last batch of an
//! ended process.
//!
//! # The modules
//!
//! In order of dependency: `codec` (the encoding of a batch), `replace` (replacing a file),
//! `database` (the file of a slot), `slot`, `account`, `index` and `undecided` (the contents of the
//! file, in memory), `protocol` (the worker's commands and the events that answer them),
//! `group_commit`; then the work of the thread: `store` (its state), `recover` (opening), `execute`
//! (the commands), `keep_account` and `thread` (the loop). `dead_letter`, `replay`, `purge` and
//! `survey` are for other programs too.

mod account;
mod codec;
mod database;
mod dead_letter;
mod execute;
mod group_commit;
mod index;
mod keep_account;
mod limits;
mod protocol;
mod purge;
mod recover;
mod replace;
mod replay;
mod slot;
mod store;
mod survey;
mod thread;
mod undecided;

pub use account::{SlotAccount, SlotSink};
#[cfg(fuzzing)]
pub(crate) use codec::rewrite_batch;
#[cfg(fuzzing)]
pub(crate) use dead_letter::rewrite_dead_letter;
pub use dead_letter::{DeadLetter, DeadLetters};
pub use limits::{Durability, SpoolLimits, WhenFull};
pub(crate) use protocol::{KeptBatch, SpoolCommand, SpoolConfig, SpoolEvent, SpoolHandle, StoredBatch, StoredKey};
pub use purge::{PurgedSpool, purge};
pub use replay::ReplayReport;
pub use slot::FileSetAside;
pub use survey::{SpoolSlot, survey};
pub(crate) use thread::start;
