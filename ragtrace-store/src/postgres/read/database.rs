//! A database that is open for reading.

use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::error::StoreError;
use crate::postgres::connect::{PgLocation, Session};
use crate::postgres::fault::{no_tables, while_opening};
use crate::postgres::schema;

/// Readers at once.
const CONNECTIONS: u32 = 4;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(crate) struct PostgresStore {
    /// For searches, which are planned for the parameters they get.
    pub(super) pool: PgPool,
    /// For what always goes the same way, and is planned once: planning over many days takes longer
    /// than finding a trace.
    pub(super) lookups: PgPool,
}

impl PostgresStore {
    /// Opens the database for reading. Nothing is made there, and nothing written.
    pub(crate) async fn open(location: &PgLocation) -> Result<Self, StoreError> {
        let options = location.options(Session::Reading)?;
        let pool = || PgPoolOptions::new().max_connections(CONNECTIONS).acquire_timeout(ACQUIRE_TIMEOUT);
        let lookups = pool().connect_lazy_with(options.clone().options([("plan_cache_mode", "force_generic_plan")]));
        let searches = options.options([("plan_cache_mode", "force_custom_plan")]);
        let pool = pool().connect_with(searches).await.map_err(while_opening)?;
        let schema = location.schema_name();
        match schema::applied(&pool).await.map_err(while_opening)? {
            Some(applied) => schema::check(schema, &applied)?,
            None => return Err(no_tables(&schema::subject(schema)).into()),
        }
        Ok(Self { pool, lookups })
    }
}
