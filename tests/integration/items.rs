//! Items and structured values on their way through the pipeline: redacted, cut, and left out if
//! there is no room.

use std::time::Duration;

use ragtrace::{Builder, Item, QueueLimits, Record, RecordLimits, Redactor, Value, json, traced_stage};
use serde_json::json as tree;

use crate::support::{Memory, finish, quiet, turn};

#[traced_stage(
    "items.retrieval",
    fields(query, filters = json(filters)),
    used(query = [query]),
    generated(|items| chunk = items),
    ok(|items| output = items.first().map(|_| "y".repeat(output)), last = 1)
)]
fn retrieval<'a>(query: &str, filters: &serde_json::Value, items: Vec<Item<'a>>, output: usize) -> Vec<Item<'a>> {
    items
}

/// Returns the end records of the stages that `run` runs.
fn ends(builder: Builder, run: impl FnOnce()) -> Vec<Record> {
    let sink = Memory::default();
    let telemetry = builder.sink(sink.clone()).install().expect("the only one");
    run();
    finish(telemetry);
    let records = sink.records().into_iter();
    records.filter(|record| record.event().is_end() && record.stage().is_some()).collect()
}

#[test]
fn secrets_leave_neither_in_items_nor_at_any_depth_of_structured_values() {
    let _turn = turn();
    let filters = tree!({
        "auth": [{"password": "hunter2"}, {"api_key": {"value": "hunter2"}}, {"pin": 7, "note": "Bearer hunter2hunter2a1"}],
        "text": "{\"password\": \"hunter2\"}", "token_count": 3, "kept": [null, true, 1.5],
    });
    // A key is redacted before the text is cut in its middle.
    let (content, key) = ("x".repeat(2_040) + " ", "sk-proj-0123456789abcdefghij0123456789abcdefghij");
    let content = content + key + &" y".repeat(5_000);
    let records = ends(quiet(), || {
        let item = Item::new("an id with password=hunter2").content("see password=hunter2 there").source(key);
        drop(retrieval("q", &filters, vec![item, Item::new("c").content(&content)], 0));
    });
    let [end] = &records[..] else { panic!("one end") };
    let line = end.to_json();
    let [item, cut] = end.generated() else { panic!("two items") };
    assert_eq!(item.id(), "an id with password=hunter2", "ids are what they are");
    assert_eq!((item.content(), item.source()), (Some("see password=[redacted] there"), Some("[redacted]")));
    assert_eq!(line.matches("hunter2").count(), 1, "{line}");
    let cut = cut.content().expect("its text");
    assert!(cut.contains("…[truncated ") && !cut.contains("sk-"), "{}", &cut[2_000..]);
    let filters: serde_json::Value =
        serde_json::from_str(end.field("filters").and_then(Value::as_json).unwrap()).unwrap();
    assert_eq!(filters["auth"][0], tree!({"password": "[redacted]"}));
    assert_eq!(filters["auth"][1], tree!({"api_key": "[redacted]"}));
    assert_eq!(filters["auth"][2], tree!({"pin": 7, "note": "Bearer [redacted]"}));
    assert_eq!(filters["text"], "{\"password\": \"[redacted]\"}");
    assert_eq!((&filters["token_count"], &filters["kept"]), (&tree!(3), &tree!([null, true, 1.5])));
}

#[test]
fn a_structured_value_under_a_secret_name_or_too_long_is_a_text() {
    #[traced_stage("items.named", fields(password = json(value), long = json(long), input = json(long)))]
    fn named(value: &serde_json::Value, long: &serde_json::Value) {}

    let _turn = turn();
    let long = tree!(vec!["é\"n"; 2_000]);
    let records = ends(quiet(), || named(&tree!({"a": 1}), &long));
    let end = &records[0];
    assert_eq!(end.field("password"), Some(&"[redacted]".into()));
    let cut = end.field("long").and_then(Value::as_str).expect("a text");
    assert!(cut.len() < 8_300 && cut.contains("…[truncated "), "{}", cut.len());
    assert_eq!(end.field("input").and_then(Value::as_json).map(str::len), Some(long.to_string().len()));
}

#[test]
fn a_record_that_is_too_large_gives_up_the_texts_of_items_first_and_items_last() {
    let _turn = turn();
    let (content, ids) = ("c".repeat(3_000), (0..1_200).map(|n| format!("{n:0>250}")).collect::<Vec<_>>());
    let items = || ids.iter().map(|id| Item::new(id).content(&content).derived_from(id)).collect();
    let records = ends(quiet(), || drop(retrieval("q", &tree!({}), items(), 60_000)));
    let end = &records[0];
    assert!(end.to_json().len() < 265_000, "{}", end.to_json().len());
    assert_eq!(end.field("output").and_then(Value::as_str).map(str::len), Some(60_000), "it is worth more than they");
    let (kept, dropped) = (end.generated().len(), end.metric("ragtrace.generated_dropped"));
    assert!(kept > 100 && dropped == u32::try_from(1_200 - kept).ok().map(f64::from), "{kept} {dropped:?}");
    assert!(end.generated().iter().all(|item| item.id().len() == 250 && item.derived_from() == Some(item.id())));
    assert_eq!((end.metric("last"), end.used().len()), (Some(1.0), 1));

    let limits = RecordLimits::default().with_content(100).with_record(4 << 20);
    let records = ends(quiet().record_limits(limits).redact(Redactor::off()), || {
        drop(retrieval("q", &tree!({}), items(), 60_000));
    });
    let end = &records[0];
    assert_eq!((end.generated().len(), end.metric("ragtrace.generated_dropped")), (1_000, Some(200.0)));
    assert!(end.generated()[999].content().is_some_and(|content| content.starts_with(&"c".repeat(2_048))));
    let output = format!("{}…[truncated 59900 bytes]", "y".repeat(100));
    assert_eq!(end.field("output"), Some(&Value::from(output)));
}

#[test]
fn a_full_queue_leaves_items_out_and_loses_no_end() {
    const RUNS: usize = 20;
    let _turn = turn();
    let (sink, content) = (Memory::default(), "c".repeat(2_048));
    // The queue has 64 KiB: less than the items of one run.
    let builder = quiet().queue(QueueLimits::default().with_bytes(64 << 10));
    let telemetry = builder.sink(sink.clone()).install().expect("the only one");
    for _ in 0..RUNS {
        let items = (0..1_100_u32).map(|id| Item::new(id).content(&content)).collect();
        assert_eq!(retrieval("q", &tree!({"a": [1]}), items, 9).len(), 1_100);
    }
    let report = telemetry.shutdown_blocking(Duration::from_secs(30));
    assert!(report.stats.sinks[0].is_balanced(), "{report}");
    let starts = sink.records().iter().filter(|record| record.message() == "items.retrieval_started").count();
    let ends: Vec<_> =
        sink.records().into_iter().filter(|record| record.message() == "items.retrieval_completed").collect();
    assert!(ends.len() >= starts && starts > 0, "{starts} {}", ends.len());
    assert_eq!(ends.len() + usize::try_from(report.stats.dropped.total()).unwrap() - (RUNS - starts), RUNS);
    for end in ends {
        assert_eq!((end.generated().len(), end.metric("ragtrace.generated_dropped")), (0, Some(1_100.0)));
        assert_eq!((end.metric("last"), end.field("output")), (Some(1.0), Some(&"y".repeat(9).into())));
    }
}
