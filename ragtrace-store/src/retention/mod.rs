//! What a store forgets: retention by age, and the erasure of a person.
//!
//! **Traces are kept or dropped whole.** A trace belongs to the day of its first record. When that
//! day is old enough the trace is decided on: it moves to the archive if any record in it is an
//! error or if its id falls in the sample, and goes otherwise, with what it wrote past midnight.
//! The verdict is written down, and a late record follows it. A trace is moved or removed in one
//! transaction, or vanishes with the partition of its day; a reader, who looks in both tables, sees
//! it whole, or not. In a SQLite file one of more than a megabyte takes several transactions, so
//! that none keeps a writer waiting or makes SQLite's log long: while it moves it is read whole all
//! the same, and while it goes, less and less of it is there.
//!
//! **Scores follow their trace.** They go when it goes, from `logs` or from the archive, and one
//! that comes later goes with the next job. Those of a trace that was never here, as one that was
//! left out by sampling, stay for as long as the archive keeps a trace.
//!
//! **A job that is stopped goes on where it was.** Every step is small, says when it is done, and
//! does no harm when it is done again. Over PostgreSQL one job runs at a time; others find it
//! running and leave.
//!
//! **A sink may run it** beside its deliveries, if it is asked to: as a task of its own over a
//! connection of its own, an hour apart, started by a delivery that does not wait for it.
//!
//! **What it does not do:** it does not look at who wrote a record.
//!
//! The rules are here. What carries them out is in each database's `retain` and `purge`, and
//! [`retain`](crate::retain) and [`purge`](crate::purge) run that for a store by its URL.

mod background;
mod purge;
mod rules;

pub(crate) use background::BackgroundRetention;
pub use purge::{Purge, PurgeReport};
pub use rules::{Retention, RetentionReport};
