//! Retention by age, and the erasure of a user's data.
//!
//! **Traces are kept or dropped whole.** A trace belongs to the day of its first record. Once that
//! day is old enough, the trace is decided on: it moves to the archive if any of its records is an
//! error or if its id falls into the sample; otherwise it is removed, including what it wrote after
//! midnight. The decision is stored, and also applies to records that arrive later.
//!
//! A trace is moved or removed in one transaction, or vanishes with the partition of its day. A
//! reader looks into both tables, so it sees the trace whole or not at all. The exception is a
//! trace of more than a megabyte in a SQLite file. It takes several transactions, so that none of
//! them keeps a writer waiting or makes SQLite's log long. While it moves, it is still read whole;
//! while it is being removed, readers see fewer and fewer of its rows.
//!
//! **Scores follow their trace.** They are removed when the trace is removed, from `logs` or from
//! the archive. A score that arrives later is removed by the next job. Scores of a trace that was
//! never stored, such as one excluded by sampling, stay for as long as the archive keeps a trace.
//!
//! **A stopped job continues where it stopped.** Every step is small, reports when it is done, and
//! does no harm when repeated. On PostgreSQL one job runs at a time; a second one ends when it
//! finds the first running.
//!
//! **A sink may run retention** beside its deliveries, if enabled: on a task and a connection of
//! its own, at most once an hour, started by a delivery that does not wait for it.
//!
//! **What this does not do:** retention applies the same rules to the records of all programs that
//! write to a store.
//!
//! The rules are defined here. Each database's `retain` and `purge` modules carry them out, and
//! [`retain`](crate::retain) and [`purge`](crate::purge) call those for a store by its URL.

mod background;
mod purge;
mod rules;

pub(crate) use background::BackgroundRetention;
pub(crate) use purge::AuditLine;
pub use purge::{Purge, PurgeReport};
pub use rules::{Retention, RetentionReport};
