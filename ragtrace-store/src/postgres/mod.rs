//! PostgreSQL, 14 or later: records into it and back.
//!
//! **Exactly once.** A batch's id goes into a ledger in the transaction that writes its rows, first
//! of all: a batch that is delivered again, because its answer was lost or the process restarted,
//! is acknowledged and writes nothing. A second delivery while the first still runs waits for it at
//! the ledger. What a batch counted goes the same way.
//!
//! **Nothing is cancelled half-way.** A batch is written by a task of its own, which goes on when
//! the pipeline stops waiting. One that takes too long is given up together with its connection,
//! never to be used again; whether it was written, the ledger knows.
//!
//! **A pooler may stand between**, in session or transaction mode: see `session`.
//!
//! **What it does not do:** it never retries by itself and keeps no queue. What stands in the way
//! becomes a verdict by its SQLSTATE (`fault`): a server that is down, full, busy or failing over
//! passes, so `retry`; a wrong password or missing rights park the sink by `park`; data that the
//! server refuses is `rejected`. Partitions by day can have no key on the id alone, so a record
//! that comes in two batches of many makes two rows, which no pipeline of ours does; one that comes
//! alone, as a dead letter does that is replayed, is looked for first.

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
