//! Ids that are longer than an index allows cost no record, neither their own nor another.

use ragtrace::metrics::StageMinute;
use ragtrace::{Record, Sink};
use ragtrace_store::retention::{Purge, Retention};
use ragtrace_store::{self as store, LogFilter, TraceFilter, Window};
use serde_json::json;
use uuid::Uuid;

use crate::support::{BEGIN, Make, batch, run};
use crate::test_store::TestStore;

over_both!(
    an_id_of_eight_kibibytes_in_any_field_is_stored_found_and_costs_nobody_anything,
    ids_that_begin_alike_are_told_apart,
    names_that_are_alike_once_cleaned_and_kinds_of_one_stage_add_up,
    counts_and_costs_beyond_all_bounds_leave_the_next_ones_be,
);

const BYTES: usize = 8 << 10;

/// Returns text that cannot be compressed.
fn noise(bytes: usize) -> String {
    let mut noise = String::new();
    while noise.len() < bytes {
        noise.push_str(&Uuid::new_v4().simple().to_string());
    }
    noise.truncate(bytes);
    noise
}

/// Returns such text of characters with three and four bytes.
fn wide_noise(bytes: usize) -> String {
    let mut wide = String::new();
    for byte in noise(bytes).bytes() {
        let next = char::from_u32(if wide.len().is_multiple_of(2) { 0x4e00 } else { 0x1_f300 } + u32::from(byte) * 7)
            .expect("one");
        if wide.len() + next.len_utf8() > bytes {
            break;
        }
        wide.push(next);
    }
    wide
}

/// Returns the failed end of a root stage in a trace of its own.
fn root(at: u64) -> Make {
    let (_, end) = run("failed", "retrieval", at + 1, (0, 10 + at));
    end.with("local_root", true).trace(&Uuid::from_u128(u128::from(at) + 1).to_string())
}

async fn runs_of(place: &TestStore, stage: &str) -> u64 {
    let day = std::time::Duration::from_hours(24);
    let stats = place.store().await.stage_stats(Window::new(BEGIN.minus(day), BEGIN.plus(day))).await.expect("reads");
    stats.iter().filter(|one| one.stage() == stage).map(ragtrace_store::StageStats::runs).sum()
}

async fn an_id_of_eight_kibibytes_in_any_field_is_stored_found_and_costs_nobody_anything(place: TestStore) {
    let fields = [
        "user_id",
        "tenant_id",
        "request_id",
        "session_id",
        "request_type",
        "logger",
        "stage",
        "message",
        "service",
        "environment",
        "version",
        "host",
        "thread",
    ];
    let sink = place.sink();
    let mut made: Vec<Record> = Vec::new();
    for (at, field) in fields.iter().flat_map(|field| [(0, field), (1, field)]) {
        let long = if at == 0 { noise(BYTES) } else { wide_noise(BYTES) };
        let number = made.len() as u64;
        let record = root(number).with(field, long).record();
        made.push(record.clone());
        // Beside an innocent record, and alone; twice, so that counts are added to an existing row.
        for records in [vec![record.clone(), root(1_000 + number).record()], vec![record]] {
            let again = records.into_iter().map(|one| (Uuid::new_v4(), one));
            let again = again.map(|(id, one)| {
                let mut json: serde_json::Value = serde_json::from_str(&one.to_json()).expect("JSON");
                json["id"] = json!(id.to_string());
                Record::from_json(&json.to_string()).expect("a record")
            });
            sink.deliver(&batch(again)).await.unwrap_or_else(|error| panic!("{field}: {error}"));
        }
    }
    // All at once, enough for COPY.
    let many = (0..1_200).map(|at| root(at % 20).with("user_id", noise(900)).with("tenant_id", wide_noise(900)));
    sink.deliver(&batch(many.map(|make| make.with("id", Uuid::new_v4().to_string()).record()))).await.expect("many");
    let rows = 3 * i64::try_from(made.len()).expect("few") + 1_200;
    assert_eq!(place.number("SELECT count(*) FROM logs").await, rows);
    assert_eq!(place.number("SELECT count(*) FROM request_metrics").await, rows);
    assert_eq!(place.number("SELECT CAST(sum(runs) AS BIGINT) FROM stage_minutes").await, rows);
    let store = place.store().await;
    for record in &made {
        let all = LogFilter::new();
        for filter in [
            record.user_id().filter(|id| id.len() > 100).map(|id| all.clone().user_id(id)),
            record.tenant_id().filter(|id| id.len() > 100).map(|id| all.clone().tenant_id(id)),
            record.request_id().filter(|id| id.len() > 100).map(|id| all.clone().request_id(id)),
            record.session_id().filter(|id| id.len() > 100).map(|id| all.clone().session_id(id)),
            record.stage().filter(|id| id.len() > 100).map(|id| all.clone().stage(id)),
        ]
        .into_iter()
        .flatten()
        {
            assert_eq!(store.logs(filter.clone()).await.expect("reads").len(), 2);
            assert_eq!(store.errors(filter).await.expect("reads").len(), 2);
        }
    }
    let user = made[0].user_id().expect("long");
    assert_eq!(store.traces(TraceFilter::new().user_id(user)).await.expect("reads").len(), 2);
    let stage = made.iter().find_map(|record| record.stage().filter(|name| name.len() > 100)).expect("long");
    assert_eq!(store.traces(TraceFilter::new().operation(stage)).await.expect("reads").len(), 2);
    assert_eq!(runs_of(&place, stage).await, 2);
    let later = BEGIN.plus(std::time::Duration::from_hours(240));
    store::retain(&place.url, &Retention::new().at(later), |_| {}).await.expect("retains");
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, rows);
    let purged = store::purge(&place.url, &Purge::of(user), |_| {}).await.expect("purges");
    assert!(purged.archived >= 2 && purged.requests >= 2, "{purged:?}");
}

async fn ids_that_begin_alike_are_told_apart(place: TestStore) {
    let common = "x".repeat(4_000);
    let sink = place.sink();
    let ids = ["", "a", "b", "ab"].map(|end| format!("{common}{end}"));
    for round in 0..3 {
        let records = ids.iter().enumerate().map(|(at, id)| {
            let make = root(round * 10 + at as u64).with("user_id", id.as_str()).with("tenant_id", id.as_str());
            make.with("stage", id.as_str()).record()
        });
        sink.deliver(&batch(records)).await.expect("delivered");
    }
    let store = place.store().await;
    for id in &ids {
        assert_eq!(store.errors(LogFilter::new().user_id(id)).await.expect("reads").len(), 3);
        assert_eq!(store.traces(TraceFilter::new().operation(id)).await.expect("reads").len(), 3);
        assert_eq!(runs_of(&place, id).await, 3);
    }
    assert_eq!(place.number("SELECT count(*) FROM stage_minutes").await, 4);
    assert_eq!(place.number("SELECT count(DISTINCT tenant_id) FROM stage_minutes").await, 4);
    assert_eq!(store.errors(LogFilter::new().user_id(&common[1..])).await.expect("reads").len(), 0);
}

async fn names_that_are_alike_once_cleaned_and_kinds_of_one_stage_add_up(place: TestStore) {
    let sink = place.sink();
    for _ in 0..2 {
        let records = ["a\u{0}", "a\u{fffd}", "a"].iter().flat_map(|tenant| {
            ["chunk", "embed"].map(|kind| {
                let make = root(1).with("tenant_id", *tenant).with("kind", kind);
                make.with("id", Uuid::new_v4().to_string()).record()
            })
        });
        sink.deliver(&batch(records.collect::<Vec<_>>())).await.expect("delivered");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 12);
    assert_eq!(place.number("SELECT CAST(sum(runs) AS BIGINT) FROM stage_minutes").await, 12);
    assert_eq!(runs_of(&place, "retrieval").await, 12);
}

async fn counts_and_costs_beyond_all_bounds_leave_the_next_ones_be(place: TestStore) {
    let sink = place.sink();
    for round in 0..3 {
        let absurd = root(round).metrics(json!({"duration_ms": 1, "cost_usd": 1.7e308, "count": u64::MAX}));
        let records = [absurd.clone(), absurd.with("id", Uuid::new_v4().to_string()), root(100 + round)];
        let early = root(200 + round).with("timestamp", "0000-01-01T00:00:00.000000Z");
        let records: Vec<_> = records.iter().chain([&early]).map(Make::record).collect();
        assert_eq!(records.iter().filter_map(StageMinute::of).count(), 4);
        sink.deliver(&batch(records)).await.expect("delivered");
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 12);
    assert_eq!(place.number("SELECT CAST(sum(runs) AS BIGINT) FROM stage_minutes").await, 12);
}
