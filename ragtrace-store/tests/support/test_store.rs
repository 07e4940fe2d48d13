//! A store of either kind, for behaviour that both have in common.

use ragtrace::Record;
use ragtrace::Sink;
use ragtrace::sink::BoxSink;
use ragtrace_store::retention::Retention;
use ragtrace_store::{self as store, LogStore};
use ragtrace_store::{PostgresSink, SqliteSink};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;

#[cfg(unix)]
use crate::cluster::Cluster;
use crate::support::batch;

/// A test's own store, to write to and to read from.
pub(crate) struct TestStore {
    pub(crate) url: String,
    _folder: Option<TempDir>,
}

impl TestStore {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        Self { url: format!("sqlite:{}", folder.path().join("ragtrace.db").display()), _folder: Some(folder) }
    }

    #[cfg(unix)]
    pub(crate) fn postgres() -> Self {
        Self { url: Cluster::shared().database(), _folder: None }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    pub(crate) fn sink(&self) -> BoxSink {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => BoxSink::new(SqliteSink::new(path)),
            None => BoxSink::new(PostgresSink::new(&*self.url)),
        }
    }

    pub(crate) fn sink_with(&self, retention: Retention) -> BoxSink {
        match self.url.strip_prefix("sqlite:") {
            Some(path) => BoxSink::new(SqliteSink::new(path).retention(retention)),
            None => BoxSink::new(PostgresSink::new(&*self.url).retention(retention)),
        }
    }

    pub(crate) async fn store(&self) -> LogStore {
        store::open(&self.url).await.expect("opens")
    }

    /// Returns the store with these records in it, and without an open writer.
    pub(crate) async fn holding(&self, records: impl IntoIterator<Item = Record>) -> LogStore {
        let sink = self.sink();
        sink.deliver(&batch(records)).await.expect("a fresh store takes a batch");
        sink.close().await;
        self.store().await
    }

    /// Runs statements. Tables are named without their schema.
    pub(crate) async fn execute(&self, sql: &str) {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_sqlite() {
            let mut connection = SqliteConnection::connect(&self.url).await.expect("a database");
            sqlx::raw_sql(sql).execute(&mut connection).await.expect("the statement is good");
            return;
        }
        let url = format!("{}?options=-csearch_path%3Dragtrace", self.url);
        let mut connection = PgConnection::connect(&url).await.expect("a database");
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("the statement is good");
    }

    /// Returns the only integer that a statement selects. Tables are named without their schema.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        if self.is_sqlite() {
            let mut connection = SqliteConnection::connect(&self.url).await.expect("a database");
            return sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number");
        }
        let url = format!("{}?options=-csearch_path%3Dragtrace", self.url);
        let mut connection = PgConnection::connect(&url).await.expect("a database");
        sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("a number")
    }

    /// Takes the tables back to the second version. Rows stay, but for what only newer columns
    /// hold.
    pub(crate) async fn undo_third_migration(&self) {
        let mut undo = "DROP TABLE audit; DROP INDEX request_metrics_user; DROP INDEX request_metrics_session;
            DROP INDEX request_metrics_tenant; DELETE FROM ragtrace_migrations WHERE version = 3;"
            .to_owned();
        for table in ["logs", "logs_archive"] {
            for column in ["links", "used", "generated"] {
                undo.extend(["ALTER TABLE ", table, " DROP COLUMN ", column, ";"]);
            }
        }
        undo.push_str(if self.is_sqlite() {
            "DROP INDEX request_metrics_time; CREATE INDEX request_metrics_time ON request_metrics (timestamp)"
        } else {
            "DROP INDEX request_metrics_status; DROP INDEX request_metrics_duration; DROP INDEX logs_stage;
            DROP INDEX logs_archive_stage"
        });
        self.execute(&undo).await;
    }
}
