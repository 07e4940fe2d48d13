//! Scores: they are written beside the rows of their traces, read with them, and removed with them.

use std::time::Duration;

use ragtrace::sink::Delivered;
use ragtrace::{Record, Sink, SpanId, Timestamp, TraceId, Value};
use ragtrace_store as store;
use ragtrace_store::LogFilter;
use ragtrace_store::retention::{Purge, Retention};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::support::{BEGIN, INSTANCE, Make, TRACE, batch, ingestion};
use crate::test_store::TestStore;

over_both!(
    a_score_comes_back_as_it_was,
    a_trace_has_the_scores_of_its_spans,
    a_score_that_is_delivered_again_makes_one_row,
    a_score_of_another_tenants_trace_is_refused_for_that_reason_however_often_it_comes,
    scores_that_are_refused_alone_do_not_park_a_store_that_is_well,
    a_score_that_was_refused_is_taken_once_the_tenant_of_its_trace_is_mended,
    a_score_that_is_there_is_not_refused_when_it_comes_again,
    a_score_without_a_tenant_takes_that_of_its_trace,
    what_is_no_judgement_on_a_trace_is_refused_and_the_rest_is_written,
    scores_follow_the_verdict_of_their_trace,
    a_score_of_a_trace_that_the_archive_has_forgotten_goes_with_the_next_job,
    scores_of_no_trace_that_is_here_go_by_their_own_age,
    a_person_is_erased_with_the_scores_of_their_traces_and_those_that_they_gave,
    a_store_of_the_version_before_scores_gets_their_table,
);

const DAY: Duration = Duration::from_hours(24);

fn trace_id(text: &str) -> TraceId {
    text.parse().expect("an id")
}

fn of(number: u128) -> String {
    Uuid::from_u128(number).to_string()
}

fn score(name: &str, value: impl Into<Json>) -> Make {
    let no_stage = Make::new("score", name, 1, 2_000)
        .with("span_id", Json::Null)
        .with("stage", Json::Null)
        .with("kind", Json::Null)
        .with("logger", "score")
        .with("request_id", Json::Null)
        .with("request_type", Json::Null)
        .with("message", format!("{name}_scored"));
    no_stage.with("score", json!({"name": name, "value": value.into()}))
}

fn json_of(record: &Record) -> Json {
    serde_json::from_str(&record.to_json()).expect("JSON")
}

async fn a_score_comes_back_as_it_was(place: TestStore) {
    let odd = "'\"; DROP TABLE scores; --\u{1b}[31m \u{202e}𝔘𝔫𝔦\u{fffd} \\u0000 NaN";
    let mut scores = vec![
        score(odd, odd).with("user_id", odd),
        score("helpful", true),
        score("helpful", false).with("span_id", "00000000000000ff"),
        score("tone", "").with("user_id", Json::Null),
    ];
    for number in [0.83, 0.1 + 0.2, -0.0, 1e308, -5e-324, 9_007_199_254_740_993.0, 1.0 / 3.0] {
        scores.push(score("number", number));
    }
    let full = json!({"name": "faithfulness", "value": 1.5, "by": "llm", "comment": odd});
    let full = score("faithfulness", 1.5).with("score", full);
    scores.push(full.with("environment", "test").with("version", "1.2").with("host", "h").with("thread", "t"));
    // One after the other, by time.
    let records: Vec<Record> = (0..)
        .zip(&scores)
        .map(|(at, score)| score.clone().with("timestamp", BEGIN.plus(Duration::from_millis(at)).to_string()).record())
        .collect();
    let store = place.holding(records.iter().rev().cloned()).await;
    let rows = store.scores(trace_id(TRACE)).await.expect("reads");
    assert_eq!(rows.len(), records.len());
    for (row, record) in rows.iter().zip(&records) {
        assert_eq!(json_of(row), json_of(record));
        let score = record.score().expect("a judgement");
        assert_eq!((row.name(), row.value()), (score.name(), score.value()));
        assert_eq!((row.by(), row.comment()), (score.by(), score.comment()));
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 0);
    assert!(store.trace(trace_id(TRACE)).await.expect("reads").is_none(), "it has no records");
    assert_eq!(store.scores(trace_id(&of(7))).await.expect("reads"), []);
}

async fn a_trace_has_the_scores_of_its_spans(place: TestStore) {
    let of_span = score("faithfulness", 0.83).with("span_id", "0000000000000004");
    let of_trace = score("helpful", true);
    let of_other = score("helpful", false).trace(&of(7));
    let scores = [of_trace.record(), of_span.record(), of_other.record()];
    let store = place.holding(ingestion().into_iter().chain(scores)).await;
    let trace = store.trace(trace_id(TRACE)).await.expect("reads").expect("it is there");
    assert_eq!((trace.logs().len(), trace.spans().len(), trace.scores().len()), (8, 4, 2));
    let span = trace.span(SpanId::from_u64(4).expect("an id")).expect("it is there");
    let names: Vec<_> = span.scores().map(|score| (score.name().to_owned(), score.value().clone())).collect();
    assert_eq!(names, [("faithfulness".to_owned(), Value::F64(0.83))]);
    let written: Json = serde_json::from_str(&trace.to_json()).expect("JSON");
    let listed = written["scores"].as_array().expect("a list");
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().any(|score| score["score"] == json!({"name": "faithfulness", "value": 0.83})
        && score["span_id"] == "0000000000000004"
        && score["created_at"].is_string()));
    assert_eq!(store.logs(LogFilter::new()).await.expect("reads").len(), 8, "no score is a log line");
    assert_eq!(store.latest_trace().await.expect("reads").map(|trace| trace.scores().len()), Some(2));
}

async fn a_score_that_is_delivered_again_makes_one_row(place: TestStore) {
    let (one, two) = (score("helpful", true).record(), score("stars", 4).record());
    let whole = batch(ingestion().into_iter().chain([one.clone(), two.clone()]));
    let sink = place.sink();
    for again in [&whole, &whole, &batch([one]), &batch([two])] {
        let delivered = sink.deliver(again).await.expect("acknowledged");
        assert_eq!(delivered.rejected(), []);
    }
    assert_eq!(place.number("SELECT count(*) FROM scores").await, 2);
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 8);
}

async fn a_score_of_another_tenants_trace_is_refused_for_that_reason_however_often_it_comes(place: TestStore) {
    let sink = place.sink();
    let foreign = score("helpful", false).with("tenant_id", "beta").record();
    let own = score("helpful", true).record();
    // The trace comes in the same batch, and later it is already stored.
    let first = batch([foreign.clone()].into_iter().chain(ingestion()).chain([own]));
    let reason = "the trace of the score belongs to another tenant".to_owned();
    for (again, index) in [(&first, 0), (&first, 0), (&batch([foreign.clone()]), 0)] {
        let delivered = sink.deliver(again).await.expect("acknowledged");
        assert_eq!(delivered.rejected(), [(index, reason.clone())]);
    }
    assert_eq!(place.number("SELECT count(*) FROM scores").await, 1);
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 8);
    // Archived traces are known too, and so are traces that are known only by their request.
    let retention = Retention::new().sample(1.0).at(BEGIN.plus(DAY * 20));
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    assert_eq!(place.number("SELECT count(*) FROM logs_archive").await, 8);
    assert_eq!(sink.deliver(&batch([foreign.clone()])).await.expect("acknowledged").rejected().len(), 1);
    place.execute("DELETE FROM logs_archive").await;
    assert_eq!(sink.deliver(&batch([foreign.clone()])).await.expect("acknowledged").rejected().len(), 1);
    place.execute("DELETE FROM request_metrics").await;
    assert_eq!(sink.deliver(&batch([foreign])).await.expect("acknowledged").rejected(), [], "nobody knows it now");
}

async fn scores_that_are_refused_alone_do_not_park_a_store_that_is_well(place: TestStore) {
    let sink = place.sink();
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    let foreign = score("helpful", false).with("tenant_id", "beta");
    let reason = "the trace of the score belongs to another tenant".to_owned();
    for (bad, reason) in [
        (foreign, reason),
        (score("helpful", true).with("trace_id", Json::Null), "the score is of no trace".to_owned()),
        (score("helpful", true).with("score", Json::Null), "the score has no judgement".to_owned()),
    ] {
        // An unsent record does not count as refused by the backend, of which several in a row park
        // the sink.
        let answer = sink.deliver(&batch([bad.record()])).await.expect("acknowledged");
        assert_eq!(answer, Delivered::unsent([(0, reason)]));
    }
    let mixed = batch([score("helpful", true).record(), score("stars", 1).record()]);
    assert_eq!(sink.deliver(&mixed).await.expect("acknowledged"), Delivered::all());
}

async fn a_score_that_was_refused_is_taken_once_the_tenant_of_its_trace_is_mended(place: TestStore) {
    let foreign = || score("helpful", false).with("tenant_id", "beta").record();
    let of_nobody = score("helpful", true).with("tenant_id", Json::Null).record();
    // Each comes again with the id that it had, since a dead letter is always replayed with the
    // same id.
    let (alone, together) = (batch([foreign()]), batch([of_nobody, foreign()]));
    let sink = place.sink();
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    for _ in 0..2 {
        assert_eq!(sink.deliver(&alone).await.expect("acknowledged").rejected().len(), 1);
        assert_eq!(sink.deliver(&together).await.expect("acknowledged").rejected().len(), 1);
    }
    assert_eq!(place.number("SELECT count(*) FROM scores").await, 1);
    place.execute("UPDATE logs SET tenant_id = 'beta'; UPDATE request_metrics SET tenant_id = 'beta'").await;
    for _ in 0..2 {
        assert_eq!(sink.deliver(&alone).await.expect("acknowledged").rejected(), []);
        assert_eq!(sink.deliver(&together).await.expect("acknowledged").rejected(), []);
        assert_eq!(place.number("SELECT count(*) FROM scores").await, 3);
    }
    assert_eq!(place.number("SELECT count(*) FROM logs").await, 8);
}

async fn a_score_that_is_there_is_not_refused_when_it_comes_again(place: TestStore) {
    let early = score("helpful", false).with("tenant_id", "beta").record();
    let new = || score("stars", 1).with("tenant_id", "beta").record();
    let (first, sink) = (batch([early.clone()]), place.sink());
    assert_eq!(sink.deliver(&first).await.expect("acknowledged").rejected(), [], "nobody knows its trace");
    sink.deliver(&batch(ingestion())).await.expect("delivered");
    // The answer was lost on the way, or the score comes again as a dead letter, or among others.
    for again in [&first, &batch([early.clone()])] {
        assert_eq!(sink.deliver(again).await.expect("acknowledged").rejected(), []);
    }
    let among = batch([new(), early, new()]);
    for _ in 0..2 {
        let delivered = sink.deliver(&among).await.expect("acknowledged");
        let mut refused: Vec<_> = delivered.rejected().iter().map(|(index, _)| *index).collect();
        refused.sort_unstable();
        assert_eq!(refused, [0, 2]);
    }
    assert_eq!(place.number("SELECT count(*) FROM scores").await, 1);
}

async fn a_score_without_a_tenant_takes_that_of_its_trace(place: TestStore) {
    let nobodys = || score("recall", 0.5).with("tenant_id", Json::Null);
    let untenanted = |stage| Make::new("completed", stage, 1, 0).trace(&of(7)).with("tenant_id", Json::Null);
    let records = [
        nobodys().record(),
        nobodys().trace(&of(7)).record(),
        nobodys().trace(&of(8)).record(),
        untenanted("retrieval").record(),
        untenanted("answer").with("tenant_id", "beta").with("timestamp", BEGIN.plus(DAY).to_string()).record(),
    ];
    let store = place.holding(ingestion().into_iter().chain(records)).await;
    for (trace, tenant) in [(TRACE, Some("acme")), (&of(7), Some("beta")), (&of(8), None)] {
        let scores = store.scores(trace_id(trace)).await.expect("reads");
        assert_eq!(scores.iter().map(|score| score.tenant_id()).collect::<Vec<_>>(), [tenant]);
    }
}

async fn what_is_no_judgement_on_a_trace_is_refused_and_the_rest_is_written(place: TestStore) {
    let loose = score("helpful", true).with("trace_id", Json::Null).record();
    let empty = score("helpful", true).with("score", Json::Null).record();
    let records = [loose, score("helpful", true).record(), empty];
    let delivered = place.sink().deliver(&batch(records)).await.expect("acknowledged");
    let reasons = [(0, "the score is of no trace".to_owned()), (2, "the score has no judgement".to_owned())];
    let mut refused = delivered.rejected().to_vec();
    refused.sort_unstable();
    assert_eq!(refused, reasons);
    assert_eq!(place.number("SELECT count(*) FROM scores").await, 1);
}

/// Returns the record of a stage, and two scores, on days counted from that of BEGIN.
fn judged(number: u128, fails: bool) -> Vec<Record> {
    let event = if fails { "failed" } else { "completed" };
    let scored = [0, 1].map(|day| {
        let at = BEGIN.plus(DAY * day).to_string();
        score("helpful", true).trace(&of(number)).with("timestamp", at).record()
    });
    [Make::new(event, "retrieval", 1, 0).trace(&of(number)).record()].into_iter().chain(scored).collect()
}

async fn scores_by_trace(place: &TestStore, traces: &[u128]) -> Vec<i64> {
    let mut found = Vec::new();
    for number in traces {
        found.push(place.number(&format!("SELECT count(*) FROM scores WHERE trace_id = '{}'", of(*number))).await);
    }
    found
}

async fn retain_on(place: &TestStore, day: u32) {
    let retention = Retention::new().days(7).archive_days(30).sample(0.0).at(BEGIN.plus(DAY * day));
    store::retain(&place.url, &retention.dry_run(true), |_| {}).await.expect("nothing is done");
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
}

async fn scores_follow_the_verdict_of_their_trace(place: TestStore) {
    place.holding(judged(1, true).into_iter().chain(judged(2, false))).await;
    retain_on(&place, 7).await;
    assert_eq!(scores_by_trace(&place, &[1, 2]).await, [2, 2], "too young");
    retain_on(&place, 9).await;
    assert_eq!(scores_by_trace(&place, &[1, 2]).await, [2, 0]);
    let kept = place.store().await.trace(trace_id(&of(1))).await.expect("reads").expect("it is in the archive");
    assert_eq!(kept.scores().len(), 2);
    // A late score of each trace.
    let late = [1, 2].map(|number| score("stars", 1).trace(&of(number)).record());
    place.sink().deliver(&batch(late)).await.expect("delivered");
    assert_eq!(scores_by_trace(&place, &[1, 2]).await, [3, 1]);
    retain_on(&place, 10).await;
    assert_eq!(scores_by_trace(&place, &[1, 2]).await, [3, 0]);
    retain_on(&place, 40).await;
    assert_eq!(scores_by_trace(&place, &[1, 2]).await, [0, 0], "the archive has forgotten it");
}

async fn a_score_of_a_trace_that_the_archive_has_forgotten_goes_with_the_next_job(place: TestStore) {
    place.holding(judged(1, true)).await;
    let of_day = |number: u128, day: u32| {
        score("stars", 1).trace(&of(number)).with("timestamp", BEGIN.plus(DAY * day).to_string()).record()
    };
    retain_on(&place, 9).await;
    place.sink().deliver(&batch([of_day(1, 20)])).await.expect("delivered");
    retain_on(&place, 21).await;
    assert_eq!(scores_by_trace(&place, &[1]).await, [3], "the archive holds its trace");
    retain_on(&place, 40).await;
    // Neither is old: one score of a trace that was removed, and one of a trace that was never
    // stored.
    place.sink().deliver(&batch([of_day(1, 39), of_day(9, 39)])).await.expect("delivered");
    assert_eq!(scores_by_trace(&place, &[1, 9]).await, [1, 1]);
    retain_on(&place, 41).await;
    assert_eq!(scores_by_trace(&place, &[1, 9]).await, [0, 1]);
}

async fn scores_of_no_trace_that_is_here_go_by_their_own_age(place: TestStore) {
    let young = score("helpful", true).trace(&of(2)).with("timestamp", BEGIN.plus(DAY * 20).to_string());
    // A trace that lasts for long keeps its scores, however old they are.
    let long = Make::new("failed", "retrieval", 1, 0).trace(&of(3)).with("timestamp", BEGIN.plus(DAY * 39).to_string());
    let of_long = score("helpful", true).trace(&of(3)).record();
    place.holding([score("helpful", true).trace(&of(1)).record(), young.record(), long.record(), of_long]).await;
    retain_on(&place, 29).await;
    assert_eq!(scores_by_trace(&place, &[1, 2, 3]).await, [1, 1, 1]);
    retain_on(&place, 40).await;
    assert_eq!(scores_by_trace(&place, &[1, 2, 3]).await, [0, 1, 1]);
}

async fn a_person_is_erased_with_the_scores_of_their_traces_and_those_that_they_gave(place: TestStore) {
    let of_bob = Make::new("completed", "retrieval", 1, 0).trace(&of(2)).with("user_id", "bob");
    let by = |user: &str, trace: &str| score("helpful", true).trace(trace).with("user_id", user).record();
    let scores = [by("alice", TRACE), by("bob", TRACE), by("alice", &of(2)), by("bob", &of(2)), by("alice", &of(3))];
    place.holding(ingestion().into_iter().chain([of_bob.record()]).chain(scores)).await;
    let purge = Purge::of("alice");
    for is_dry in [true, false, false] {
        let before = place.number("SELECT count(*) FROM scores").await;
        let report = store::purge(&place.url, &purge.clone().dry_run(is_dry), |_| {}).await.expect("erased");
        let expected = if before == 5 { (4, 8) } else { (0, 0) };
        assert_eq!((report.scores, report.logs), expected, "{report:?}");
        assert_eq!(place.number("SELECT count(*) FROM scores").await, if is_dry { before } else { 1 });
    }
    assert_eq!(place.number("SELECT count(*) FROM scores WHERE user_id = 'bob'").await, 1);
}

async fn a_store_of_the_version_before_scores_gets_their_table(place: TestStore) {
    place.holding(ingestion()).await;
    if !place.is_sqlite() {
        let reader = format!("reads_old_{}", Uuid::new_v4().simple());
        place.execute(&format!("CREATE ROLE {reader} LOGIN; SELECT allow_reader('{reader}', 'acme')")).await;
        place.execute("INSERT INTO tenant_readers VALUES ('nobody_any_more', 'acme')").await;
        place.execute("DROP FUNCTION tenant_of_trace").await;
    }
    place.undo_third_migration().await;
    place.execute("DROP TABLE scores; DELETE FROM ragtrace_migrations WHERE version = 2").await;
    let told = store::open(&place.url).await.expect_err("it is older").to_string();
    assert!(told.contains("was made by an older version of ragtrace: run `ragtrace migrate`"), "{told}");
    place.sink().deliver(&batch([score("helpful", true).record()])).await.expect("the sink brings it up");
    let trace = place.store().await.trace(trace_id(TRACE)).await.expect("reads").expect("what was there is there");
    assert_eq!((trace.logs().len(), trace.scores().len()), (8, 1));
    assert_eq!(trace.scores()[0].instance().to_string(), INSTANCE);
    assert!(trace.scores()[0].created_at() > Timestamp::from_micros(0));
    if !place.is_sqlite() {
        let granted = "SELECT count(*) FROM tenant_readers WHERE reader LIKE 'reads_old_%'
            AND has_table_privilege(reader, 'scores', 'SELECT')";
        assert_eq!(place.number(granted).await, 1);
    }
}
