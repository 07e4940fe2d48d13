//! Whatever a record contains, another implementation can read the request.

use opentelemetry_proto::tonic::common::v1::any_value::Value as AnyValue;
use proptest::prelude::*;
use ragtrace::testing::RecordBuilder;
use ragtrace::{Record, RecordItem, StageKind, Value};
use ragtrace_sinks::{OtlpProfile, OtlpSink};

use crate::fixture::placed;
use crate::receiver::{attribute, log_records, sent, spans};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<u64>().prop_map(Value::U64),
        any::<i64>().prop_map(Value::I64),
        any::<f64>().prop_map(Value::F64),
        prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0)].prop_map(Value::F64),
        any::<String>().prop_map(|text| Value::Text(text.into())),
        "\\PC{0,300}".prop_map(|text| Value::Text(text.into())),
        "[\u{0}-\u{1f}\"\\\\]{0,20}".prop_map(|text| Value::Text(text.into())),
        (0_usize..400).prop_map(|depth| Value::Json(format!("{}1{}", "[".repeat(depth), "]".repeat(depth)).into())),
    ]
}

fn field_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z_.]{1,130}",
        prop::sample::select(vec![
            "input",
            "output",
            "query",
            "model",
            "provider",
            "prompt_name",
            "prompt_version",
            "cost_usd",
            "top_k",
            "score",
            "metadata",
            "session.id",
            "openinference.span.kind",
            "gen_ai.usage.input_tokens",
            "ragtrace.kind",
            "error.type",
            "thread.name",
            "langfuse.observation.type",
            "input.value",
            "",
        ])
        .prop_map(str::to_owned),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let fields = proptest::collection::vec((field_name(), value()), 0..12);
    let items = proptest::collection::vec((any::<String>(), any::<f64>(), proptest::option::of(any::<String>())), 0..4);
    (fields, items.clone(), items, prop::sample::select(StageKind::ALL), any::<String>(), 0_u8..3).prop_map(
        |(fields, used, generated, kind, name, outcome)| {
            let builder = match outcome {
                0 => RecordBuilder::completed(name),
                1 => RecordBuilder::failed(name.clone(), name.clone(), name.clone()).caused_by(name),
                _ => RecordBuilder::cancelled(name),
            };
            let mut builder = placed(builder, 1, 0, 10).kind(kind);
            for (name, value) in fields {
                builder = builder.metric(name, value);
            }
            let item = |(id, score, content): (String, f64, Option<String>)| {
                let item = RecordItem::new("chunk", id).with_score(score);
                content.map_or(item.clone(), |content| item.with_content(content))
            };
            for of in used {
                builder = builder.used(item(of));
            }
            for of in generated {
                builder = builder.generated(item(of));
            }
            builder.build()
        },
    )
}

fn has_good_keys(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> bool {
    let mut keys: Vec<_> = attributes.iter().map(|attribute| &*attribute.key).collect();
    keys.sort_unstable();
    keys.windows(2).all(|pair| pair[0] != pair[1]) && keys.first().is_none_or(|key| !key.is_empty())
}

/// Returns `true` for a number that JSON cannot represent, or a text that a database cannot store.
fn is_odd(value: &AnyValue) -> bool {
    match value {
        AnyValue::DoubleValue(number) => !number.is_finite(),
        AnyValue::StringValue(text) => text.contains('\0'),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_request_of_any_records_is_read_whole(
        records in proptest::collection::vec(record(), 1..6),
        profile in prop::sample::select(OtlpProfile::ALL),
    ) {
        let request = sent(|url| OtlpSink::new(url).profile(profile), records.clone());
        let spans = spans(&request);
        prop_assert_eq!(spans.len(), records.len());
        for (span, record) in spans.iter().zip(&records) {
            prop_assert_eq!(&span.name, &record.stage().expect("a stage").replace('\0', "\u{fffd}"));
            for attributes in std::iter::once(&span.attributes).chain(span.events.iter().map(|event| &event.attributes)) {
                prop_assert!(has_good_keys(attributes), "{:?}", attributes);
                for attribute in attributes {
                    let value = attribute.value.as_ref().and_then(|any| any.value.as_ref());
                    prop_assert!(value.is_some_and(|value| !is_odd(value)), "{:?}", attribute);
                }
            }
        }
    }

    #[test]
    fn log_records_of_any_records_are_read_whole(records in proptest::collection::vec(record(), 1..6)) {
        let make = |url: &str| OtlpSink::new(url).logs().expect("logs").stage_events(true);
        let logs = log_records(&sent(make, records.clone()));
        prop_assert_eq!(logs.len(), records.len());
        prop_assert!(logs.iter().all(|log| has_good_keys(&log.attributes)));
    }
}

#[test]
fn lengths_at_the_borders_of_their_encodings_are_read_back() {
    let lengths = [
        0, 1, 60, 61, 62, 63, 110, 111, 112, 113, 125, 126, 127, 128, 129, 16_100, 16_382, 16_383, 16_384, 16_385,
        65_536, 2_097_152,
    ];
    for length in lengths {
        let text = "x".repeat(length);
        let key = format!("k.{}", "y".repeat(length.min(300)));
        let record = placed(RecordBuilder::completed("s"), 1, 0, 10)
            .field(key.clone(), text.clone())
            .field("last", "here")
            .build();
        let span = spans(&sent(OtlpSink::new, vec![record])).remove(0);
        assert_eq!(attribute(&span.attributes, &key), Some(format!("`{text}`")), "{length}");
        assert_eq!(attribute(&span.attributes, "last").as_deref(), Some("`here`"), "{length}");
    }
}

#[test]
fn numbers_stay_numbers_as_far_as_there_are_types_for_them() {
    let record = placed(RecordBuilder::completed("s"), 1, 0, 10)
        .field("most", Value::U64(u64::MAX))
        .field("large", Value::U64(i64::MAX.unsigned_abs()))
        .field("least", Value::I64(i64::MIN))
        .field("half", Value::F64(0.5))
        .field("none", Value::F64(f64::NAN))
        .field("endless", Value::F64(f64::NEG_INFINITY))
        .field("zero", "a\0b")
        .build();
    let span = spans(&sent(OtlpSink::new, vec![record])).remove(0);
    let shown = |key: &str| attribute(&span.attributes, key).expect(key);
    assert_eq!(shown("most"), "1.8446744073709552e19");
    assert_eq!((shown("large"), shown("least")), (i64::MAX.to_string(), i64::MIN.to_string()));
    assert_eq!((shown("half"), shown("none"), shown("endless")), ("0.5".into(), "`NaN`".into(), "`-Infinity`".into()));
    assert_eq!(shown("zero"), "`a\u{fffd}b`");
}

#[test]
fn a_field_of_a_name_that_is_taken_changes_nothing_of_ours() {
    for profile in OtlpProfile::ALL {
        let fields = [
            "session.id",
            "ragtrace.kind",
            "openinference.span.kind",
            "input.value",
            "gen_ai.request.model",
            "own",
            "own",
        ];
        let builder = placed(RecordBuilder::completed("s"), 1, 0, 10)
            .kind(StageKind::Generate)
            .field("model", "gpt-4o")
            .field("input", "in");
        let record = fields.iter().fold(builder, |builder, name| builder.field(*name, "taken")).build();
        let span = spans(&sent(|url| OtlpSink::new(url).profile(*profile), vec![record])).remove(0);
        assert!(has_good_keys(&span.attributes), "{profile}: {span:?}");
        let session = attribute(&span.attributes, "session.id");
        assert!(session.is_none() || session.as_deref() == Some("`session-1`"), "{profile}");
    }
}
