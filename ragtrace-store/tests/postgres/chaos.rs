//! Faults of the server and of the connection. In the end every issued record is stored, and none
//! twice.

use std::time::Duration;

use ragtrace::sink::{Batch, Verdict};
use ragtrace::{Record, Sink};
use ragtrace_store::PostgresSink;
use sqlx::Connection;
use uuid::Uuid;

use super::proxy::{Cut, Proxy};
use super::server::{Database, until_delivered};
use crate::cluster::Cluster;
use crate::support::{Make, batch, ingestion};

pub(super) fn records(number: u64) -> Vec<Record> {
    (0..number).map(|at| Make::new("log", "file_parsing", 1, at).record()).collect()
}

/// Asserts that every record of the batches is stored once.
pub(super) fn all_there_once(database: &Database<'_>, batches: &[Batch]) {
    let mut issued: Vec<Uuid> = batches.iter().flat_map(|b| b.records().iter().map(Record::id)).collect();
    issued.sort_unstable();
    let stored = database.sql("SELECT id FROM logs ORDER BY id");
    let mut stored: Vec<Uuid> = stored.lines().map(|id| id.parse().expect("an id")).collect();
    stored.sort_unstable();
    assert_eq!(stored.len(), issued.len());
    assert_eq!(stored, issued);
}

#[tokio::test]
async fn a_connection_cut_at_any_point_of_a_batch_costs_and_doubles_nothing() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    database.sink().deliver(&batch([])).await.expect("the tables are made");
    let proxy = Proxy::to(cluster.port()).await;
    let sink = PostgresSink::new(format!("postgres://postgres@{}/{}", proxy.address, database.name));
    let mut batches = Vec::new();
    // Few records are written by a statement, and many by COPY.
    for (size, points) in [
        (40, ["BEGIN", "delivered_batches", "INSERT INTO logs", "COMMIT"]),
        (3_000, ["BEGIN", "delivered_batches", "COPY logs", "COMMIT"]),
    ] {
        // The server sends nothing in the middle of the data, so the connection can only be cut
        // before that point.
        let around = points.into_iter().flat_map(|point| [Cut::Before(point), Cut::After(point)]);
        for cut in around.chain([Cut::Before("file_parsing")]) {
            let batch = batch(records(size));
            proxy.cut(cut);
            let (attempts, _) = until_delivered(&sink, &batch).await;
            assert!(proxy.is_cut() && attempts > 1, "{cut:?} was not reached");
            sink.deliver(&batch).await.expect("acknowledged again");
            batches.push(batch);
            // A statement is prepared once per connection, so the next cut needs a new connection.
            sink.close().await;
        }
    }
    all_there_once(&database, &batches);
}

#[tokio::test]
async fn a_server_that_is_killed_and_restarted_gets_everything_once() {
    // Committed rows have to survive the kill, so this server syncs.
    let mut cluster = Cluster::start("-c fsync=on -c synchronous_commit=on");
    let name = Database::on(&cluster).name;
    let url = cluster.url(&name);
    let sink = std::sync::Arc::new(PostgresSink::new(url));
    let batches: Vec<Batch> = (0..60).map(|at| batch(records(if at % 3 == 0 { 2_500 } else { 50 }))).collect();
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
        tokio::time::sleep(Duration::from_millis(150)).await;
        cluster = tokio::task::spawn_blocking(move || {
            cluster.kill();
            cluster.restart();
            cluster
        })
        .await
        .expect("restarted");
    }
    for writer in writers {
        writer.await.expect("all delivered");
    }
    all_there_once(&Database { cluster: &cluster, name }, &batches);
}

#[tokio::test]
async fn a_server_that_stops_answering_and_goes_on_gets_everything_once() {
    let cluster = Cluster::start("");
    let database = Database::on(&cluster);
    let sink = database.sink();
    let batches = [batch(records(10)), batch(records(3_000))];
    sink.deliver(&batches[0]).await.expect("delivered");
    cluster.freeze();
    let waits = tokio::time::timeout(Duration::from_millis(500), sink.deliver(&batches[1])).await;
    assert!(waits.is_err(), "nobody answers");
    cluster.thaw();
    until_delivered(&sink, &batches[1]).await;
    all_there_once(&database, &batches);
}

#[tokio::test]
async fn a_server_without_room_for_another_connection_is_tried_again() {
    let cluster = Cluster::start("-c max_connections=5 -c superuser_reserved_connections=1");
    let database = Database::on(&cluster);
    cluster.sql("postgres", "CREATE ROLE plain LOGIN");
    cluster.sql("postgres", &format!("GRANT CREATE ON DATABASE {} TO plain", database.name));
    let sink = PostgresSink::new(database.url_as("plain"));
    let url = database.url();
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(sqlx::PgConnection::connect(&url).await.expect("there is room still"));
    }
    let batch = batch(ingestion());
    let error = sink.deliver(&batch).await.expect_err("no room");
    assert_eq!(error.verdict(), Verdict::Retry, "{error}");
    drop(others);
    until_delivered(&sink, &batch).await;
    all_there_once(&database, &[batch]);
}

#[tokio::test]
async fn a_server_that_is_replaced_by_an_empty_one_gets_its_tables_again() {
    let cluster = Cluster::shared();
    let database = Database::on(cluster);
    let sink = database.sink();
    sink.deliver(&batch(records(10))).await.expect("delivered");
    let name = &database.name;
    cluster.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
    cluster.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
    let batches = [batch(records(20)), batch(records(3_000))];
    for batch in &batches {
        until_delivered(&sink, batch).await;
    }
    all_there_once(&database, &batches);
    database.sql("DROP SCHEMA ragtrace CASCADE");
    let later = [batch(records(30))];
    until_delivered(&sink, &later[0]).await;
    all_there_once(&database, &later);
}

#[tokio::test]
async fn a_day_that_was_dropped_under_the_sink_is_made_again() {
    let database = Database::on(Cluster::shared());
    let sink = database.sink();
    sink.deliver(&batch(records(10))).await.expect("delivered");
    database.sql("DROP TABLE logs_20261122");
    let late = [batch(records(10)), batch(records(2_500))];
    for batch in &late {
        until_delivered(&sink, batch).await;
    }
    all_there_once(&database, &late);
}
