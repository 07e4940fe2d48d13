//! Writes records to PostgreSQL, version 14 or later, and reads them back.
//!
//! **Exactly once.** The transaction that writes a batch first enters the batch's id into a ledger.
//! A batch that is delivered again, because its answer was lost or the process restarted, is
//! acknowledged and writes nothing. A second delivery that begins while the first is still running
//! waits for it at the ledger. The same holds for the counts of a batch.
//!
//! **Nothing is cancelled half-way.** A batch is written by a task of its own, which continues if
//! the pipeline stops waiting. If a batch takes too long, its connection is dropped and never used
//! again; the ledger tells later whether the batch was written.
//!
//! **A pooler may stand in between**, in session or transaction mode: see `session`.
//!
//! **What this does not do:** it never retries by itself, and keeps no queue. `fault` turns an
//! error into a verdict by its SQLSTATE. A server that is down, full, busy or failing over is
//! temporary, so the verdict is `retry`; a wrong password or missing rights need an operator, so
//! the sink is parked with `park`; data that the server refuses is `rejected`.
//!
//! A table partitioned by day can have no key on the id alone. So a record that came in two
//! different batches of several records would make two rows; the pipeline never sends such batches.
//! A record that comes alone, as a replayed dead letter does, is looked up first.

mod clean;
mod connect;
mod days;
mod fault;
mod identifier;
mod location;
mod partitions;
mod pooler;
mod purge;
mod read;
mod retain;
mod schema;
mod session;
mod sink;
mod time;
mod write;

pub(crate) use connect::migrate;
pub(crate) use location::PgLocation;
pub(crate) use purge::purge;
pub(crate) use read::PostgresStore;
pub(crate) use retain::retain;
pub use sink::PostgresSink;
