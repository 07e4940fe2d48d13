//! Transactions, and the settings that each of them makes.
//!
//! **A server connection belongs to this program only from `BEGIN` to `COMMIT`.** A pooler such as
//! `PgBouncer` may stand between a program and its server. It lends a server connection for the
//! length of a transaction, ignores settings that were requested when the client connected, and
//! lends the connection to another client afterwards. So every statement is part of a transaction.
//! Everything a transaction needs, above all the schema, is set in the message that begins it, and
//! nothing is left behind: no settings, no locks, no names of statements.
//!
//! **Statements have no names** unless the URL asks for a cache of them
//! (`statement-cache-capacity`). If another program had given the same name to another statement on
//! the same server connection, that statement would run. The price is that each of the few
//! statements of a batch is parsed again, and each search is planned again. A trace is found by a
//! function of the schema (`rows_of_trace`), whose plan the server keeps without a name.

use std::future::Future;
use std::pin::Pin;

use futures_core::Stream;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgCopyIn, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{AssertSqlSafe, Describe, Either, Execute, Executor, SqlStr};

use super::identifier::quoted;

/// The purpose of a transaction, which decides its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Writing,
    /// A retention or purge job. Its statements have no time limit, since some read a whole day.
    Tidying,
    /// A search, which is planned for its actual parameters.
    Searching,
    /// A query that always has the same plan. It is planned once if the server keeps the plan,
    /// since planning over the partitions of many days takes longer than finding a trace.
    LookingUp,
}

/// The statements that begin a transaction in a schema.
#[derive(Clone, Debug)]
pub(super) struct Session {
    begin: String,
    cached: bool,
}

/// The role under which a transaction runs, if it is not the connection's own.
pub(super) type Role<'a> = Option<&'a str>;

impl Session {
    /// Returns the settings for transactions of one use in a schema. If `cached` is set, statements
    /// keep their names over transactions, which requires a server without a pooler.
    pub(super) fn new(schema: &str, of: Use, role: Role<'_>, cached: bool) -> Self {
        // A server that has lost its client, or waits for a lock, must not do so for ever.
        let mut settings = match of {
            Use::Writing => {
                vec![("statement_timeout", "30s"), ("lock_timeout", "10s")]
            }
            Use::Tidying => vec![("statement_timeout", "0"), ("lock_timeout", "10s")],
            Use::Searching | Use::LookingUp => vec![("statement_timeout", "30s"), ("lock_timeout", "5s")],
        };
        match of {
            Use::LookingUp => settings.push(("plan_cache_mode", "force_generic_plan")),
            Use::Searching => settings.push(("plan_cache_mode", "force_custom_plan")),
            _ => {}
        }
        settings.push(("idle_in_transaction_session_timeout", "60s"));
        settings.push(("TimeZone", "UTC"));
        settings.push(("DateStyle", "ISO, MDY"));
        // Just-in-time compilation takes longer than any of these statements.
        settings.push(("jit", "off"));
        let mode = match of {
            Use::Writing | Use::Tidying => "READ WRITE",
            Use::Searching | Use::LookingUp => "READ ONLY",
        };
        // A previous user of the connection may have left temporary tables. They would take
        // precedence if `pg_temp` were not named last.
        let mut begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED, {mode}; SET LOCAL search_path = {}, pg_temp",
            quoted(schema)
        );
        if let Some(role) = role {
            begin.extend(["; SET LOCAL ROLE ", &quoted(role)]);
        }
        for (name, value) in settings {
            begin.extend(["; SET LOCAL ", name, " = '", value, "'"]);
        }
        Self { begin, cached }
    }

    /// Begins a transaction, in one message with its settings.
    pub(super) async fn begin<'c>(&self, connection: &'c mut PgConnection) -> Result<PgTransaction<'c>, sqlx::Error> {
        connection.execute(AssertSqlSafe(self.begin.as_str().to_owned())).await?;
        Ok(PgTransaction { connection, cached: self.cached })
    }
}

/// A transaction. If it is neither committed nor rolled back, its connection stays in the middle of
/// it, and the owner of the connection has to close it.
#[derive(Debug)]
pub(super) struct PgTransaction<'c> {
    connection: &'c mut PgConnection,
    cached: bool,
}

impl PgTransaction<'_> {
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.connection.execute("COMMIT").await.map(drop)
    }

    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.connection.execute("ROLLBACK").await.map(drop)
    }

    /// Runs statements without parameters, which need no preparation.
    pub(super) async fn run(&mut self, sql: impl Into<String>) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(&mut *self.connection).await.map(drop)
    }

    pub(super) async fn copy_in(&mut self, statement: &str) -> Result<PgCopyIn<&mut PgConnection>, sqlx::Error> {
        self.connection.copy_in_raw(statement).await
    }

    fn named_if_cached<E>(&self, query: E) -> Unnamed<E> {
        Unnamed { query, cached: self.cached }
    }
}

type PinnedFuture<'e, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'e>>;
type PinnedRows<'e> = Pin<Box<dyn Stream<Item = Result<Either<PgQueryResult, PgRow>, sqlx::Error>> + Send + 'e>>;

impl<'c> Executor<'c> for &'c mut PgTransaction<'_> {
    type Database = Postgres;

    fn fetch_many<'e, 'q, E>(self, query: E) -> PinnedRows<'e>
    where
        'c: 'e,
        E: Execute<'q, Postgres>,
        'q: 'e,
        E: 'q,
    {
        let query = self.named_if_cached(query);
        self.connection.fetch_many(query)
    }

    fn fetch_optional<'e, 'q, E>(self, query: E) -> PinnedFuture<'e, Option<PgRow>>
    where
        'c: 'e,
        E: Execute<'q, Postgres>,
        'q: 'e,
        E: 'q,
    {
        let query = self.named_if_cached(query);
        self.connection.fetch_optional(query)
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> PinnedFuture<'e, PgStatement>
    where
        'c: 'e,
    {
        self.connection.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> PinnedFuture<'e, Describe<Postgres>>
    where
        'c: 'e,
    {
        self.connection.describe(sql)
    }
}

/// A statement that gets no name, unless statements may be cached.
struct Unnamed<E> {
    query: E,
    cached: bool,
}

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Unnamed<E> {
    fn sql(self) -> SqlStr {
        self.query.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.query.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.query.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.cached && self.query.persistent()
    }
}
