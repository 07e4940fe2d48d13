//! Links and items of records: written, read, moved, and given to older stores.

use std::time::Duration;

use ragtrace::{Record, Sink};
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, LogFilter};
use serde_json::json;

use crate::support::{BEGIN, Make, TRACE, batch, ingestion};
use crate::test_store::TestStore;

over_both!(
    links_and_items_are_read_back_as_they_were_written,
    links_and_items_move_to_the_archive,
    many_large_items_are_moved_and_erased,
    a_store_of_the_version_before_items_gets_their_columns_and_keeps_its_rows,
);

const OTHER: &str = "0199a1c2-7b1e-7a54-9c01-aaaaaaaaaaaa";

fn with_items() -> Make {
    let generated = json!([
        {"type": "chunk", "id": "c-1", "score": 0.91, "content": "a \"text\" with \u{202e} and ü", "source": "/a b.pdf"},
        {"type": "chunk", "id": "'; DROP TABLE logs; --", "score": -1.5e-7, "derived_from": "d-1"},
        {"type": "chunk", "id": "%_"},
    ]);
    Make::new("completed", "retrieval", 1, 10)
        .with("local_root", true)
        .with("links", json!([{"trace_id": OTHER, "span_id": "00000000000000ff"}]))
        .with("used", json!([{"type": "query", "id": "q-1"}]))
        .with("generated", generated)
}

async fn rows(place: &TestStore) -> Vec<Record> {
    let rows = place.store().await.logs(LogFilter::new()).await.expect("reads");
    rows.iter().map(|row| row.record().clone()).collect()
}

/// Small batches are written in another way than large ones over PostgreSQL.
async fn links_and_items_are_read_back_as_they_were_written(place: TestStore) {
    let one = with_items().record();
    assert_eq!((one.links().len(), one.used().len(), one.generated().len()), (1, 1, 3));
    place.holding([one.clone()]).await;
    assert_eq!(rows(&place).await, std::slice::from_ref(&one));
    let bare = Make::new("log", "x", 1, 0).record();
    let many = (0..1_200).map(|n| if n % 2 == 0 { bare.clone() } else { with_items().record() });
    let many: Vec<Record> = many.map(|record| Record::from_json(&record.to_json()).expect("a record")).collect();
    place.sink().deliver(&batch(many.into_iter().skip(1))).await.expect("delivered");
    let found = place.store().await.logs(LogFilter::new().limit(5_000)).await.expect("reads");
    assert_eq!(
        found.iter().filter(|row| row.generated() == one.generated() && row.links() == one.links()).count(),
        601
    );
    let trace = place.store().await.trace(TRACE.parse().expect("an id")).await.expect("reads").expect("there");
    assert_eq!(trace.roots().next().expect("a span").record().used(), one.used());
    assert_eq!(place.number("SELECT count(*) FROM logs WHERE event = 'log' AND used IS NOT NULL").await, 0);
}

async fn links_and_items_move_to_the_archive(place: TestStore) {
    let one = with_items().record();
    place.holding([one.clone()]).await;
    let retention = Retention::new().days(7).sample(1.0).at(BEGIN.plus(Duration::from_hours(24 * 9)));
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    assert_eq!(rows(&place).await, [one]);
}

async fn many_large_items_are_moved_and_erased(place: TestStore) {
    let content = "x".repeat(2_000);
    let items: Vec<_> =
        (0..100).map(|n| json!({"type": "chunk", "id": format!("c-{n}"), "content": content})).collect();
    let records =
        (0..40).map(|n| Make::new("completed", "retrieval", n + 1, n).with("generated", items.clone()).record());
    let records: Vec<Record> = records.collect();
    place.holding(records.clone()).await;
    let retention = Retention::new().days(7).sample(1.0).at(BEGIN.plus(Duration::from_hours(24 * 9)));
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 40);
    let found = rows(&place).await;
    assert!(records.iter().all(|record| found.contains(record)));
    let report = store::purge(&place.url, &Purge::of("alice"), |_| {}).await.expect("erased");
    assert_eq!(report.archived, 40);
    assert_eq!(rows(&place).await, []);
}

async fn a_store_of_the_version_before_items_gets_their_columns_and_keeps_its_rows(place: TestStore) {
    let archived = Make::new("failed", "old", 1, 0).trace(OTHER);
    place.holding(ingestion().into_iter().chain([archived.record()])).await;
    place.execute(&format!("INSERT INTO logs_archive SELECT * FROM logs WHERE trace_id = '{OTHER}'")).await;
    place.execute(&format!("DELETE FROM logs WHERE trace_id = '{OTHER}'")).await;
    let before = rows(&place).await;
    place.undo_third_migration().await;
    let told = store::open(&place.url).await.expect_err("it is older").to_string();
    assert!(told.contains("was made by an older version of ragtrace: run `ragtrace migrate`"), "{told}");
    if place.is_sqlite() {
        place.sink().deliver(&batch([])).await.expect("the sink brings it up");
    } else {
        store::migrate(&place.url).await.expect("it is brought up");
    }
    assert_eq!(rows(&place).await, before);
    place.sink().deliver(&batch([with_items().trace(OTHER).record()])).await.expect("delivered");
    let retention = Retention::new().days(7).sample(1.0).at(BEGIN.plus(Duration::from_hours(24 * 9)));
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    let after = rows(&place).await;
    assert_eq!(after.len(), before.len() + 1);
    assert!(before.iter().all(|record| after.contains(record)));
    assert_eq!(place.store().await.audit(10).await.expect("reads"), []);
}
