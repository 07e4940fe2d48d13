//! Checks the plan of every statement: none reads a whole table if an index exists for it, and over
//! SQLite none builds an index of its own, or sorts what an index has in order.
//!
//! The statements are those that were checked when the crate was compiled (`.sqlx`), so new ones
//! are included automatically.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
#[cfg(unix)]
use sqlx::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::large::fill;
use crate::support::Make;
use crate::test_store::TestStore;

/// A part of a statement, a step of its plan that is allowed, and the reason.
const ALLOWED: [(&str, &str, &str); 22] = [
    ("FROM stages ORDER BY", "SCAN stages", "one row a stage of a program"),
    ("FROM instances WHERE", "SCAN instances", "one row a process"),
    ("SELECT instance FROM instances", "SCAN instances", "one row a process"),
    ("FROM store", "SCAN store", "one row"),
    ("FROM sqlite_sequence", "SCAN sqlite_sequence", "one row a table"),
    ("UNION SELECT trace_id FROM logs_archive WHERE user_id", "SCAN", "no index leads to a user's rows: once a purge"),
    ("UNION SELECT trace_id FROM logs_archive WHERE user_id", "USE TEMP B-TREE", "the traces of one user"),
    ("WHERE trace_id IS NULL AND user_id = ?1 ) AS \"logs", "SCAN", "no index leads to a user's rows: once a dry run"),
    ("GROUP BY trace_id, span_id", "USE TEMP B-TREE", "what began within a day and has no end"),
    ("FROM (SELECT * FROM logs UNION ALL SELECT * FROM logs_archive", "USE TEMP B-TREE", "10,000 rows at most"),
    ("SELECT * FROM logs WHERE number > ?1 AND number <= ?2", "USE TEMP B-TREE", "10,000 rows at most"),
    ("GROUP BY trace_id, span_id", "SCAN (subquery", "what began within a day"),
    ("FROM audit ORDER BY number DESC", "SCAN audit", "a few of the newest, in the order of the table"),
    ("INDEXED BY request_metrics_trace WHERE trace_id IN", "USE TEMP B-TREE", "5,000 traces at most"),
    ("json_each(?9) AS steps", "SCAN steps", "the steps that are given"),
    ("SELECT DISTINCT trace_id", "USE TEMP B-TREE FOR DISTINCT", "5,000 traces at most, or those of given ones"),
    ("json_each(context) AS field", "SCAN field", "the fields of one record"),
    ("FROM json_each(generated)", "SCAN json_each", "the items of one record"),
    ("GROUP BY 1, 2, 3, 4, 5", "USE TEMP B-TREE FOR GROUP BY", "the runs that ended in a window"),
    ("GROUP BY 1, 2, 3", "USE TEMP B-TREE FOR GROUP BY", "the runs with costs that ended in a window"),
    ("GROUP BY 1, 2", "USE TEMP B-TREE FOR GROUP BY", "the retrieving runs that ended in a window"),
    ("INDEXED BY scores_late", "SCAN scores USING COVERING INDEX scores_late", "those alone that came too late"),
];

/// Steps that always read everything: the given values, and rows that were selected already.
const GIVEN: [&str; 5] = ["SCAN json_each", "SCAN (subquery", "SCAN found", "SCAN first", "SCAN CONSTANT ROW"];

/// Returns the statements for one database, from the data of the compile-time checks.
fn statements(database: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(".sqlx");
    let mut statements = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the data of the checks") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("reads");
        let query: Json = serde_json::from_str(&text).expect("JSON");
        if query["db_name"] == database {
            statements.push(query["query"].as_str().expect("a statement").to_owned());
        }
    }
    statements
}

/// Returns the complaints about a plan.
fn complaints(statement: &str, steps: &[String]) -> Vec<String> {
    let words = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let allowed = |step: &str| {
        ALLOWED.iter().any(|(part, begins, _)| words.contains(part) && step.starts_with(begins))
            || GIVEN.iter().any(|given| step.starts_with(given))
    };
    let is_bad = |step: &&String| {
        let sorts = step.starts_with("USE TEMP B-TREE") && !step.contains(" FOR LAST ");
        (step.starts_with("SCAN") || sorts || step.contains("AUTOMATIC")) && !allowed(step)
    };
    steps.iter().filter(is_bad).map(|step| format!("{step}\n    in {words}")).collect()
}

async fn plan(connection: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = sqlx::query(explain).fetch_all(connection).await;
    steps.unwrap_or_else(|error| panic!("{error}: {statement}")).iter().map(|step| step.get("detail")).collect()
}

#[tokio::test]
async fn no_statement_over_sqlite_reads_a_table_from_end_to_end() {
    let place = TestStore::sqlite();
    fill(&place, 100_000, 1).await;
    // A small table would rightly be read as a whole.
    place.execute("INSERT INTO request_metrics SELECT NULL, timestamp, stage, 1, event, trace_id, user_id, tenant_id, NULL FROM logs").await;
    place.execute("INSERT INTO logs_archive SELECT * FROM logs").await;
    let mut connection = SqliteConnection::connect(&place.url).await.expect("a database");
    let statements = statements("SQLite");
    assert!(statements.len() > 40, "{} statements", statements.len());
    // Once without statistics, and once with those that `ANALYZE` collects.
    for analyzed in [false, true] {
        if analyzed {
            sqlx::query("ANALYZE").execute(&mut connection).await.expect("analyzed");
        }
        let mut bad = Vec::new();
        for statement in &statements {
            bad.extend(complaints(statement, &plan(&mut connection, statement).await));
        }
        assert!(bad.is_empty(), "analyzed: {analyzed}\n{}", bad.join("\n"));
    }
}

/// Returns the query inside of `rows_of_trace`, whose plan is not part of its callers' plans.
#[cfg(unix)]
async fn query_of_the_function_that_finds_a_trace(connection: &mut PgConnection) -> String {
    let source = sqlx::query_scalar("SELECT prosrc FROM pg_proc WHERE oid = 'rows_of_trace'::regproc");
    let source: String = source.fetch_one(connection).await.expect("it is there");
    let query = source.split_once("RETURN QUERY").and_then(|(_, rest)| rest.split_once(';')).expect("a query").0;
    let query = query.replace("trace_id = trace", "trace_id = $1").replace("LIMIT most", "LIMIT $2");
    assert_eq!(query.matches("$1").count(), 2, "{query}");
    query
}

/// With sequential scans disabled, PostgreSQL reads a whole table only if there is no index for it.
#[cfg(unix)]
#[tokio::test]
async fn no_statement_over_postgres_has_to_read_a_table_from_end_to_end() {
    let place = TestStore::postgres();
    place.holding([Make::new("log", "x", 1, 0).record()]).await;
    place.execute("SET search_path = ragtrace; ANALYZE").await;
    let url = format!("{}?options=-csearch_path%3Dragtrace", place.url);
    let mut connection = PgConnection::connect(&url).await.expect("a database");
    let settings = "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan";
    sqlx::raw_sql(settings).execute(&mut connection).await.expect("set");
    let mut statements = statements("PostgreSQL");
    assert!(statements.len() > 25, "{} statements", statements.len());
    statements.push(query_of_the_function_that_finds_a_trace(&mut connection).await);
    for statement in statements {
        let parameters = (1..100).take_while(|number| statement.contains(&format!("${number}"))).count();
        let nulls = vec!["NULL"; parameters].join(", ");
        let nulls = if parameters == 0 { String::new() } else { format!("({nulls})") };
        let prepare = AssertSqlSafe(format!("PREPARE looked_at AS {statement}"));
        sqlx::raw_sql(prepare).execute(&mut connection).await.unwrap_or_else(|error| panic!("{error}: {statement}"));
        let explain = AssertSqlSafe(format!("EXPLAIN (COSTS OFF) EXECUTE looked_at{nulls}"));
        let plan = sqlx::raw_sql(explain).fetch_all(&mut connection).await.expect("planned");
        let plan: Vec<String> = plan.iter().map(|step| step.get(0)).collect();
        sqlx::raw_sql("DEALLOCATE looked_at").execute(&mut connection).await.expect("forgotten");
        let reads_all = |step: &&String| {
            [
                "logs",
                "request_metrics",
                "scores",
                "stage_minutes",
                "stage_hours",
                "delivered_batches",
                "retention_decisions",
            ]
            .iter()
            .any(|table| step.contains(&format!("Seq Scan on {table}")))
        };
        let bad: Vec<&String> = plan.iter().filter(reads_all).collect();
        // There is no index on users, whose rows are looked for once per purge.
        let is_of_a_user = statement.contains("user_id = $1");
        assert!(bad.is_empty() || is_of_a_user, "{statement}\n{}", plan.join("\n"));
    }
}

#[tokio::test]
async fn a_plan_that_reads_a_table_or_sorts_it_is_found() {
    let place = TestStore::sqlite();
    place.holding([]).await;
    let mut connection = SqliteConnection::connect(&place.url).await.expect("a database");
    for bad in [
        "SELECT id FROM logs WHERE user_id = ?1",
        "DELETE FROM logs_archive WHERE user_id = ?1",
        "SELECT id FROM logs ORDER BY user_id",
        "SELECT id FROM logs INDEXED BY logs_time WHERE timestamp > ?1 ORDER BY id",
        "SELECT DISTINCT user_id FROM logs INDEXED BY logs_time WHERE timestamp > ?1",
        "SELECT a.id FROM logs AS a WHERE a.number > ?1
            AND EXISTS (SELECT 1 FROM logs_archive AS b WHERE b.span_id = a.span_id)",
    ] {
        let steps = plan(&mut connection, bad).await;
        assert!(!complaints(bad, &steps).is_empty(), "{bad}: {steps:?}");
    }
}

/// A statement that is composed at run time is not in the data of the checks. Only the writer's
/// inserts are, which read nothing.
#[test]
fn every_statement_that_reads_or_removes_is_checked_when_it_is_compiled() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite");
    let mut files: Vec<PathBuf> =
        ["retain.rs", "expire.rs", "purge.rs", "steps.rs"].map(|name| folder.join(name)).into();
    files
        .extend(std::fs::read_dir(folder.join("read")).expect("a folder").map(|entry| entry.expect("an entry").path()));
    assert!(files.len() > 8);
    for file in files {
        let text = std::fs::read_to_string(&file).expect("reads");
        let (code, _tests) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for (at, line) in code.lines().enumerate() {
            let is_unchecked = ["sqlx::query(", "sqlx::query_as(", "sqlx::query_scalar(", "AssertSqlSafe", "raw_sql"]
                .iter()
                .any(|call| line.contains(call));
            let looks_at_a_table = !line.contains("sqlite_schema") && !line.contains("PRAGMA");
            assert!(!(is_unchecked && looks_at_a_table), "{}:{}: {line}", file.display(), at + 1);
        }
    }
}
