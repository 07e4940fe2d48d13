//! Counts over time, groups of errors, costs, and what retrieval found.

use std::time::Duration;

use ragtrace::metrics::RunStatus;
use ragtrace::{Event, Record, Sink, StageDescriptor, Timestamp};
use ragtrace_store::retention::Retention;
use ragtrace_store::{
    self as store, CostRow, ErrorGroup, GroupBy, LogFilter, RetrievalStats, ScoreFilter, StageStats, TraceCounts,
    TraceFilter, Window,
};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::support::{BEGIN, Make, batch, ingestion, run};
use crate::test_store::TestStore;

over_both!(
    traces_are_counted_by_step_and_outcome,
    records_are_found_by_event_and_text,
    errors_are_grouped_by_what_they_are_about,
    counts_are_split_by_tenant_user_and_version,
    counts_over_time_add_up_to_those_of_the_window,
    costs_are_summed_by_tenant_and_model,
    numbers_that_are_absurd_spoil_no_sum,
    retrieval_is_judged_by_counts_and_best_scores,
    recent_scores_are_listed_in_pages,
    an_empty_store_has_no_statistics,
    what_was_archived_counts_as_well,
);

const OLD: StageDescriptor = StageDescriptor::new("embed", "rag").with_renamed_from(&"embedding");
const OTHER: StageDescriptor = StageDescriptor::new("other", "rag");
const EMBED: StageDescriptor = StageDescriptor::new("embedding", "rag").with_renamed_from(&"embed");
const RERANK: StageDescriptor = StageDescriptor::new("reranking", "rag");

fn at(minutes: u64) -> Timestamp {
    BEGIN.plus(Duration::from_mins(minutes))
}

/// Three hours, from the minute in which the records begin.
fn window() -> Window {
    Window::new(BEGIN, at(179))
}

fn trace_of(number: u64) -> String {
    Uuid::from_u128(u128::from(number) + 1).to_string()
}

/// Returns the end of a trace, some minutes after BEGIN.
fn ended(minutes: u64) -> Record {
    let status = if minutes.is_multiple_of(6) { "failed" } else { "completed" };
    let end = Make::new(status, "ask", 1, 0).trace(&trace_of(minutes)).with("local_root", true);
    let end = end.metrics(json!({"duration_ms": minutes})).with("user_id", format!("user-{}", minutes % 2));
    end.with("context", json!({"half": minutes % 2})).with("timestamp", at(minutes).to_string()).record()
}

/// A filter, and which traces it selects.
type Case = (TraceFilter, fn(u64) -> bool);

async fn traces_are_counted_by_step_and_outcome(place: TestStore) {
    let store = place.holding((0..120).map(ended)).await;
    let all = TraceFilter::new;
    let counts = async |filter: TraceFilter, steps| store.trace_counts(filter, window(), steps).await.expect("reads");
    let of_hours = counts(all(), 3).await;
    let expected = [(50, 10), (50, 10), (0, 0)];
    assert_eq!(of_hours.iter().map(|step| (step.completed(), step.failed())).collect::<Vec<_>>(), expected);
    assert_eq!((of_hours[0].from(), of_hours[2].until()), (window().since(), window().until()));
    let cases: [Case; 9] = [
        (all(), |_| true),
        (all().status(RunStatus::Failed), |n| n % 6 == 0),
        (all().user_id("user-1"), |n| n % 2 == 1),
        (all().longer_than(Duration::from_millis(60)), |n| n >= 60),
        (all().operation("ask").tenant_id("acme"), |_| true),
        (all().operation("none"), |_| false),
        (all().since(at(30)).until(at(45)), |n| (30..45).contains(&n)),
        (all().field("half", "1"), |n| n % 2 == 1),
        (all().ran("ask").session_id("none"), |_| false),
    ];
    for (filter, is_wanted) in cases {
        for steps in [1, 7, 60, 180, 1_000] {
            let counted = counts(filter.clone().limit(3), steps).await;
            assert_eq!(counted.len(), steps, "{filter:?}");
            for step in &counted {
                // A step may begin within a minute.
                let within = |n: &u64| step.from() <= at(*n) && at(*n) < step.until();
                let wanted: Vec<u64> = (0..120).filter(|n| is_wanted(*n)).filter(within).collect();
                let failed = wanted.iter().filter(|n| n.is_multiple_of(6)).count() as u64;
                let expected = (wanted.len() as u64 - failed, failed, 0);
                assert_eq!((step.completed(), step.failed(), step.cancelled()), expected, "{filter:?} {step:?}");
            }
        }
    }
    assert_eq!(store.trace_counts(all(), Window::new(at(9), at(1)), 5).await.expect("reads"), []);
    let json: Json = serde_json::from_str(&of_hours[0].to_json()).expect("JSON");
    assert_eq!((&json["completed"], &json["failed"]), (&json!(50), &json!(10)));
}

async fn records_are_found_by_event_and_text(place: TestStore) {
    let line = Make::new("log", "x", 9, 5).with("message", "Cached 100% of 'it_s' \u{130}");
    let store = place.holding(ingestion().into_iter().chain([line.record()])).await;
    let all = LogFilter::new;
    let long = "y".repeat(1 << 20);
    for (filter, expected) in [
        (all().event(Event::Failed), 2),
        (all().event(Event::Started), 4),
        (all().event(Event::Log), 1),
        (all().event(Event::Score), 0),
        (all().text("OVERLOADED"), 2),
        (all().text("embederror"), 2),
        (all().text("100%"), 1),
        (all().text("cached"), 1),
        (all().text("it_s"), 1),
        (all().text("itxs"), 0),
        (all().text("_chunking_"), 2),
        (all().text("\u{130}"), 1),
        (all().text("503 service"), 0),
        (all().text(""), 9),
        (all().text("\0"), 0),
        (all().text("' OR 1=1 --"), 0),
        (all().text(&long), 0),
        (all().text("chunk").event(Event::Started).stage("chunk_embedding").user_id("alice"), 1),
    ] {
        assert_eq!(store.logs(filter.clone()).await.expect("reads").len(), expected, "{:.200}", format!("{filter:?}"));
    }
    let first = store.logs(all().text("_").limit(4)).await.expect("reads");
    let rest = store.logs(all().text("_").after(first[3].position())).await.expect("reads");
    assert_eq!(first.len() + rest.len(), store.logs(all().text("_")).await.expect("reads").len());
    assert_eq!(store.errors(all().text("overloaded").event(Event::Failed)).await.expect("reads").len(), 2);
}

fn failure(number: u64, stage: &str, message: &str) -> Make {
    let error = json!({"type": "EmbedError", "message": message, "chain": []});
    Make::new("failed", stage, 1, number).trace(&trace_of(number)).with("error", error)
}

async fn errors_are_grouped_by_what_they_are_about(place: TestStore) {
    let line = |number: u64, message: &str| {
        let line = Make::new("log", "x", 1, number).with("level", "ERROR").with("stage", Json::Null);
        line.with("message", message).with("trace_id", Json::Null).record()
    };
    let mut records = vec![line(500, "disk 7 is full"), line(501, "disk 8 is full"), line(502, "no such file '/a'")];
    for number in 0..10 {
        let message = format!("no answer from 10.0.0.{number} after {number}.5s: \"request {number}\"");
        records.push(failure(number, "embedding", &message).with("user_id", format!("user-{}", number % 3)).record());
    }
    records.push(failure(20, "chunking", "no answer from 10.0.0.1 after 1.5s: \"x\"").record());
    let store = place.holding(records).await;
    let found = store.error_groups(LogFilter::new().limit(1)).await.expect("reads");
    assert!(!found.is_truncated());
    let summary: Vec<_> = found.groups().iter().map(|group| (group.stage(), group.count(), group.users())).collect();
    assert_eq!(summary, [(Some("embedding"), 10, 3), (None, 2, 0), (None, 1, 0), (Some("chunking"), 1, 1)]);
    let group = &found.groups()[0];
    assert_eq!(
        (group.error_type(), group.message()),
        (Some("EmbedError"), "no answer from <number> after <number>s: <text>")
    );
    let ms = |ms| BEGIN.plus(Duration::from_millis(ms));
    assert_eq!((group.first_seen(), group.last_seen()), (ms(0), ms(9)));
    assert_eq!(group.example().map(|id| id.to_string()), Some(trace_of(9)));
    assert_eq!((found.groups()[1].message(), found.groups()[1].error_type()), ("disk <number> is full", None));
    assert_eq!(found.groups()[1].example(), None);
    let json: Json = serde_json::from_str(&group.to_json()).expect("JSON");
    assert_eq!((&json["count"], &json["stage"]), (&json!(10), &json!("embedding")));
    let narrowed = async |filter: LogFilter| {
        let found = store.error_groups(filter).await.expect("reads");
        found.groups().iter().map(ErrorGroup::count).sum::<u64>()
    };
    assert_eq!(narrowed(LogFilter::new().stage("embedding")).await, 10);
    assert_eq!(narrowed(LogFilter::new().of(&OLD)).await, 10);
    assert_eq!(narrowed(LogFilter::new().user_id("user-1")).await, 3);
    assert_eq!(narrowed(LogFilter::new().text("DISK")).await, 2);
    assert_eq!(narrowed(LogFilter::new().trace_id(trace_of(4).parse().expect("an id"))).await, 1);
    assert_eq!(narrowed(LogFilter::new().since(ms(5)).until(ms(501))).await, 7);
    assert_eq!(narrowed(LogFilter::new().tenant_id("' OR 1=1 --")).await, 0);
}

/// Returns runs of one process of one version.
fn runs_of(version: Option<&str>, instance: u128, records: Vec<Make>) -> Vec<Record> {
    let instance = Uuid::from_u128(instance).to_string();
    let of = |make: Make| {
        let make = make.with("instance", instance.as_str());
        version.map_or(make.clone(), |version| make.with("version", version)).record()
    };
    records.into_iter().map(of).collect()
}

async fn counts_are_split_by_tenant_user_and_version(place: TestStore) {
    let end = |event: &str, user: Option<&str>, tenant: Option<&str>| {
        let end = Make::new(event, "retrieval", 1, 0).with("user_id", user.map_or(Json::Null, Json::from));
        let end = end.with("tenant_id", tenant.map_or(Json::Null, Json::from));
        end.metrics(json!({"duration_ms": 200, "count": 10, "cost_usd": 0.5}))
    };
    let sink = place.sink();
    let first = vec![
        end("completed", Some("alice"), Some("acme")),
        end("completed", Some("alice"), Some("acme")),
        end("failed", Some("bob"), Some("acme")),
        end("cancelled", None, None),
    ];
    sink.deliver(&batch(runs_of(Some("1.0"), 1, first))).await.expect("delivered");
    let second = vec![end("completed", Some("bob"), Some("beta")), end("failed", Some("bob"), Some("beta"))];
    sink.deliver(&batch(runs_of(Some("1.1"), 2, second))).await.expect("delivered");
    let third = vec![end("completed", Some("o'neil \"%\""), Some("beta"))];
    sink.deliver(&batch(runs_of(None, 3, third))).await.expect("delivered");
    let store = place.store().await;
    let by = async |by| {
        let stats = store.stage_stats_by(window(), by).await.expect("reads");
        let row = |stats: &StageStats| {
            assert_eq!((stats.stage(), stats.kind(), stats.items()), ("retrieval", "chunk", 10 * stats.runs()));
            let median = stats.quantile(0.5).expect("there were runs").as_secs_f64();
            assert!((0.196..0.204).contains(&median), "{median}");
            assert!((stats.mean_duration().as_secs_f64() - 0.2).abs() < 1e-6);
            #[expect(clippy::cast_precision_loss, reason = "few runs")]
            let cost = stats.runs() as f64 * 0.5;
            assert!((stats.cost_usd() - cost).abs() < 1e-9);
            (stats.group().map(str::to_owned), [stats.runs(), stats.completed(), stats.failed(), stats.cancelled()])
        };
        stats.iter().map(row).collect::<Vec<_>>()
    };
    let row = |group: Option<&str>, counts: [u64; 4]| (group.map(str::to_owned), counts);
    assert_eq!(
        by(GroupBy::Tenant).await,
        [row(None, [1, 0, 0, 1]), row(Some("acme"), [3, 2, 1, 0]), row(Some("beta"), [3, 2, 1, 0])]
    );
    assert_eq!(
        by(GroupBy::User).await,
        [
            row(None, [1, 0, 0, 1]),
            row(Some("alice"), [2, 2, 0, 0]),
            row(Some("bob"), [3, 1, 2, 0]),
            row(Some("o'neil \"%\""), [1, 1, 0, 0])
        ]
    );
    assert_eq!(
        by(GroupBy::Version).await,
        [row(None, [1, 1, 0, 0]), row(Some("1.0"), [4, 2, 1, 1]), row(Some("1.1"), [2, 1, 1, 0])]
    );
    let all = store.stage_stats(window()).await.expect("reads").remove(0);
    assert_eq!((all.group(), all.runs()), (None, 7));
    assert!((all.error_rate() - 2.0 / 7.0).abs() < 1e-9 && (all.cancel_rate() - 1.0 / 7.0).abs() < 1e-9);
    assert!((all.items_per_second().expect("items") - 50.0).abs() < 1e-6);
    for part in [GroupBy::Tenant, GroupBy::User, GroupBy::Version] {
        assert_eq!(store.stage_stats_by(window().of(&OTHER), part).await.expect("reads"), []);
        assert_eq!(store.stage_stats_by(Window::new(at(200), at(300)), part).await.expect("reads"), []);
    }
}

async fn counts_over_time_add_up_to_those_of_the_window(place: TestStore) {
    let run_at = |minutes: u64| {
        let stage = if minutes.is_multiple_of(3) { "retrieval" } else { "answer" };
        let (_, end) = run("completed", stage, minutes + 1, (0, 10));
        end.with("timestamp", at(minutes).to_string()).record()
    };
    let store = place.holding((0..300).map(run_at)).await;
    for (from, to) in [(0, 300), (7, 211), (30, 31), (400, 500)] {
        let window = Window::new(at(from), at(to));
        let whole = store.stage_stats(window).await.expect("reads");
        for step in [0, 1, 60, 90, 600, 3_600, 7_200, 86_400] {
            let points = store.stage_series(window, Duration::from_secs(step)).await.expect("reads");
            let key = |point: &store::StagePoint| (point.stats().stage().to_owned(), point.from());
            assert!(points.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])), "ordered by stage and time");
            for stats in &whole {
                let of_stage = || points.iter().filter(|point| point.stats().stage() == stats.stage());
                assert_eq!(
                    of_stage().map(|point| point.stats().runs()).sum::<u64>(),
                    stats.runs(),
                    "{from}..{to} {step} s"
                );
            }
            let seconds = i64::try_from(step.div_ceil(60).max(1) * 60).expect("small");
            assert!(points.iter().all(|point| point.from().as_micros() % (seconds * 1_000_000) == 0));
            assert_eq!(points.is_empty(), whole.is_empty());
        }
    }
    let point = store.stage_series(window(), Duration::from_hours(1)).await.expect("reads").remove(0);
    let json: Json = serde_json::from_str(&point.to_json()).expect("JSON");
    assert_eq!((&json["from"], &json["stage"]), (&json!(point.from().to_string()), &json!("answer")));
}

fn costs_of(rows: &[CostRow]) -> Vec<(Option<&str>, Option<&str>, [u64; 4])> {
    let numbers = |row: &CostRow| [row.runs(), row.input_tokens(), row.output_tokens(), row.cached_tokens()];
    rows.iter().map(|row| (row.tenant_id(), row.model(), numbers(row))).collect()
}

async fn costs_are_summed_by_tenant_and_model(place: TestStore) {
    let end = |stage: &str, tenant: &str, context: Json, metrics: Json| {
        let end = Make::new("completed", stage, 1, 0).with("tenant_id", tenant).with("context", context);
        end.metrics(metrics).record()
    };
    let model = || json!({"model": "m-1", "provider": "p"});
    let store = place
        .holding([
            end("answer", "acme", model(), json!({"input_tokens": 100, "output_tokens": 20, "cost_usd": 0.25})),
            end("answer", "acme", model(), json!({"input_tokens": 50, "cached_tokens": 40, "cost_usd": 0.25})),
            end("embed", "acme", json!({"model": "e-1", "input_tokens": 7}), json!({"duration_ms": 1})),
            end("answer", "beta", json!({}), json!({"cost_usd": 2.5})),
            end("parse", "beta", json!({"model": "m-1"}), json!({"count": 3})),
            end("parse", "beta", json!({"note": "input_tokens\" and cost_usd\""}), json!({"max_tokens": 9})),
            Make::new("started", "answer", 1, 0).with("context", json!({"input_tokens": 9})).record(),
        ])
        .await;
    let rows = store.costs(window()).await.expect("reads");
    assert_eq!(
        costs_of(&rows),
        [
            (Some("beta"), None, [1, 0, 0, 0]),
            (Some("acme"), Some("m-1"), [2, 150, 20, 40]),
            (Some("acme"), Some("e-1"), [1, 7, 0, 0])
        ]
    );
    assert!((rows[0].cost_usd() - 2.5).abs() < 1e-9 && (rows[1].cost_usd() - 0.5).abs() < 1e-9);
    assert_eq!((rows[1].provider(), rows[2].provider()), (Some("p"), None));
    assert_eq!(costs_of(&store.costs(window().of(&EMBED)).await.expect("reads")).len(), 1);
    assert_eq!(store.costs(Window::new(at(10), at(20))).await.expect("reads"), []);
    let json: Json = serde_json::from_str(&rows[1].to_json()).expect("JSON");
    assert_eq!((&json["model"], &json["input_tokens"]), (&json!("m-1"), &json!(150)));
}

async fn numbers_that_are_absurd_spoil_no_sum(place: TestStore) {
    let end = |metrics: Json| {
        let end = Make::new("completed", "answer", 1, 0).with("kind", "retrieve").metrics(metrics);
        end.with("generated", json!([{"type": "c", "id": "1", "score": 1e300}])).record()
    };
    let records = [
        end(json!({"input_tokens": u64::MAX, "cost_usd": 1e308, "count": u64::MAX, "duration_ms": 1e300})),
        end(json!({"input_tokens": u64::MAX, "cost_usd": 1e308, "count": u64::MAX, "top_score": 1e308})),
        end(json!({"input_tokens": -5, "cost_usd": "free", "output_tokens": "many", "top_score": "high"})),
    ];
    let store = place.holding(records).await;
    let costs = store.costs(window()).await.expect("reads");
    assert_eq!(costs[0].runs(), 3);
    assert!(costs[0].input_tokens() > 1_000_000);
    assert_eq!(store.retrieval_stats(window()).await.expect("reads")[0].runs(), 3);
    for by in [GroupBy::User, GroupBy::Tenant, GroupBy::Version] {
        assert_eq!(store.stage_stats_by(window(), by).await.expect("reads")[0].runs(), 3);
    }
}

async fn retrieval_is_judged_by_counts_and_best_scores(place: TestStore) {
    let end = |stage: &str, kind: &str, metrics: Json, scores: &[f64]| {
        let items: Vec<Json> = scores.iter().map(|score| json!({"type": "chunk", "id": "c", "score": score})).collect();
        Make::new("completed", stage, 1, 0).with("kind", kind).metrics(metrics).with("generated", items).record()
    };
    let store = place
        .holding([
            end("retrieval", "retrieve", json!({"count": 3}), &[0.25, 0.75, 0.5]),
            end("retrieval", "retrieve", json!({"count": 1, "top_score": 0.25}), &[0.9]),
            end("retrieval", "retrieve", json!({"count": 0}), &[]),
            end("reranking", "rerank", json!({"count": 2}), &[]),
            end("parse", "parse", json!({"count": 0, "top_score": 1}), &[]),
            Make::new("failed", "retrieval", 1, 0).with("kind", "retrieve").record(),
        ])
        .await;
    let rows = store.retrieval_stats(window()).await.expect("reads");
    let counts: Vec<_> = rows.iter().map(|row| (row.stage(), row.kind(), row.runs(), row.empty())).collect();
    assert_eq!(counts, [("reranking", "rerank", 1, 0), ("retrieval", "retrieve", 3, 1)]);
    assert_eq!((rows[0].mean_top_score(), rows[0].least_top_score()), (None, None));
    assert_eq!((rows[1].mean_top_score(), rows[1].least_top_score()), (Some(0.5), Some(0.25)));
    assert!((rows[1].empty_rate() - 1.0 / 3.0).abs() < 1e-9);
    let json: Json = serde_json::from_str(&rows[1].to_json()).expect("JSON");
    assert_eq!((&json["empty"], &json["mean_top_score"]), (&json!(1), &json!(0.5)));
    assert_eq!(store.retrieval_stats(window().of(&RERANK)).await.expect("reads").len(), 1);
}

async fn recent_scores_are_listed_in_pages(place: TestStore) {
    let score = |number: u64| {
        let (name, by) = if number.is_multiple_of(3) { ("it's \"%\"", "llm") } else { ("helpful", "human") };
        let judgement = json!({"name": name, "value": number.is_multiple_of(2), "by": by});
        Make::new("score", "x", 1, number / 2).trace(&trace_of(number)).with("score", judgement).record()
    };
    let store = place.holding((0..20).map(score)).await;
    let all = ScoreFilter::new;
    let ms = |ms| BEGIN.plus(Duration::from_millis(ms));
    let long = "x".repeat(1 << 20);
    for (filter, expected) in [
        (all(), 20),
        (all().name("helpful"), 13),
        (all().name("it's \"%\"").by("llm"), 7),
        (all().name("helpful").by("llm"), 0),
        (all().by("human"), 13),
        (all().tenant_id("acme"), 20),
        (all().tenant_id("beta"), 0),
        (all().since(ms(5)), 10),
        (all().since(ms(5)).until(ms(7)), 4),
        (all().name("%"), 0),
        (all().name("\0"), 0),
        (all().name(&long), 0),
        (all().limit(0), 0),
    ] {
        let found = store.recent_scores(filter.clone()).await.expect("reads");
        assert_eq!(found.len(), expected, "{:.200}", format!("{filter:?}"));
        assert!(found.windows(2).all(|pair| pair[0].position() > pair[1].position()), "the newest first");
        let (mut paged, mut page) = (Vec::new(), filter.limit(3));
        loop {
            let rows = store.recent_scores(page.clone()).await.expect("reads");
            let Some(last) = rows.last().filter(|_| expected > 0) else { break };
            page = page.after(last.position());
            paged.extend(rows);
        }
        assert_eq!(paged, found);
    }
}

async fn an_empty_store_has_no_statistics(place: TestStore) {
    let store = place.holding([]).await;
    assert_eq!(store.costs(window()).await.expect("reads"), []);
    assert_eq!(store.retrieval_stats(window()).await.expect("reads"), []);
    assert_eq!(store.recent_scores(ScoreFilter::new()).await.expect("reads"), []);
    assert_eq!(store.stage_series(window(), Duration::from_hours(1)).await.expect("reads"), []);
    assert_eq!(store.audit(10).await.expect("reads"), []);
    let groups = store.error_groups(LogFilter::new()).await.expect("reads");
    assert!(groups.groups().is_empty() && !groups.is_truncated());
    for by in [GroupBy::Tenant, GroupBy::User, GroupBy::Version] {
        assert_eq!(store.stage_stats_by(window(), by).await.expect("reads"), []);
    }
    let counts = store.trace_counts(TraceFilter::new(), window(), 10).await.expect("reads");
    assert_eq!(counts.iter().map(TraceCounts::total).sum::<u64>(), 0);
    assert_eq!(counts.len(), 10);
}

async fn what_was_archived_counts_as_well(place: TestStore) {
    let end = |number: u64| {
        let end = failure(number, "retrieval", "no answer").with("kind", "retrieve").with("local_root", true);
        end.metrics(json!({"cost_usd": 1, "duration_ms": 5, "count": 0})).record()
    };
    let done = |number: u64| {
        let end = Make::new("completed", "retrieval", 2, number).trace(&trace_of(number)).with("kind", "retrieve");
        end.metrics(json!({"count": 0, "duration_ms": 5})).record()
    };
    place.holding((0..10).flat_map(|number| [end(number), done(number)])).await;
    let retention = Retention::new().days(7).sample(0.0).at(BEGIN.plus(Duration::from_hours(24 * 9)));
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    place.sink().deliver(&batch([end(3), done(11)])).await.expect("delivered late");
    let store = place.store().await;
    assert_eq!(store.error_groups(LogFilter::new()).await.expect("reads").groups()[0].count(), 11);
    assert_eq!(store.costs(window()).await.expect("reads")[0].runs(), 11);
    assert_eq!(store.retrieval_stats(window()).await.expect("reads").first().map(RetrievalStats::empty), Some(11));
    let by_user = store.stage_stats_by(window(), GroupBy::User).await.expect("reads");
    assert_eq!((by_user[0].completed(), by_user[0].failed()), (11, 11));
}
