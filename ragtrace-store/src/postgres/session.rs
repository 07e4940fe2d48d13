//! Transactions, and what is set in them.
//!
//! **A server connection is ours from `BEGIN` to `COMMIT`, and no longer.** Between a program and
//! its server there may be a pooler, such as `PgBouncer`, that lends a connection of the server's
//! for the length of a transaction, drops what was asked for when the connection was made, and
//! lends it to somebody else afterwards. So every statement is part of a transaction; what a
//! transaction needs, the schema above all, is set in it, in the message that begins it; and
//! nothing is left behind: no settings, no locks, no names of statements.
//!
//! **Statements have no names** unless the URL asks for a cache of them
//! (`statement-cache-capacity`). A name that another program gave to another statement on the same
//! connection of the server would run that one. The price is a parse and an answer more for each of
//! the few statements of a batch, and a plan for each search. A trace is found by a function of the
//! schema's (`rows_of_trace`), whose plan the server keeps without a name.

use std::future::Future;
use std::pin::Pin;

use futures_core::Stream;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgConnection, PgCopyIn, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{AssertSqlSafe, Describe, Either, Execute, Executor, SqlStr};

use super::identifier::quoted;

/// The use of a transaction, which its settings go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Writing,
    /// A job whose statements may take their time: it is alone, and some of them read a whole day.
    Tidying,
    /// Searches, which are planned for the parameters they get.
    Searching,
    /// What always goes the same way, and is planned once where the server keeps the plan: planning
    /// over many days takes longer than finding a trace.
    LookingUp,
}

/// How transactions in a schema begin.
#[derive(Clone, Debug)]
pub(super) struct Session {
    begin: String,
    cached: bool,
}

impl Session {
    /// Sets what transactions in a schema need for a use. With `cached` statements keep their names
    /// over transactions, which takes a server without a pooler.
    pub(super) fn new(schema: &str, of: Use, cached: bool) -> Self {
        // A server that has lost its client or waits for a lock must not do so for ever.
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
        // Compiling a statement takes longer than any of ours does.
        settings.push(("jit", "off"));
        let mode = match of {
            Use::Writing | Use::Tidying => "READ WRITE",
            Use::Searching | Use::LookingUp => "READ ONLY",
        };
        // Whoever had the connection before may have left temporary tables there, which would come
        // first if they were not named last.
        let mut begin = format!(
            "BEGIN ISOLATION LEVEL READ COMMITTED, {mode}; SET LOCAL search_path = {}, pg_temp",
            quoted(schema)
        );
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

/// A transaction. One that is neither committed nor rolled back leaves its connection in the middle
/// of it, so whoever lent that closes it.
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

/// A statement that is given no name, unless it may be kept.
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
