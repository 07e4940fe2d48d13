//! Connecting: where to, and the settings of a session.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};

use super::fault::{malformed_url, while_connecting, while_writing};
use super::{days, schema};
use crate::fault::{Cause, Fault};

/// How long a server may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A database, and the schema in it.
#[derive(Clone)]
pub(crate) struct PgLocation {
    url: String,
    schema: String,
}

impl std::fmt::Debug for PgLocation {
    /// Without the URL, which may have a password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PgLocation").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// The use of a session, which its settings go by.
#[derive(Clone, Copy)]
pub(super) enum Session {
    Writing,
    Reading,
}

impl PgLocation {
    fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), schema: "ragtrace".to_owned() }
    }

    /// Returns the place that a URL alone names: the parameter `schema`, which is ours, may say
    /// which schema.
    pub(crate) fn from_url(url: &str) -> Self {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
        let (ours, others): (Vec<&str>, Vec<&str>) = parameters.partition(|parameter| parameter.starts_with("schema="));
        let location =
            Self::new(if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) });
        match ours.last() {
            Some(schema) => location.schema(&schema["schema=".len()..]),
            None => location,
        }
    }

    pub(super) fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Returns the settings of a session. Statements are not logged: sqlx would log them through
    /// the very subscriber whose records are on their way here.
    pub(super) fn options(&self, session: Session) -> Result<PgConnectOptions, Fault> {
        let options: PgConnectOptions = self.url.parse().map_err(malformed_url)?;
        let search_path = schema::quoted(&self.schema);
        // A server that has lost its client or waits for a lock must not do so for ever.
        let settings = match session {
            Session::Writing => {
                [("statement_timeout", "30s"), ("lock_timeout", "10s"), ("idle_in_transaction_session_timeout", "60s")]
            }
            Session::Reading => {
                [("statement_timeout", "30s"), ("lock_timeout", "5s"), ("default_transaction_read_only", "on")]
            }
        };
        // Compiling a statement takes longer than any of ours does.
        let always = [
            ("search_path", search_path.as_str()),
            ("TimeZone", "UTC"),
            ("application_name", "ragtrace"),
            ("jit", "off"),
        ];
        Ok(options.options(always.into_iter().chain(settings)).disable_statement_logging())
    }

    /// Connects to tables of this version, which are made or brought up to it if need be.
    pub(super) async fn connect(&self) -> Result<PgConnection, Fault> {
        let options = self.options(Session::Writing)?;
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await;
        let connected = connecting.map_err(|_| Fault::new(Cause::Transient, "PostgreSQL does not let us in"))?;
        let mut connection = connected.map_err(while_connecting)?;
        schema::prepare(&mut connection, &self.schema).await?;
        Ok(connection)
    }

    /// Connects for a job whose statements may take their time: it is alone, and some of them read
    /// a whole day.
    pub(super) async fn connect_to_tidy(&self) -> Result<PgConnection, Fault> {
        let mut connection = self.connect().await?;
        sqlx::query("SET statement_timeout = 0").execute(&mut connection).await.map_err(while_writing)?;
        Ok(connection)
    }

    pub(super) fn schema_name(&self) -> &str {
        &self.schema
    }
}

/// Brings the tables at a place up to this version.
pub(crate) async fn migrate(location: &PgLocation) -> Result<(), Fault> {
    let mut connection = location.connect().await?;
    // The first days too, so that a role without the right to create can write.
    for day in days::coming() {
        schema::make_day(&mut connection, day).await.map_err(while_writing)?;
    }
    let _ = connection.close().await;
    Ok(())
}
