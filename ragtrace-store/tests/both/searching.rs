//! Searches for traces by their duration and by what their records hold.

use std::time::Duration;

use ragtrace::metrics::RunStatus;
use ragtrace::{Record, Sink, TraceId};
use ragtrace_store::retention::Retention;
use ragtrace_store::{self as store, LogStore, TraceFilter};
use serde_json::json;
use uuid::Uuid;

use crate::support::{BEGIN, Make, batch};
use crate::test_store::TestStore;

over_both!(
    traces_are_found_by_their_duration_and_by_what_their_records_hold,
    a_page_of_a_search_is_full_unless_the_list_has_ended,
    a_search_text_has_no_characters_of_its_own_meaning,
    a_field_is_found_whatever_its_name_and_value,
    a_condition_that_thousands_of_traces_meet_is_searched_for_as_exactly,
    records_in_the_archive_count_in_a_search,
    an_empty_store_has_nothing_to_find,
);

const TRACES: u64 = 40;

fn id_of(number: u64) -> TraceId {
    Uuid::from_u128(u128::from(number)).to_string().parse().expect("an id")
}

fn stage_of(number: u64) -> &'static str {
    if number.is_multiple_of(10) { "reranking" } else { "retrieval" }
}

/// Returns a trace that ended so many seconds after BEGIN and took ten times as many milliseconds.
/// Every fifth failed inside, and every seventh logged an error.
fn trace(number: u64) -> Vec<Record> {
    let (id, at) = (id_of(number).to_string(), number * 1_000);
    let of = |make: Make| make.trace(&id).with("user_id", format!("user-{}", number % 3)).record();
    let root = Make::new("completed", if number.is_multiple_of(2) { "ask" } else { "ingestion" }, 1, at);
    let root = root.with("local_root", true).metrics(json!({"duration_ms": number * 10}));
    let context =
        json!({"doc.name": format!("report-{}.pdf", number % 4), "pages": number, "draft": number.is_multiple_of(2)});
    let mut records = vec![of(root)];
    if number.is_multiple_of(5) {
        let error = json!({"type": "TimeoutError", "message": "the Model is 100% over_loaded", "chain": []});
        records.push(of(Make::new("failed", stage_of(number), 2, at - 5).parent(1).with("error", error)));
    } else {
        let end = Make::new("completed", stage_of(number), 2, at - 5).parent(1);
        records.push(of(end.with("context", context)));
    }
    if number.is_multiple_of(7) {
        let line = Make::new("log", stage_of(number), 2, at - 6).with("level", "ERROR");
        records.push(of(line.with("message", "the disk of 'node-1' is full")));
    }
    records
}

async fn numbers(store: &LogStore, filter: TraceFilter) -> Vec<u64> {
    let found = store.traces(filter).await.expect("reads");
    let number = |id: TraceId| u64::try_from(id.as_u128()).expect("a number");
    found.iter().map(|trace| number(trace.trace_id())).collect()
}

/// A filter, and which traces it selects.
type Case = (TraceFilter, fn(u64) -> bool);

fn cases() -> Vec<Case> {
    let all = TraceFilter::new;
    vec![
        (all().longer_than(Duration::from_millis(300)), |n| n >= 30),
        (all().longer_than(Duration::from_millis(100)).status(RunStatus::Failed), |_| false),
        (all().longer_than(Duration::MAX), |_| false),
        (all().longer_than(Duration::ZERO), |_| true),
        (all().ran("reranking"), |n| n % 10 == 0),
        (all().ran("ask"), |n| n % 2 == 0),
        (all().ran("ask").ran("reranking").user_id("user-1"), |n| n % 10 == 0 && n % 3 == 1),
        (all().ran("retrieval").operation("ask"), |n| n % 2 == 0 && n % 10 != 0),
        (all().ran("rerank"), |_| false),
        (all().error("timeouterror"), |n| n % 5 == 0),
        (all().error("MODEL is"), |n| n % 5 == 0),
        (all().error("the disk"), |n| n % 7 == 0),
        (all().error("the"), |n| n % 5 == 0 || n % 7 == 0),
        (all().error("the disk").error("model"), |n| n % 35 == 0),
        (all().error("reranking_failed"), |_| false),
        (all().error("model").ran("retrieval"), |n| n % 5 == 0 && n % 10 != 0),
        (all().field("doc.name", "report-3.pdf"), |n| n % 4 == 3 && n % 5 != 0),
        (all().field("pages", "12"), |n| n == 12),
        (all().field("draft", "true"), |n| n % 2 == 0 && n % 5 != 0),
        (all().field("draft", "true").field("doc.name", "report-0.pdf"), |n| n % 4 == 0 && n % 5 != 0),
        (all().field("doc.name", "report-1.pdf").error("disk"), |n| n % 4 == 1 && n % 5 != 0 && n % 7 == 0),
        (all().field("doc", "report-1.pdf"), |_| false),
        (all().field("doc.name", "REPORT-1.pdf"), |_| false),
        (all().field("draft", "false").since(BEGIN.plus(Duration::from_secs(20))), |n| {
            n % 2 == 1 && n % 5 != 0 && n >= 20
        }),
        (all().error("model").until(BEGIN.plus(Duration::from_secs(20))), |n| n % 5 == 0 && n < 20),
        (all().tenant_id("acme").session_id("none").ran("ask"), |_| false),
    ]
}

async fn traces_are_found_by_their_duration_and_by_what_their_records_hold(place: TestStore) {
    let store = place.holding((1..=TRACES).flat_map(trace)).await;
    for (filter, is_wanted) in cases() {
        let expected: Vec<u64> = (1..=TRACES).rev().filter(|n| is_wanted(*n)).collect();
        assert_eq!(numbers(&store, filter.clone()).await, expected, "{filter:?}");
    }
}

async fn a_page_of_a_search_is_full_unless_the_list_has_ended(place: TestStore) {
    let store = place.holding((1..=TRACES).flat_map(trace)).await;
    for (filter, is_wanted) in cases() {
        let expected: Vec<u64> = (1..=TRACES).rev().filter(|n| is_wanted(*n)).collect();
        let (mut paged, mut page) = (Vec::new(), filter.clone().limit(3));
        loop {
            let found = store.traces(page.clone()).await.expect("reads");
            assert_eq!(found.len(), 3.min(expected.len() - paged.len()), "{page:?}");
            let Some(last) = found.last() else { break };
            page = page.after(last.position());
            paged.extend(found.iter().map(|trace| u64::try_from(trace.trace_id().as_u128()).expect("a number")));
        }
        assert_eq!(paged, expected, "{filter:?}");
        assert_eq!(store.traces(filter.limit(0)).await.expect("reads"), []);
    }
}

async fn a_search_text_has_no_characters_of_its_own_meaning(place: TestStore) {
    let store = place.holding((1..=TRACES).flat_map(trace)).await;
    let (fifth, seventh) = (TRACES / 5, TRACES / 7);
    let long = "x".repeat(1 << 20);
    for (text, expected) in [
        ("%", fifth),
        ("_", fifth),
        ("100%", fifth),
        ("over_l", fifth),
        ("overXl", 0),
        ("m%l", 0),
        ("'node-1'", seventh),
        ("' OR 1=1 --", 0),
        ("\\", 0),
        ("\0", 0),
        ("model\0", 0),
        ("", fifth + seventh - TRACES / 35),
        (&long, 0),
    ] {
        let found = store.traces(TraceFilter::new().error(text)).await.expect("reads");
        assert_eq!(found.len() as u64, expected, "{:?}", text.get(..20));
    }
    for hostile in ["%", "_", "' OR 1=1 --", "x'); DROP TABLE logs; --", "\0", "", "$[0]", "\"", &long] {
        for filter in [
            TraceFilter::new().ran(hostile),
            TraceFilter::new().field(hostile, hostile),
            TraceFilter::new().field("doc.name", hostile),
            TraceFilter::new().field(hostile, "report-1.pdf"),
        ] {
            assert_eq!(store.traces(filter).await.expect("reads"), [], "{:?}", hostile.get(..20));
        }
    }
}

async fn a_field_is_found_whatever_its_name_and_value(place: TestStore) {
    let fields = [
        ("doc.name", json!("Übersicht \"A\" / B\\C.pdf")),
        ("it's", json!("100% _ ' \u{202e}")),
        ("$.a", json!("x")),
        ("a\"b", json!("y")),
        ("a b", json!("")),
        ("big", json!("z".repeat(6_000))),
        ("float", json!(512.5)),
        ("negative", json!(-7)),
        ("nothing", json!(null)),
        ("yes", json!(true)),
        ("[0]", json!("bracket")),
        ("tab", json!("a\tb\nc")),
    ];
    let context: serde_json::Map<_, _> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let end = Make::new("completed", "ask", 1, 0).with("local_root", true).with("context", context);
    let store = place.holding([end.record()]).await;
    for (name, value) in &fields {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let find = async |name: &str, value: &str| {
            store.traces(TraceFilter::new().field(name, value)).await.expect("reads").len()
        };
        assert_eq!(find(name, &text).await, 1, "{name}");
        assert_eq!(find(name, &format!("{text} ")).await, 0, "{name}");
        assert_eq!(find(&format!("{name}."), &text).await, 0, "{name}");
    }
}

async fn a_condition_that_thousands_of_traces_meet_is_searched_for_as_exactly(place: TestStore) {
    const MANY: u64 = 6_000;
    let trace = |number: u64| {
        let id = id_of(number).to_string();
        let end = Make::new("failed", "ask", 1, number).with("local_root", true).trace(&id);
        let message = if number.is_multiple_of(1_000) { "rare" } else { "common" };
        let end = end.with("error", json!({"type": "E", "message": message, "chain": []})).record();
        let child = Make::new("completed", "rare", 2, number).parent(1).trace(&id);
        [Some(end), number.is_multiple_of(2_000).then(|| child.record())].into_iter().flatten()
    };
    let store = place.holding((1..=MANY).flat_map(trace)).await;
    let newest: Vec<u64> = (MANY - 99..=MANY).rev().collect();
    assert_eq!(numbers(&store, TraceFilter::new().ran("ask")).await, newest);
    let common: Vec<u64> = (1..=MANY).rev().filter(|n| n % 1_000 != 0).take(100).collect();
    assert_eq!(numbers(&store, TraceFilter::new().error("COMMON")).await, common);
    assert_eq!(numbers(&store, TraceFilter::new().error("rare")).await, [6_000, 5_000, 4_000, 3_000, 2_000, 1_000]);
    assert_eq!(numbers(&store, TraceFilter::new().ran("ask").ran("rare")).await, [6_000, 4_000, 2_000]);
    assert_eq!(numbers(&store, TraceFilter::new().error("common").ran("rare")).await, [0; 0]);
    let all = store.traces(TraceFilter::new().ran("ask").limit(10_000)).await.expect("reads");
    assert_eq!(all.len() as u64, MANY);
    let rest = store.traces(TraceFilter::new().ran("ask").after(all[5_989].position())).await.expect("reads");
    assert_eq!(rest, all[5_990..]);
}

async fn records_in_the_archive_count_in_a_search(place: TestStore) {
    place.holding((1..=TRACES).flat_map(trace)).await;
    let later = BEGIN.plus(Duration::from_hours(24 * 10));
    let retention = Retention::new().days(7).sample(0.0).at(later);
    store::retain(&place.url, &retention, |_| {}).await.expect("decided");
    // A late record of an archived trace, beside those in the archive.
    let late = Make::new("log", "late", 9, 0).trace(&id_of(5).to_string());
    place.sink().deliver(&batch([late.with("context", json!({"late": "yes"})).record()])).await.expect("delivered");
    let store = place.store().await;
    let kept = |n: u64| n.is_multiple_of(5) || n.is_multiple_of(7);
    let of = |is: fn(u64) -> bool| -> Vec<u64> { (1..=TRACES).rev().filter(|n| kept(*n) && is(*n)).collect() };
    assert_eq!(numbers(&store, TraceFilter::new()).await.len() as u64, TRACES);
    assert_eq!(numbers(&store, TraceFilter::new().ran("reranking")).await, of(|n| n % 10 == 0));
    assert_eq!(numbers(&store, TraceFilter::new().error("model")).await, of(|n| n % 5 == 0));
    assert_eq!(
        numbers(&store, TraceFilter::new().field("doc.name", "report-1.pdf")).await,
        of(|n| n % 4 == 1 && n % 5 != 0)
    );
    assert_eq!(numbers(&store, TraceFilter::new().field("late", "yes").error("model")).await, [5]);
}

async fn an_empty_store_has_nothing_to_find(place: TestStore) {
    let store = place.holding([]).await;
    for (filter, _) in cases() {
        assert_eq!(store.traces(filter).await.expect("reads"), []);
    }
}
