//! The rows that a batch adds to each table, in types that do not depend on the database. The
//! writers of all databases share them.

mod catalog;
mod counts;
mod floor;
mod instances;
mod millis;
#[cfg(feature = "sqlite")]
mod requests;
mod scores;
mod version;

pub(crate) use catalog::catalog;
#[cfg(feature = "sqlite")]
pub(crate) use counts::counts;
#[cfg(feature = "postgres")]
pub(crate) use counts::{Step, added_up};
pub(crate) use floor::floor;
pub(crate) use instances::InstanceRow;
pub(crate) use millis::millis;
#[cfg(feature = "sqlite")]
pub(crate) use requests::requests;
pub(crate) use scores::{NewScore, Refused, log_records, scores};
pub(crate) use version::check_version;
#[cfg(feature = "sqlite")]
pub(crate) use version::{made_before_the_first_release, made_by_a_newer_version};
