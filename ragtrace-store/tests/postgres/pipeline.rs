//! The whole way: stages, the pipeline, a real server. In the end every issued record is stored
//! once, or is a dead letter with its reason.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ragtrace::spool::DeadLetters;
use ragtrace::{Builder, RequestContext, Sink, SpoolLimits, Telemetry, traced_stage};
use ragtrace_store::PostgresSink;

use super::pgbouncer::{Mode, PgBouncer};
use super::server::Database;
use crate::cluster::Cluster;

/// Held by the test that has a pipeline, since a process can have only one.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn install(sink: PostgresSink, spool: &Path) -> (Telemetry, MutexGuard<'static, ()>) {
    let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let builder: Builder = ragtrace::builder().console(ragtrace::Console::Off).sink(sink);
    let telemetry = builder.spool(spool, SpoolLimits::default()).install().expect("nothing else is installed");
    (telemetry, turn)
}

#[traced_stage(fields(number, note), ok(|ratio| ratio = *ratio))]
fn issued(number: u64, note: &str, ratio: f64, fails: bool) -> Result<f64, String> {
    if fails { Err(format!("number {number} fails: {note}")) } else { Ok(ratio) }
}

/// Returns how often each number is stored, as a start and as an end.
fn stored(database: &Database<'_>) -> BTreeMap<u64, (u64, u64)> {
    let rows = database.sql(
        "SELECT (context->>'number')::bigint, count(*) FILTER (WHERE event = 'started'),
            count(*) FILTER (WHERE event <> 'started') FROM logs WHERE stage = 'issued' GROUP BY 1",
    );
    let row = |line: &str| {
        let numbers: Vec<u64> = line.split('|').map(|number| number.parse().expect("a number")).collect();
        (numbers[0], (numbers[1], numbers[2]))
    };
    rows.lines().map(row).collect()
}

#[test]
fn a_poison_record_costs_itself_and_its_dead_letter_makes_one_row_once_it_is_mended() {
    const RUNS: u64 = 3_000;
    let database = Database::on(Cluster::shared());
    let spool = tempfile::tempdir().expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(ragtrace_store::migrate(&database.url())).expect("the tables are made");
    // A constraint that the operator has added.
    database.sql("ALTER TABLE logs ADD CONSTRAINT nobody CHECK (user_id <> 'nobody' OR level <> 'ERROR')");
    let (telemetry, _turn) = install(database.sink(), spool.path());
    let long = "long ".repeat(2 << 20);
    let is_refused = |number: u64| matches!(number, 0 | 700 | 701 | 2_345) || number == RUNS - 1;
    for number in 0..RUNS {
        // Ten megabytes are a large part of the queue, which drops records rather than grow.
        if number % 500 == 10 || number % 500 == 11 {
            telemetry.flush_blocking(Duration::from_secs(10));
        }
        let user = if is_refused(number) { "nobody" } else { "alice" };
        let (note, ratio) = match number % 500 {
            7 => ("a\u{0}b", 0.5),
            8 => ("plain", f64::NAN),
            9 => ("plain", f64::INFINITY),
            10 => (&*long, 0.5),
            _ => ("plain", 0.5),
        };
        let request =
            RequestContext::new().with_user_id(user).with_tenant_id(if number % 500 == 11 { "a\u{0}" } else { "acme" });
        let _ = request.sync_scope(|| issued(number, note, ratio, is_refused(number)));
    }
    let report = telemetry.shutdown_blocking(Duration::from_mins(1));
    assert!(report.complete && report.stats.dropped.total() == 0, "{report}");
    let sink = &report.stats.sinks[0];
    assert_eq!((sink.dead_lettered, sink.dropped), (5, 0), "{report}");
    assert_eq!(sink.delivered, 2 * RUNS - 5, "{report}");

    let letters = DeadLetters::new(spool.path());
    for letter in letters.read().expect("reads") {
        let number = letter.record().field("number").and_then(ragtrace::Value::as_u64).expect("a number");
        assert!(is_refused(number) && letter.record().event().is_end(), "{number}");
        assert!(letter.reason().contains("PostgreSQL refuses the data"), "{}", letter.reason());
    }
    let wrong: Vec<_> = stored(&database)
        .into_iter()
        .filter(|(number, rows)| *rows != if is_refused(*number) { (1, 0) } else { (1, 1) })
        .collect();
    assert_eq!(wrong, []);
    assert_eq!(stored(&database).len() as u64, RUNS);

    // The constraint is removed, and the letters are replayed, also by someone with an old copy of
    // them.
    database.sql("ALTER TABLE logs DROP CONSTRAINT nobody");
    let copy = std::fs::read(spool.path().join("dead-letters.jsonl")).expect("there are letters");
    for _ in 0..2 {
        std::fs::write(spool.path().join("dead-letters.jsonl"), &copy).expect("written");
        let sink = PostgresSink::new(database.url());
        let replayed = runtime.block_on(async {
            let replayed = letters.replay(&sink).await.expect("replays");
            sink.close().await;
            replayed
        });
        assert_eq!((replayed.delivered, replayed.kept), (5, 0), "{:?}", replayed.reasons);
    }
    assert!(stored(&database).values().all(|rows| *rows == (1, 1)));
}

#[test]
fn a_server_that_is_killed_and_frozen_under_a_pipeline_has_everything_once_in_the_end() {
    const RUNS: u64 = 30_000;
    // Committed rows have to survive the kill, so this server syncs.
    let mut cluster = Cluster::start("-c fsync=on -c synchronous_commit=on");
    let name = Database::on(&cluster).name;
    let spool = tempfile::tempdir().expect("a folder");
    let (telemetry, _turn) = install(Database { cluster: &cluster, name: name.clone() }.sink(), spool.path());
    let delivered = || telemetry.stats().sinks[0].delivered;
    let until = |number: u64| {
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while delivered() < number {
            assert!(std::time::Instant::now() < deadline, "{} of {number} are delivered", delivered());
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let run = |from: u64, to: u64| {
        for number in from..to {
            let _ = RequestContext::new()
                .with_user_id("alice")
                .sync_scope(|| issued(number, "plain", 0.5, number % 9 == 0));
        }
    };
    for fault in 0..6 {
        let from = fault * RUNS / 6;
        run(from, from + RUNS / 12);
        until(from);
        if fault % 2 == 0 {
            cluster.kill();
            run(from + RUNS / 12, from + RUNS / 6);
            cluster.restart();
        } else {
            cluster.freeze();
            run(from + RUNS / 12, from + RUNS / 6);
            std::thread::sleep(Duration::from_millis(200));
            cluster.thaw();
        }
    }
    until(2 * RUNS);
    let report = telemetry.shutdown_blocking(Duration::from_mins(1));
    assert!(report.complete, "{report}");
    let database = Database { cluster: &cluster, name };
    let stored = stored(&database);
    assert_eq!(stored.len() as u64, RUNS);
    assert_eq!(stored.into_iter().find(|(_, rows)| *rows != (1, 1)), None);
}

#[test]
fn everything_is_there_once_through_a_pooler_that_is_restarted() {
    const RUNS: u64 = 20_000;
    let database = Database::on(Cluster::shared());
    let mut pooler = PgBouncer::before(database.cluster, Mode::Transaction, 3, &[]);
    let spool = tempfile::tempdir().expect("a folder");
    let (telemetry, _turn) = install(PostgresSink::new(pooler.url(&database.name)), spool.path());
    for number in 0..RUNS {
        if number % 6_000 == 5_000 {
            pooler.kill();
            pooler.start();
        }
        // On a busy machine, records come faster than the spool's disk takes them, and those over
        // the limit would be dropped. A backlog remains when the pooler is killed.
        if number % 2_000 == 1_999 {
            telemetry.flush_blocking(Duration::from_secs(10));
        }
        let request = RequestContext::new().with_user_id("alice").with_tenant_id("acme");
        let _ = request.sync_scope(|| issued(number, "plain", 0.5, number % 9 == 0));
    }
    let report = telemetry.shutdown_blocking(Duration::from_mins(2));
    assert!(report.complete && report.stats.dropped.total() == 0, "{report}");
    let sink = &report.stats.sinks[0];
    // The pipeline's reports on the sink's failures are delivered too.
    assert!(sink.delivered >= 2 * RUNS && (sink.dead_lettered, sink.dropped) == (0, 0), "{report}");
    let stored = stored(&database);
    assert_eq!(stored.len() as u64, RUNS);
    assert_eq!(stored.into_iter().find(|(_, rows)| *rows != (1, 1)), None);
    for table in ["stage_minutes", "stage_hours"] {
        let runs = format!("SELECT sum(runs) FROM {table} WHERE stage = 'issued' AND tenant_id = 'acme'");
        assert_eq!(database.number(&runs).unsigned_abs(), RUNS, "{table}");
    }
    assert_eq!(database.number("SELECT count(*) FROM request_metrics").unsigned_abs(), RUNS);
}
