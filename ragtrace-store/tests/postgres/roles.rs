//! The permissions of roles.

use ragtrace::metrics::StageMinute;
use ragtrace::{Sink, Timestamp};
use ragtrace_store::PostgresSink;
use ragtrace_store::retention::Purge;
use ragtrace_store::{self as store, GroupBy, LogFilter, ScoreFilter, TraceCounts, TraceFilter, Window};
use serde_json::json;

use super::server::Database;
use crate::cluster::Cluster;
use crate::support::{BEGIN, Make, batch, run};

const OF_B: &str = "0199a1c2-7b1e-7a54-9c01-bbbbbbbbbbbb";

/// Creates a store with two tenants, also in the archive, and a reader of one of them.
async fn two_tenants<'a>(cluster: &'a Cluster, reader: &str) -> Database<'a> {
    let database = Database::on(cluster);
    let now = Timestamp::now();
    let of = |tenant: &str, trace: &str, span| {
        let (start, end) = run("failed", "retrieval", span, (0, 10));
        [start, end.with("local_root", true)]
            .map(|make| make.with("tenant_id", tenant).trace(trace).with("timestamp", now.to_string()).record())
    };
    let score = |tenant: &str, trace: &str| {
        let judgement = serde_json::json!({"name": "helpful", "value": true});
        Make::new("score", "x", 1, 0).trace(trace).with("tenant_id", tenant).with("score", judgement).record()
    };
    let scores = [score("a", crate::support::TRACE), score("b", OF_B)];
    let records: Vec<_> = of("a", crate::support::TRACE, 1).into_iter().chain(of("b", OF_B, 2)).chain(scores).collect();
    assert!(records.iter().filter_map(StageMinute::of).count() > 0);
    database.sink().deliver(&batch(records)).await.expect("delivered");
    database.sql("INSERT INTO logs_archive SELECT * FROM logs");
    database.sql(&format!("CREATE ROLE {reader} LOGIN; SELECT allow_reader('{reader}', 'a')"));
    database
}

#[tokio::test]
async fn a_tenants_reader_sees_no_row_of_another_through_any_query_of_ours() {
    let database = two_tenants(Cluster::shared(), "reads_ours").await;
    let store = store::open(&database.url_as("reads_ours")).await.expect("opens");
    let owner = store::open(&database.url()).await.expect("opens");
    let wide = Window::new(BEGIN.minus(std::time::Duration::from_hours(24 * 3_650)), Timestamp::now());
    let tail = store.tail(None).await.expect("reads").cursor;
    let more =
        Make::new("started", "retrieval", 7, 0).with("tenant_id", "b").with("timestamp", Timestamp::now().to_string());
    let sink = database.sink();
    sink.deliver(&batch([more.record()])).await.expect("delivered");

    assert!(store.trace(OF_B.parse().expect("an id")).await.expect("reads").is_none());
    assert!(store.trace(crate::support::TRACE.parse().expect("an id")).await.expect("reads").is_some());
    let rows = store.logs(LogFilter::new()).await.expect("reads");
    assert!(rows.len() == 2 && rows.iter().all(|row| row.tenant_id() == Some("a")), "{rows:?}");
    assert_eq!(store.errors(LogFilter::new().tenant_id("b")).await.expect("reads"), []);
    assert_eq!(store.scores(OF_B.parse().expect("an id")).await.expect("reads"), []);
    assert_eq!(store.scores(crate::support::TRACE.parse().expect("an id")).await.expect("reads").len(), 1);
    assert_eq!(owner.scores(OF_B.parse().expect("an id")).await.expect("reads").len(), 1);
    assert_eq!(store.traces(TraceFilter::new()).await.expect("reads").len(), 1);
    assert_eq!(owner.traces(TraceFilter::new()).await.expect("reads").len(), 2);
    assert_eq!(store.stage_stats(wide).await.expect("reads")[0].runs(), 1);
    assert_eq!(owner.stage_stats(wide).await.expect("reads")[0].runs(), 2);
    assert_eq!(store.traces_starting_with("0199a1c2", 9).await.expect("reads").len(), 1);
    assert_eq!(store.inflight().await.expect("reads"), []);
    assert_eq!(owner.inflight().await.expect("reads").len(), 1);
    assert_eq!(store.tail(Some(tail)).await.expect("reads").rows, []);
    store.stages().await.expect("reads");
}

#[tokio::test]
async fn a_tenants_reader_sees_only_its_own_in_searches_counts_and_sums() {
    let database = two_tenants(Cluster::shared(), "reads_sums").await;
    let of = |tenant: &str, trace: &str| {
        let make = Make::new("failed", &format!("stage_of_{tenant}"), 9, 5).with("tenant_id", tenant).trace(trace);
        let make = make.with("error", json!({"type": "E", "message": format!("secret of {tenant}"), "chain": []}));
        let make = make.with("context", json!({"doc": tenant, "model": tenant})).with("version", tenant);
        let make = make.metrics(json!({"cost_usd": 1, "duration_ms": 5})).with("user_id", tenant);
        make.with("timestamp", Timestamp::now().to_string()).with("kind", "retrieve").record()
    };
    let done = |tenant: &str, trace: &str| {
        let make = Make::new("completed", &format!("found_by_{tenant}"), 8, 5).with("tenant_id", tenant).trace(trace);
        make.with("timestamp", Timestamp::now().to_string()).with("kind", "retrieve").record()
    };
    let records = [("a", crate::support::TRACE), ("b", OF_B)];
    let records = records.iter().flat_map(|(tenant, trace)| [of(tenant, trace), done(tenant, trace)]);
    database.sink().deliver(&batch(records)).await.expect("delivered");
    store::purge(&database.url(), &Purge::of("nobody"), |_| {}).await.expect("erased");

    let owner = store::open(&database.url()).await.expect("opens");
    let reader = store::open(&database.url_as("reads_sums")).await.expect("opens");
    let wide = Window::last(std::time::Duration::from_hours(24));
    for (of, store) in [("ab", &owner), ("a", &reader)] {
        for tenant in ["a", "b"] {
            let sees = usize::from(of.contains(tenant));
            for filter in [
                TraceFilter::new().ran(format!("stage_of_{tenant}")),
                TraceFilter::new().error(format!("SECRET of {tenant}")),
                TraceFilter::new().field("doc", tenant),
                TraceFilter::new().longer_than(std::time::Duration::ZERO).tenant_id(tenant),
            ] {
                assert_eq!(store.traces(filter.clone()).await.expect("reads").len(), sees, "{of} {filter:?}");
                let counts = store.trace_counts(filter, wide, 3).await.expect("reads");
                assert_eq!(counts.iter().map(TraceCounts::total).sum::<u64>(), sees as u64);
            }
            let text = LogFilter::new().text(format!("secret of {tenant}"));
            assert_eq!(store.logs(text.clone()).await.expect("reads").len(), sees);
            assert_eq!(store.error_groups(text).await.expect("reads").groups().len(), sees);
            for by in [GroupBy::Tenant, GroupBy::User, GroupBy::Version] {
                let stats = store.stage_stats_by(wide, by).await.expect("reads");
                let own = stats.iter().filter(|stats| stats.stage() == format!("stage_of_{tenant}")).count();
                assert_eq!(own, sees, "{of} {by:?} {stats:?}");
            }
            let points = store.stage_series(wide, std::time::Duration::from_hours(1)).await.expect("reads");
            assert_eq!(
                points.iter().filter(|point| point.stats().stage() == format!("stage_of_{tenant}")).count(),
                sees
            );
            let costs = store.costs(wide).await.expect("reads");
            assert_eq!(costs.iter().filter(|row| row.tenant_id() == Some(tenant)).count(), sees);
            let found = store.retrieval_stats(wide).await.expect("reads");
            assert_eq!(found.iter().filter(|row| row.stage() == format!("found_by_{tenant}")).count(), sees);
            let scores = store.recent_scores(ScoreFilter::new().tenant_id(tenant)).await.expect("reads");
            assert_eq!(scores.len(), sees);
        }
        assert_eq!(store.audit(10).await.expect("reads").len(), of.len() - 1);
    }
}

#[tokio::test]
async fn a_tenants_reader_sees_no_row_of_another_through_sql_of_its_own() {
    let database = two_tenants(Cluster::shared(), "reads_own").await;
    let own = |sql: &str| database.sql(&format!("SET ROLE reads_own; {sql}"));
    for table in ["logs", "logs_archive", "request_metrics", "scores", "stage_minutes", "stage_hours"] {
        let all = database.number(&format!("SELECT count(*) FROM {table}"));
        let seen: i64 = own(&format!("SELECT count(*) FROM {table}")).parse().expect("a number");
        assert_eq!(seen * 2, all, "{table}");
        assert_eq!(own(&format!("SELECT count(*) FROM {table} WHERE tenant_id IS DISTINCT FROM 'a'")), "0", "{table}");
        // A condition that reveals the rows it is evaluated on never sees forbidden ones.
        let leaks = format!(
            "CREATE FUNCTION pg_temp.leaks(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
                $$ BEGIN IF $1 IS DISTINCT FROM 'a' THEN RAISE 'leaked %', $1; END IF; RETURN true; END $$;
            SELECT count(*) FROM {table} WHERE pg_temp.leaks(tenant_id)"
        );
        own(&leaks);
    }
    assert_eq!(own("SELECT count(*) FROM tenant_readers"), "1");
}

/// The plan that finds a trace stays with the server connection, which a pooler may lend to others.
#[tokio::test]
async fn a_plan_that_the_owner_left_shows_a_tenants_reader_no_row_of_another() {
    let database = two_tenants(Cluster::shared(), "reads_plans").await;
    let rows = |trace: &str| format!("SELECT count(*) FROM rows_of_trace('{trace}', 100)");
    let (of_a, of_b) = (rows(crate::support::TRACE), rows(OF_B));
    for mode in ["force_generic_plan", "force_custom_plan", "auto"] {
        let seen = database.sql(&format!(
            "SET plan_cache_mode = {mode};
            {of_a}; {of_b}; SET ROLE reads_plans; {of_a}; {of_b}; RESET ROLE; {of_a}; {of_b}"
        ));
        assert_eq!(seen.split_whitespace().collect::<Vec<_>>(), ["4", "4", "4", "0", "4", "4"], "{mode}");
    }
}

#[tokio::test]
async fn a_tenants_reader_may_touch_nothing_else() {
    let database = two_tenants(Cluster::shared(), "reads_only").await;
    let today = database.sql("SELECT tableoid::regclass FROM logs LIMIT 1");
    for attempt in [
        &format!("SELECT * FROM {today}"),
        "INSERT INTO logs (id) VALUES (gen_random_uuid())",
        "DELETE FROM logs",
        "DELETE FROM scores",
        "SELECT tenant_of_trace(gen_random_uuid())",
        "UPDATE logs SET tenant_id = 'a'",
        "INSERT INTO tenant_readers VALUES ('reads_only', 'b')",
        "SELECT allow_reader('reads_only', 'b')",
        "SELECT make_day('2001-01-01')",
        "SELECT host FROM instances",
        "SELECT * FROM delivered_batches",
        "SELECT * FROM retention_decisions",
        "INSERT INTO audit (action, subject_hash, details) VALUES ('purge', '', '{}')",
        "DELETE FROM audit",
        "ALTER TABLE logs DISABLE ROW LEVEL SECURITY",
        "SET row_security = off; SELECT * FROM logs",
        "SET ROLE postgres",
    ] {
        let checked = format!(
            "SET SESSION AUTHORIZATION reads_only;
            DO $test$ BEGIN
                EXECUTE $attempt${attempt}$attempt$;
                RAISE EXCEPTION 'it was allowed';
            EXCEPTION WHEN insufficient_privilege OR undefined_object THEN NULL; END $test$"
        );
        database.sql(&checked);
    }
}

#[tokio::test]
async fn a_role_that_may_not_create_writes_into_tables_that_are_there() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    cluster.sql("postgres", "CREATE ROLE makes LOGIN; CREATE ROLE writes LOGIN; GRANT makes TO writes");
    cluster.sql("postgres", &format!("GRANT CREATE ON DATABASE {} TO makes", database.name));
    store::migrate(&database.url_as("makes")).await.expect("made ahead");
    store::migrate(&database.url_as("makes")).await.expect("again is nothing");
    // A member of the owner role may not create a schema, and need not.
    let sink = PostgresSink::new(database.url_as("writes"));
    let now = Make::new("log", "x", 1, 0).with("timestamp", Timestamp::now().to_string());
    sink.deliver(&batch([now.record()])).await.expect("delivered");
    assert_eq!(database.number("SELECT count(*) FROM logs"), 1);
}

#[tokio::test]
async fn every_table_and_column_has_a_comment() {
    let database = Database::on(Cluster::shared());
    database.sink().deliver(&batch([])).await.expect("the tables are made");
    let bare = "SELECT coalesce(string_agg(c.relname || '.' || coalesce(a.attname, ''), ', '), 'none')
        FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relnamespace = 'ragtrace'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relname <> 'ragtrace_migrations'
            AND (obj_description(c.oid, 'pg_class') IS NULL OR col_description(c.oid, a.attnum) IS NULL)";
    assert_eq!(database.sql(bare), "none");
}
