//! Connecting: the settings of a session, and the tables it needs.

use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};

use super::fault::{Cause, Fault, has_sqlstate};

/// The tables, from the first version on.
pub(crate) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a server may take to let us in.
const CONNECTING: Duration = Duration::from_secs(5);

/// Which database, and where in it.
#[derive(Clone)]
pub(crate) struct Target {
    url: String,
    schema: String,
}

impl std::fmt::Debug for Target {
    /// Without the URL, which may have a password in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Target").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// What a session is for.
#[derive(Clone, Copy)]
pub(crate) enum Session {
    Writing,
    Reading,
}

impl Target {
    pub(crate) fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), schema: "ragtrace".to_owned() }
    }

    /// A place as a URL alone names it: the parameter `schema`, which is ours, may say which schema.
    pub(crate) fn from_url(url: &str) -> Self {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
        let (ours, others): (Vec<&str>, Vec<&str>) = parameters.partition(|parameter| parameter.starts_with("schema="));
        let target =
            Self::new(if others.is_empty() { base.to_owned() } else { format!("{base}?{}", others.join("&")) });
        match ours.last() {
            Some(schema) => target.schema(&schema["schema=".len()..]),
            None => target,
        }
    }

    pub(crate) fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// The settings of a session. Statements are not logged: sqlx would log them through the very subscriber whose
    /// records are on their way here.
    pub(crate) fn options(&self, session: Session) -> Result<PgConnectOptions, Fault> {
        let options: PgConnectOptions = self.url.parse().map_err(|error: sqlx::Error| {
            Fault::new(Cause::Operator, format!("the URL of the database is malformed ({error})"))
        })?;
        let search_path = format!("\"{}\"", self.schema.replace('"', "\"\""));
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

    /// A connection to tables of this version, made or brought up to it if need be.
    pub(crate) async fn connect(&self) -> Result<PgConnection, Fault> {
        let options = self.options(Session::Writing)?;
        let connecting = tokio::time::timeout(CONNECTING, options.connect()).await;
        let connected = connecting.map_err(|_| Fault::new(Cause::Passing, "PostgreSQL does not let us in"))?;
        let mut connection = connected.map_err(|error| Fault::while_connecting(&error))?;
        self.prepare(&mut connection).await?;
        Ok(connection)
    }

    async fn prepare(&self, connection: &mut PgConnection) -> Result<(), Fault> {
        let current = MIGRATIONS.iter().map(|migration| migration.version).max();
        if version(connection).await? == current {
            return Ok(());
        }
        // Asked first, since creating what is there already needs the right to create all the same.
        let is_there = sqlx::query_scalar::<_, bool>("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)")
            .bind(&self.schema)
            .fetch_one(&mut *connection)
            .await?;
        if !is_there {
            let create = format!("CREATE SCHEMA IF NOT EXISTS \"{}\"", self.schema.replace('"', "\"\""));
            let created = connection.execute(AssertSqlSafe(create)).await;
            // Two that create it at once may both find it missing.
            if let Err(error) = created
                && !has_sqlstate(&error, &["23505", "42P06"])
            {
                return Err(Fault::while_migrating(&error));
            }
        }
        // Under an advisory lock of sqlx's: the second of two processes that start at once finds the work done.
        let migrated = MIGRATIONS.run_direct(None, connection, false).await;
        migrated.map_err(|error| Fault::from_migration(&error))
    }
}

/// Which version the tables are, or `None` if there are none.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    // The table is sqlx's own, so it is not among those that statements are checked against.
    let version = sqlx::query_scalar("SELECT max(version) FROM ragtrace_migrations WHERE success");
    match version.fetch_one(connection).await {
        Err(error) if has_sqlstate(&error, &["42P01", "3F000"]) => Ok(None),
        found => found,
    }
}
