//! The sink and the store through `PgBouncer`.

use std::time::Duration;

use ragtrace::Sink;
use ragtrace::sink::Verdict;
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, LogFilter, PostgresSink, TraceFilter, Window};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::chaos::{all_there_once, records};
use super::pgbouncer::{Mode, PgBouncer};
use super::server::{Database, until_delivered};
use crate::cluster::Cluster;
use crate::support::{BEGIN, TRACE, batch, ingestion, reason};

const IGNORING: &[&str] = &["ignore_startup_parameters = options,extra_float_digits"];

/// Writes, reads and tidies everything, in two schemas of one database.
async fn does_everything(cluster: &Cluster, pooler: &PgBouncer) {
    let database = Database::on(cluster);
    let urls = ["one", "Two.b"].map(|schema| format!("{}?schema={schema}", pooler.url(&database.name)));
    for url in &urls {
        store::migrate(url).await.expect("migrates");
    }
    let sinks = [&urls[0], &urls[1]].map(|url| PostgresSink::new(url.as_str()));
    sinks[0].check().await.expect("checked");
    // Few records are written by a statement, and many by COPY; both schemas at once.
    let of = |schema: usize| {
        let rounds =
            (0..6_usize).map(move |round| batch(records(if (round + schema).is_multiple_of(2) { 40 } else { 1_500 })));
        rounds.chain([batch(ingestion())]).collect::<Vec<_>>()
    };
    let batches = [of(0), of(1)];
    let deliveries = (0..2).flat_map(|schema| {
        let (sink, batches) = (&sinks[schema], &batches[schema]);
        batches.iter().map(move |batch| until_delivered(sink, batch))
    });
    futures_util::future::join_all(deliveries).await;
    let expected: usize = batches[0].iter().map(|batch| batch.records().len()).sum();
    let rows = i64::try_from(expected).expect("few");
    for (schema, url) in [("one", &urls[0]), ("\"Two.b\"", &urls[1])] {
        assert_eq!(database.number(&format!("SELECT count(*) FROM {schema}.logs")), rows);
        assert_eq!(database.number(&format!("SELECT count(DISTINCT id) FROM {schema}.logs")), rows);
        let store = store::open(url).await.expect("opens");
        let tail = store.tail(None).await.expect("reads").cursor;
        assert!(store.trace(TRACE.parse().expect("an id")).await.expect("reads").is_some());
        assert_eq!(store.logs(LogFilter::new().limit(10_000)).await.expect("reads").len(), expected);
        assert_eq!(store.errors(LogFilter::new().user_id("alice")).await.expect("reads").len(), 2);
        assert_eq!(store.traces(TraceFilter::new()).await.expect("reads").len(), 1);
        assert_eq!(store.traces_starting_with("0199a1c2", 9).await.expect("reads").len(), 1);
        let day = Duration::from_hours(24);
        let stats = store.stage_stats(Window::new(BEGIN.minus(day), BEGIN.plus(day))).await.expect("reads");
        assert_eq!(stats.iter().map(ragtrace_store::StageStats::runs).sum::<u64>(), 4);
        store.inflight().await.expect("reads");
        store.stages().await.expect("reads");
        store.latest_trace().await.expect("reads");
        sinks[usize::from(schema != "one")].deliver(&batch(records(3))).await.expect("delivered");
        assert_eq!(store.tail(Some(tail)).await.expect("reads").rows.len(), 3);
        let later = BEGIN.plus(day * 10);
        let retained = store::retain(url, &Retention::new().sample(0.0).at(later), |_| {}).await.expect("retains");
        assert_eq!((retained.archived, retained.is_running_elsewhere), (1, false));
        let purged = store::purge(url, &Purge::of("alice"), |_| {}).await.expect("purges");
        assert_eq!((purged.logs, purged.archived), (0, expected as u64 + 3));
    }
    for sink in &sinks {
        sink.close().await;
    }
    let strays = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(database.number(strays), 0, "nothing lies in another schema");
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    assert_eq!(database.number(held), 0, "no lock stays with a connection");
}

#[tokio::test]
async fn everything_works_through_a_pooler_in_session_mode() {
    let cluster = Cluster::shared();
    for more in [&[][..], IGNORING] {
        Box::pin(does_everything(cluster, &PgBouncer::before(cluster, Mode::Session, 40, more))).await;
    }
}

#[tokio::test]
async fn everything_works_through_a_pooler_in_transaction_mode() {
    let cluster = Cluster::shared();
    for (size, more) in [(1, &[][..]), (3, IGNORING)] {
        Box::pin(does_everything(cluster, &PgBouncer::before(cluster, Mode::Transaction, size, more))).await;
    }
}

/// From version 1.21 on `PgBouncer` supports prepared statements, and can be told not to.
#[tokio::test]
async fn everything_works_whether_or_not_a_pooler_knows_of_prepared_statements() {
    if PgBouncer::version() < (1, 21) {
        println!("this PgBouncer knows nothing of prepared statements");
        return;
    }
    let cluster = Cluster::shared();
    for setting in ["max_prepared_statements = 0", "max_prepared_statements = 1", "max_prepared_statements = 200"] {
        Box::pin(does_everything(cluster, &PgBouncer::before(cluster, Mode::Transaction, 2, &[setting]))).await;
    }
}

#[tokio::test]
async fn what_others_left_on_a_poolers_connection_is_not_used() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    let pooler = PgBouncer::before(cluster, Mode::Transaction, 1, IGNORING);
    let url = pooler.url(&database.name);
    // An application that names its statements, sets its search path, and has temporary tables with
    // the names of ragtrace's.
    let options: PgConnectOptions = url.parse().expect("a URL");
    let mut other = options.extra_float_digits(None).connect().await.expect("connects");
    for _ in 0..3 {
        let one: i32 = sqlx::query_scalar("SELECT $1::int4 + 0").bind(1).fetch_one(&mut other).await.expect("answers");
        assert_eq!(one, 1);
    }
    let left = "CREATE TEMPORARY TABLE logs (id int); CREATE TEMPORARY TABLE delivered_batches (id int);
        CREATE TEMPORARY TABLE ragtrace_migrations (version bigint, checksum bytea, success boolean);
        SET search_path = public, pg_catalog; SET TimeZone = 'Asia/Tokyo'; SET default_transaction_read_only = on;
        SET DateStyle = 'SQL, DMY'; SET default_transaction_isolation = 'serializable'; SET bytea_output = 'escape'";
    sqlx::raw_sql(left).execute(&mut other).await.expect("set");
    let sink = PostgresSink::new(url.as_str());
    let batches = [batch(records(30)), batch(records(2_000)), batch(ingestion())];
    for batch in &batches {
        sink.deliver(batch).await.expect("delivered");
    }
    all_there_once(&database, &batches);
    let store = store::open(&url).await.expect("opens");
    let newest = store.logs(LogFilter::new().limit(1)).await.expect("reads");
    assert_eq!(newest[0].timestamp(), BEGIN.plus(Duration::from_millis(1_999)));
    assert_eq!(store.traces(TraceFilter::new().since(BEGIN)).await.expect("reads").len(), 1);
}

#[tokio::test]
async fn a_pooler_that_is_killed_and_started_again_gets_everything_once() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    let mut pooler = PgBouncer::before(cluster, Mode::Transaction, 2, &[]);
    let sink = std::sync::Arc::new(PostgresSink::new(pooler.url(&database.name)));
    let batches: Vec<_> = (0..60).map(|at| batch(records(if at % 3 == 0 { 2_500 } else { 50 }))).collect();
    let writers: Vec<_> = (0..3)
        .map(|writer| {
            let (sink, mine) = (sink.clone(), batches.iter().skip(writer).step_by(3).cloned().collect::<Vec<_>>());
            tokio::spawn(async move {
                for batch in mine {
                    until_delivered(&*sink, &batch).await;
                }
            })
        })
        .collect();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        pooler = tokio::task::spawn_blocking(move || {
            pooler.kill();
            pooler.start();
            pooler
        })
        .await
        .expect("restarted");
    }
    for writer in writers {
        writer.await.expect("all delivered");
    }
    all_there_once(&database, &batches);
}

#[tokio::test]
async fn a_pooler_that_cannot_be_used_parks_the_sink_and_says_what_to_set() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    let strict = PgBouncer::before(cluster, Mode::Transaction, 2, &[]);
    let statement = PgBouncer::before(cluster, Mode::Statement, 2, &[]);
    let url = strict.url(&database.name);
    for (url, says) in [
        (format!("{url}?options=-csearch_path%3Dpublic"), "`ignore_startup_parameters`"),
        (statement.url(&database.name), "`pool_mode`"),
        (url.replace("postgres@", "nobody_known@"), "user"),
        (format!("{url}_not_there"), "database"),
    ] {
        let error = PostgresSink::new(&*url).deliver(&batch([])).await.expect_err("refused");
        assert_eq!(error.verdict(), Verdict::Park, "{url}: {}", reason(&error));
        assert!(error.to_string().contains(says), "{url}: {}", reason(&error));
        let error = store::open(&url).await.expect_err("refused");
        assert!(!error.is_retryable(), "{url}: {}", reason(&error));
    }
}

#[tokio::test]
async fn a_pooler_whose_server_is_away_or_that_is_full_is_tried_again() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let alone = PgBouncer::before_port(port, Mode::Transaction, 2, &["query_wait_timeout = 1"]);
    let error = PostgresSink::new(alone.url("x")).deliver(&batch([])).await.expect_err("no server");
    assert_eq!(error.verdict(), Verdict::Retry, "{}", reason(&error));

    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    let full = PgBouncer::before(cluster, Mode::Transaction, 1, &["query_wait_timeout = 1"]);
    let url = full.url(&database.name);
    let sink = PostgresSink::new(&*url);
    sink.deliver(&batch([])).await.expect("there is room");
    let options: PgConnectOptions = url.parse().expect("a URL");
    let mut other = options.extra_float_digits(None).connect().await.expect("connects");
    let held = other.begin().await.expect("begins");
    let batch = batch(ingestion());
    let error = sink.deliver(&batch).await.expect_err("no room");
    assert_eq!(error.verdict(), Verdict::Retry, "{}", reason(&error));
    held.rollback().await.expect("let go");
    until_delivered(&sink, &batch).await;
    all_there_once(&database, &[batch]);
}
