//! Following a store through everything that happens to its rows.

use std::collections::BTreeSet;
use std::time::Duration;

use ragtrace::{Record, Sink};
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, LogStore, TailCursor};
use uuid::Uuid;

use crate::support::{BEGIN, Make, batch};
use crate::test_store::TestStore;

over_both!(
    a_tail_misses_nothing_that_comes_after_a_purge,
    a_tail_gives_what_retention_has_moved_since,
    a_tail_goes_on_over_a_store_that_was_emptied,
    a_tail_of_many_small_steps_gives_each_row_once,
);

/// Returns this number of records of a user, in a trace for each user.
fn of(user: &str, count: u64) -> Vec<Record> {
    let trace = Uuid::from_u128(u128::from(user.bytes().map(u64::from).sum::<u64>())).to_string();
    (0..count).map(|at| Make::new("log", "x", 1, at).with("user_id", user).trace(&trace).record()).collect()
}

/// Reads until there are no more rows.
async fn news(store: &LogStore, cursor: &mut TailCursor) -> Vec<Uuid> {
    let mut ids = Vec::new();
    loop {
        let tail = store.tail(Some(cursor.clone())).await.expect("reads");
        *cursor = tail.cursor;
        if tail.rows.is_empty() {
            return ids;
        }
        ids.extend(tail.rows.iter().map(|row| row.id()));
    }
}

fn ids(records: &[Record]) -> Vec<Uuid> {
    records.iter().map(Record::id).collect()
}

async fn a_tail_misses_nothing_that_comes_after_a_purge(place: TestStore) {
    let sink = place.sink();
    sink.deliver(&batch(of("bob", 5))).await.expect("delivered");
    sink.deliver(&batch(of("alice", 20))).await.expect("delivered");
    sink.close().await;
    let store = place.store().await;
    let mut cursor = store.tail(None).await.expect("reads").cursor;
    // The newest rows are removed, and as many new ones are written.
    for round in 0..3 {
        store::purge(&place.url, &Purge::of("alice"), |_| {}).await.expect("purged");
        if round == 1 {
            assert!(news(&store, &mut cursor).await.is_empty());
        }
        let new = of("alice", 20);
        let sink = place.sink();
        sink.deliver(&batch(new.clone())).await.expect("delivered");
        sink.close().await;
        assert_eq!(sorted(news(&store, &mut cursor).await), sorted(ids(&new)), "round {round}");
    }
}

async fn a_tail_gives_what_retention_has_moved_since(place: TestStore) {
    let store = place.holding(of("bob", 3)).await;
    let mut cursor = store.tail(None).await.expect("reads").cursor;
    let new = of("alice", 50);
    place.sink().deliver(&batch(new.clone())).await.expect("delivered");
    let retention = Retention::new().sample(1.0).at(BEGIN.plus(Duration::from_hours(24 * 20)));
    let report = store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(report.archived, 2);
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    assert_eq!(sorted(news(&store, &mut cursor).await), sorted(ids(&new)), "what was seen before is not given again");
    assert!(news(&store, &mut cursor).await.is_empty());
}

async fn a_tail_goes_on_over_a_store_that_was_emptied(place: TestStore) {
    let store = place.holding(of("bob", 30)).await;
    let mut cursor = store.tail(None).await.expect("reads").cursor;
    place.execute("DELETE FROM logs").await;
    assert!(news(&store, &mut cursor).await.is_empty());
    // This includes a tail that begins while the store is empty.
    let mut other = store.tail(None).await.expect("reads").cursor;
    if place.is_sqlite() {
        place.execute("VACUUM").await;
    }
    let new = of("alice", 40);
    place.sink().deliver(&batch(new.clone())).await.expect("delivered");
    assert_eq!(sorted(news(&store, &mut cursor).await), sorted(ids(&new)));
    assert_eq!(sorted(news(&store, &mut other).await), sorted(ids(&new)));
}

async fn a_tail_of_many_small_steps_gives_each_row_once(place: TestStore) {
    let store = place.holding([]).await;
    let mut cursor = store.tail(None).await.expect("reads").cursor;
    let retention = Retention::new().sample(1.0).at(BEGIN.plus(Duration::from_hours(24 * 20)));
    let (mut written, mut seen) = (Vec::new(), Vec::new());
    for round in 0..12_u64 {
        let new = of(&format!("user-{}", round % 3), 15);
        written.extend(ids(&new));
        place.sink().deliver(&batch(new)).await.expect("delivered");
        if round % 4 == 1 {
            store::retain(&place.url, &retention, |_| {}).await.expect("decided");
        }
        if round % 2 == 0 {
            seen.extend(news(&store, &mut cursor).await);
        }
    }
    seen.extend(news(&store, &mut cursor).await);
    assert_eq!(seen.len(), written.len());
    assert_eq!(BTreeSet::from_iter(seen), BTreeSet::from_iter(written));
}

fn sorted(mut ids: Vec<Uuid>) -> Vec<Uuid> {
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn a_tail_of_a_file_that_another_took_the_place_of_begins_anew() {
    let place = TestStore::sqlite();
    let path = place.url.strip_prefix("sqlite:").expect("a file").to_owned();
    let store = place.holding(of("bob", 30)).await;
    let cursor = store.tail(None).await.expect("reads").cursor;
    for companion in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{path}{companion}"));
    }
    // The new store has as many rows or more, so that numbers alone would not tell them apart.
    for count in [10, 30, 50] {
        let new = of("alice", count);
        let other = TestStore::sqlite();
        other.holding(new.clone()).await;
        let other_path = other.url.strip_prefix("sqlite:").expect("a file");
        std::fs::copy(other_path, &path).expect("copied");
        let store = place.store().await;
        assert_eq!(sorted(news(&store, &mut cursor.clone()).await), sorted(ids(&new)));
        std::fs::remove_file(&path).expect("removed");
    }
}

#[tokio::test]
async fn a_tail_goes_on_over_a_file_whose_rows_were_moved_together() {
    let place = TestStore::sqlite();
    let mut store = place.holding(of("bob", 300)).await;
    let mut cursor = store.tail(None).await.expect("reads").cursor;
    place.execute("DELETE FROM logs WHERE number < 200; VACUUM").await;
    let new = of("alice", 20);
    place.sink().deliver(&batch(new.clone())).await.expect("delivered");
    store = place.store().await;
    assert_eq!(sorted(news(&store, &mut cursor).await), sorted(ids(&new)));
}
