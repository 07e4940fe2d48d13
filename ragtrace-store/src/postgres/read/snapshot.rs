//! Runs reading statements over pooled connections. Each has a transaction of its own unless one is
//! begun for several.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres};
use sqlx::{Describe, Either, Execute, Executor, SqlStr};

use crate::postgres::session::{PgTransaction, Session};

/// A pool of connections for reading, and the settings with which their transactions begin.
#[derive(Clone, Debug)]
pub(crate) struct Snapshots {
    pool: PgPool,
    session: Session,
}

type PinnedFuture<'e, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'e>>;
type PinnedRows<'e> = Pin<Box<dyn Stream<Item = Result<Either<PgQueryResult, PgRow>, sqlx::Error>> + Send + 'e>>;

impl Snapshots {
    pub(super) fn new(pool: PgPool, session: Session) -> Self {
        Self { pool, session }
    }

    /// Takes a connection for one transaction.
    pub(super) async fn acquire(&self) -> Result<Unfinished, sqlx::Error> {
        Ok(Unfinished(Some(self.pool.acquire().await?)))
    }

    /// Begins a transaction for several statements, each of which sees what was committed when it
    /// began.
    pub(super) async fn begin<'c>(&self, connection: &'c mut Unfinished) -> Result<PgTransaction<'c>, sqlx::Error> {
        self.session.begin(connection.get()?).await
    }

    async fn read<'q>(&self, query: impl Execute<'q, Postgres> + 'q) -> Result<Vec<PgRow>, sqlx::Error> {
        let mut connection = self.acquire().await?;
        let mut transaction = self.begin(&mut connection).await?;
        let rows = transaction.fetch_all(query).await?;
        transaction.commit().await?;
        connection.finish();
        Ok(rows)
    }
}

/// A connection in the middle of a transaction. Dropped like that, it is closed and does not return
/// to its pool: a reader may stop waiting at any point, and an open transaction would keep deleted
/// rows from being cleaned up.
pub(super) struct Unfinished(Option<PoolConnection<Postgres>>);

impl Unfinished {
    fn get(&mut self) -> Result<&mut sqlx::PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Returns the connection to its pool after the end of its transaction.
    pub(super) fn finish(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl<'c> Executor<'c> for &'c Snapshots {
    type Database = Postgres;

    fn fetch_many<'e, 'q, E>(self, query: E) -> PinnedRows<'e>
    where
        'c: 'e,
        E: Execute<'q, Postgres>,
        'q: 'e,
        E: 'q,
    {
        Box::pin(Rows::Coming(Box::pin(self.read(query))))
    }

    fn fetch_optional<'e, 'q, E>(self, query: E) -> PinnedFuture<'e, Option<PgRow>>
    where
        'c: 'e,
        E: Execute<'q, Postgres>,
        'q: 'e,
        E: 'q,
    {
        Box::pin(async move { Ok(self.read(query).await?.into_iter().next()) })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> PinnedFuture<'e, PgStatement>
    where
        'c: 'e,
    {
        self.pool.prepare_with(sql, parameters)
    }

    fn describe<'e>(self, sql: SqlStr) -> PinnedFuture<'e, Describe<Postgres>>
    where
        'c: 'e,
    {
        self.pool.describe(sql)
    }
}

/// The rows of a statement. All of them are fetched before the first one is yielded.
enum Rows<'e> {
    Coming(PinnedFuture<'e, Vec<PgRow>>),
    There(std::vec::IntoIter<PgRow>),
}

impl Stream for Rows<'_> {
    type Item = Result<Either<PgQueryResult, PgRow>, sqlx::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut *self {
                Self::There(rows) => return Poll::Ready(rows.next().map(|row| Ok(Either::Right(row)))),
                Self::Coming(rows) => match rows.as_mut().poll(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(rows)) => *self = Self::There(rows.into_iter()),
                    Poll::Ready(Err(error)) => {
                        *self = Self::There(Vec::new().into_iter());
                        return Poll::Ready(Some(Err(error)));
                    }
                },
            }
        }
    }
}
