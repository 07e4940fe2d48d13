//! The intake accepts any record.

use std::collections::HashSet;
use std::time::Duration;

use proptest::prelude::*;
use ragtrace::sink::{Batch, Delivered, Verdict};
use ragtrace::testing::RecordBuilder;
use ragtrace::uuid::Uuid;
use ragtrace::{Event, Level, Record, RecordItem, RecordScore, Sink, SpanId, StageKind, TraceId, Value};
use ragtrace_sinks_support::Server;

use crate::support::{ago, delivered, origin, run, server, sink};

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z_.]{0,12}",
        2 => any::<String>(),
        1 => "[\\x00-\\x1f\"\\\\\u{7f}-\u{9f}\u{2028}\u{feff}🦀,:{}\\[\\]]{0,40}",
        1 => (".{1,8}", 1..2_000_usize).prop_map(|(piece, times)| piece.repeat(times)),
    ]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        text().prop_map(Into::into),
    ];
    leaf.prop_recursive(16, 400, 30, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..30).prop_map(Into::into),
            prop::collection::hash_map(text(), inner, 0..8).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let odd = prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -0.0, 5e-324]);
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        prop_oneof![any::<f64>(), odd].prop_map(Value::F64),
        text().prop_map(|text| Value::Text(text.into())),
        json().prop_map(|json| Value::Json(json.to_string().into())),
    ]
}

/// Returns the name of a field: any, a reserved one, or one of a standard namespace.
fn name() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 20] = [
        "input",
        "output",
        "query",
        "model",
        "provider",
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "cost_usd",
        "prompt_name",
        "prompt_version",
        "top_k",
        "score",
        "dimensions",
        "first_item_ms",
        "http.method",
        "a.b.c.d.e.f.g.h.i.j.k",
        "db.",
        "http.a.b.c.d.e.f.g.h.i.j.k.l",
        "",
    ];
    prop_oneof![prop::sample::select(KNOWN.to_vec()).prop_map(str::to_owned), text()]
}

fn item() -> impl Strategy<Value = RecordItem> {
    let content = || prop::option::of(text());
    (text(), prop::option::of(any::<f64>()), content(), content()).prop_map(|(id, score, content, source)| {
        let item = RecordItem::new("chunk", id);
        let item = score.into_iter().fold(item, RecordItem::with_score);
        let item = content.into_iter().fold(item, RecordItem::with_content);
        source.into_iter().fold(item, RecordItem::with_source)
    })
}

prop_compose! {
    fn identified()(
        stage in text(), ids in prop::collection::vec(text(), 6), trace in 1..u128::MAX, span in 1..u64::MAX,
        parent in prop::option::of(1..u64::MAX), level in prop::sample::select(Level::ALL.to_vec()),
        kind in prop::sample::select(StageKind::ALL.to_vec()), age in 0..3_600_u64,
        event in prop::sample::select(vec![Event::Started, Event::Completed, Event::Failed, Event::Cancelled, Event::Log, Event::Score]),
        score in value(), texts in prop::collection::vec(text(), 4),
    ) -> RecordBuilder {
        let record = match event {
            Event::Started => RecordBuilder::started(stage),
            Event::Completed => RecordBuilder::completed(stage),
            Event::Failed => RecordBuilder::failed(stage, &texts[0], &texts[1]).caused_by(&texts[2]).stack_trace(&texts[3]),
            Event::Cancelled => RecordBuilder::cancelled(stage),
            Event::Score => RecordBuilder::score(RecordScore::new(&*texts[0], score).with_comment(&texts[1])),
            _ => RecordBuilder::log(&texts[0]).stage(stage),
        };
        let record = record.trace_id(TraceId::from_u128(trace).expect("an id")).span_id(SpanId::from_u64(span).expect("an id"));
        let record = parent.into_iter().fold(record, |record, id| record.parent_span_id(SpanId::from_u64(id).expect("an id")));
        let record = record.user_id(&ids[0]).tenant_id(&ids[1]).session_id(&ids[2]).request_id(&ids[3]);
        let record = record.thread(&ids[4]).logger(&ids[5]).request_type(&texts[2]).kind(kind).level(level);
        record.timestamp(ago(Duration::from_secs(age))).source("src/lib.rs", 1)
    }
}

prop_compose! {
    fn record()(
        record in identified(), fields in prop::collection::vec((name(), value()), 0..40),
        numbers in prop::collection::vec((name(), value()), 0..20), used in prop::collection::vec(item(), 0..20),
        generated in prop::collection::vec(item(), 0..20), nanos in any::<u64>(), count in prop::option::of(any::<u64>()),
        is_short in any::<bool>(), tag in text(),
    ) -> Record {
        let origin = origin().with_environment(tag.clone()).with_version(tag);
        // The start of a span must not be a day old.
        let duration = Duration::from_nanos(if is_short { nanos % 60_000_000_000 } else { nanos % 1_000 });
        // A record has each name once.
        let mut names = HashSet::new();
        let fields = fields.into_iter().filter(|(name, _)| names.insert(name.clone())).collect::<Vec<_>>();
        let record = fields.into_iter().fold(record, |record, (name, value)| record.field(name, value));
        let numbers = numbers.into_iter().filter(|(name, _)| names.insert(name.clone())).collect::<Vec<_>>();
        let record = numbers.into_iter().fold(record, |record, (name, value)| record.metric(name, value));
        let record = used.into_iter().fold(record, RecordBuilder::used);
        let record = generated.into_iter().fold(record, RecordBuilder::generated);
        let record = count.into_iter().fold(record, RecordBuilder::count);
        record.duration(duration).busy(duration).origin(origin).build()
    }
}

fn taken(server: &Server, sink: &impl Sink, batch: &Batch) -> Result<(), TestCaseError> {
    let delivered = match run(sink.deliver(batch)) {
        Err(error) if error.verdict() == Verdict::Split && batch.records().len() > 1 => {
            let alone = |record: &Record| taken(server, sink, &Batch::new(Uuid::now_v7(), [record.clone()]));
            return batch.records().iter().try_for_each(alone);
        }
        answer => answer.map_err(|error| TestCaseError::fail(error.reason()))?,
    };
    for (index, why) in delivered.rejected() {
        // A score without a number is not an evaluation, and there is no other reason.
        prop_assert!(why.contains("not a finite number"), "{}: {}", why, batch.records()[*index].to_json());
    }
    drop(server.take_requests());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_record_is_taken_by_every_intake(records in prop::collection::vec(record(), 1..6), tag in text()) {
        let server = server();
        let logs = sink(&server).tag(tag);
        let (spans, proxied) = (logs.llm_observability("a"), logs.clone().agent(server.url()).llm_observability("a"));
        let batch = Batch::new(Uuid::now_v7(), records);
        taken(&server, &logs, &batch)?;
        taken(&server, &spans, &batch)?;
        taken(&server, &proxied, &batch)?;
        taken(&server, &spans.evaluations(), &batch)?;
    }
}

#[test]
fn logs_have_the_ids_that_the_trace_has_elsewhere() {
    let server = server();
    let record = RecordBuilder::completed("a_stage").build();
    let (trace, span) = (record.trace_id().expect("a trace"), record.span_id().expect("a span"));
    let entry = delivered(&server, &sink(&server), vec![record.clone()])[0].clone();
    // OTLP carries the bytes of both, as `traceparent` prints them.
    assert_eq!(entry["dd.trace_id"], trace.to_hex());
    let digits: u64 = entry["dd.span_id"].as_str().expect("a text").parse().expect("a number");
    assert_eq!(format!("{digits:016x}"), span.to_string());
    let body = delivered(&server, &sink(&server).llm_observability("a"), vec![record]);
    let of_span = &body["data"]["attributes"]["spans"][0];
    assert_eq!((&of_span["span_id"], &of_span["apm_trace_id"]), (&entry["dd.span_id"], &entry["dd.trace_id"]));
}

#[test]
fn a_batch_of_every_sort_goes_as_a_whole() {
    let server = server();
    let sinks = sink(&server);
    let batch = Batch::new(Uuid::now_v7(), []);
    for delivered in [run(sinks.deliver(&batch)), run(sinks.llm_observability("a").deliver(&batch))] {
        assert_eq!(delivered.expect("an empty batch"), Delivered::all());
    }
    assert!(server.take_requests().is_empty());
}
