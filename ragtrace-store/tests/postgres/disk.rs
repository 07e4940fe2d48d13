//! A full disk: nothing is lost or stored twice, and deliveries continue once there is space.

use ragtrace::Sink;
use ragtrace::sink::{Batch, SinkError, Verdict};
use ragtrace_store::PostgresSink;

use super::chaos::{all_there_once, records};
use super::server::{Database, until_delivered};
use crate::cluster::{Cluster, SmallDisk};
use crate::support::batch;

/// Delivers batches of 3,000 and of 300 records, which are written in different ways, until one is
/// refused.
async fn until_refused(sink: &PostgresSink) -> (Vec<Batch>, SinkError) {
    let mut batches = Vec::new();
    for at in 0..200 {
        batches.push(batch(records(if at % 2 == 0 { 3_000 } else { 300 })));
        if let Err(error) = sink.deliver(&batches[at]).await {
            return (batches, error);
        }
    }
    panic!("the disk is larger than it should be");
}

/// Delivers the last batch, which is refused again, and then everything after there is space.
async fn goes_on_with_room(database: &Database<'_>, sink: &PostgresSink, mut batches: Vec<Batch>, room: impl Fn()) {
    let last = &batches[batches.len() - 1];
    let error = sink.deliver(last).await.expect_err("still full");
    assert_eq!(error.verdict(), Verdict::Retry, "{error}");
    room();
    until_delivered(sink, last).await;
    batches.push(batch(records(3_000)));
    until_delivered(sink, &batches[batches.len() - 1]).await;
    all_there_once(database, &batches);
}

/// Users other than root cannot mount a small disk. For them, limited file sizes stand for a full
/// disk, see below.
#[tokio::test]
async fn a_disk_that_is_full_is_waited_for_and_said_to_be() {
    let cluster = Cluster::start("");
    let Some(disk) = SmallDisk::mount(&cluster, 24) else {
        println!("no right to mount: a small disk cannot be had");
        return;
    };
    cluster.sql("postgres", &format!("CREATE TABLESPACE small LOCATION '{}'", disk.folder().display()));
    cluster.sql("postgres", "CREATE DATABASE small TABLESPACE small TEMPLATE template0");
    let database = Database { cluster: &cluster, name: "small".to_owned() };
    let sink = database.sink();
    let (batches, error) = until_refused(&sink).await;
    assert_eq!(error.verdict(), Verdict::Retry, "{error}");
    assert!(error.to_string().contains("the server's disk is full: make room"), "{error}");
    goes_on_with_room(&database, &sink, batches, || disk.grow(256)).await;
}

#[tokio::test]
async fn files_that_cannot_grow_are_waited_for() {
    let cluster = Cluster::start("");
    let database = Database::on(&cluster);
    let sink = database.sink();
    sink.deliver(&batch([])).await.expect("the tables are made");
    // The limit is above the size of a write-ahead log file, which is rewritten and not extended.
    cluster.limit_files(Some(18 << 20));
    let (batches, error) = until_refused(&sink).await;
    assert_eq!(error.verdict(), Verdict::Retry, "{error}");
    goes_on_with_room(&database, &sink, batches, || cluster.limit_files(None)).await;
}
