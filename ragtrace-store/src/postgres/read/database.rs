//! A database that is open for reading.

use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::snapshot::Snapshots;
use crate::error::StoreError;
use crate::postgres::fault::{no_tables, unlimited, while_opening};
use crate::postgres::location::PgLocation;
use crate::postgres::schema;
use crate::postgres::session::Use;

/// The largest number of connections per pool.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest time spent on finding out why a pool could not connect.
const REASON_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
pub(crate) struct PostgresStore {
    /// Connections for searches.
    pub(super) pool: Snapshots,
    /// Connections for queries that always have the same plan.
    pub(super) lookups: Snapshots,
}

impl PostgresStore {
    /// Opens the database for reading. Nothing is created or written there.
    pub(crate) async fn open(location: &PgLocation) -> Result<Self, StoreError> {
        let options = location.options()?;
        let pool = || PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let lookups = pool().connect_lazy_with(options.clone());
        let searches = match pool().connect_with(options.clone()).await {
            Ok(searches) => searches,
            Err(error) => return Err(while_opening(reason(&options, error).await).into()),
        };
        let pool = Snapshots::new(searches, location.session(Use::Searching)?);
        let lookups = Snapshots::new(lookups, location.session(Use::LookingUp)?);
        let schema = location.schema_name()?;
        match schema::applied(&pool, &schema).await.map_err(while_opening)? {
            Some(applied) => schema::check(&schema, &applied)?,
            None => return Err(no_tables(&schema::subject(&schema)).into()),
        }
        if let Some(role) = location.role_name() {
            // A role that owns the tables, or is above the policies, would see every tenant's rows.
            let is_limited = sqlx::query_scalar("SELECT row_security_active('logs')").fetch_one(&pool).await;
            if !is_limited.map_err(while_opening)? {
                return Err(unlimited(role).into());
            }
        }
        Ok(Self { pool, lookups })
    }
}

/// Returns the reason why no connection could be made. A pool tries again when a connection is
/// refused, and in the end reports only that it timed out.
async fn reason(options: &PgConnectOptions, error: sqlx::Error) -> sqlx::Error {
    if !matches!(error, sqlx::Error::PoolTimedOut) {
        return error;
    }
    match tokio::time::timeout(REASON_TIMEOUT, options.connect()).await {
        Ok(Err(reason)) => reason,
        _ => error,
    }
}
