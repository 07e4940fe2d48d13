//! `ragtrace migrate`: creates or upgrades the tables before any record arrives.

use ragtrace_store as store;

use crate::output::{Failure, Found};

pub(crate) async fn run(url: &str) -> Result<Found, Failure> {
    store::migrate(url).await?;
    Ok(Found::Something)
}
