//! Connects to PostgreSQL.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions, Connection};

use super::fault::{while_connecting, while_writing};
use super::location::PgLocation;
use super::session::Use;
use super::{days, schema};
use crate::fault::{Cause, Fault};

/// The longest time that connecting and logging in may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

impl PgLocation {
    /// Connects, and creates or upgrades the tables if necessary.
    pub(super) async fn connect(&self) -> Result<PgConnection, Fault> {
        let (options, session) = (self.options()?, self.session(Use::Writing)?);
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
        let connected = connecting.map_err(|_| Fault::new(Cause::Transient, "PostgreSQL does not let us in"))?;
        let mut connection = connected.map_err(while_connecting)?;
        schema::prepare(&mut connection, &session, &self.schema_name()?).await?;
        Ok(connection)
    }
}

/// Creates or upgrades the tables at a location.
pub(crate) async fn migrate(location: &PgLocation) -> Result<(), Fault> {
    let mut connection = location.connect().await?;
    let session = location.session(Use::Writing)?;
    // The first partitions are made here too, so that a role that may not create tables can write.
    for day in days::coming() {
        schema::make_day(&mut connection, &session, day).await.map_err(while_writing)?;
    }
    let _ = connection.close().await;
    Ok(())
}
