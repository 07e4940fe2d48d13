//! The spans of records: ids, times and parents, in whatever order and however broken the records
//! come.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use proptest::prelude::*;
use ragtrace::testing::RecordBuilder;
use ragtrace::{PathStep, Record, SpanId, StageKind, Timestamp, TraceId, Value};
use ragtrace_sinks::{OtlpProfile, OtlpSink};

use crate::fixture::{BEGIN, placed, span_id, trace, trace_id};
use crate::receiver::{attribute, sent, shown_spans, spans};

fn span_of(record: Record) -> Span {
    spans(&sent(OtlpSink::new, vec![record])).remove(0)
}

fn nanos(at: Timestamp) -> u64 {
    u64::try_from(at.as_micros()).expect("after 1970") * 1_000
}

#[test]
fn ids_are_the_records_own_and_the_flags_say_whether_the_parent_is_remote() {
    let root = span_of(placed(RecordBuilder::completed("ask"), 1, 0, 10).build());
    assert_eq!(root.trace_id, trace_id().as_u128().to_be_bytes());
    assert_eq!(root.span_id, span_id(1).as_u64().to_be_bytes());
    assert_eq!((root.parent_span_id.len(), root.flags, root.kind()), (0, 0x101, SpanKind::Internal));
    let child = span_of(placed(RecordBuilder::completed("search"), 2, 0, 10).parent_span_id(span_id(1)).build());
    assert_eq!(child.parent_span_id, span_id(1).as_u64().to_be_bytes());
    assert_eq!((child.flags, child.kind()), (0x101, SpanKind::Internal));
    let remote = placed(RecordBuilder::completed("serve"), 2, 0, 10).parent_span_id(span_id(1)).local_root(true);
    let remote = span_of(remote.build());
    assert_eq!((remote.flags, remote.kind()), (0x301, SpanKind::Server));
    assert!(remote.trace_state.is_empty() && remote.links.is_empty());
}

#[test]
fn the_span_of_a_local_root_has_the_links_of_its_request() {
    let other = TraceId::from_u128(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10).expect("not zero");
    let record = |is_root: bool| {
        let record = placed(RecordBuilder::completed("serve"), 1, 0, 10).local_root(is_root);
        record.link(other, span_id(7)).link(trace_id(), span_id(8)).build()
    };
    let root = span_of(record(true));
    let ids: Vec<_> = root.links.iter().map(|link| (link.trace_id.clone(), link.span_id.clone())).collect();
    let of = |trace: TraceId, span: u64| {
        (trace.as_u128().to_be_bytes().to_vec(), span_id(span).as_u64().to_be_bytes().to_vec())
    };
    assert_eq!(ids, [of(other, 7), of(trace_id(), 8)]);
    assert!(root.links.iter().all(|link| link.attributes.is_empty() && link.trace_state.is_empty()));
    assert_eq!(span_of(record(false)).links, []);
    let copy = Record::from_json(&record(true).to_json()).expect("a record");
    assert_eq!(span_of(copy).links, root.links);
}

/// Returns a request as `ragtrace::http` records it.
fn request(builder: RecordBuilder, message: &str, status: u64) -> Record {
    let record = placed(builder, 1, 0, 10).kind(StageKind::Pipeline).local_root(true).message(message);
    record.field("http.request.method", "POST").field("http.response.status_code", status).build()
}

#[test]
fn a_request_is_a_server_whoever_its_parent_is() {
    let completed = || RecordBuilder::completed("POST /ask");
    let failed = || RecordBuilder::failed("POST /ask", "503", "the index is down");
    for record in [
        request(completed(), "http_response_sent", 200),
        request(failed(), "http_response_sent", 503),
        request(failed(), "http_request_failed", 500),
        request(RecordBuilder::cancelled("POST /ask"), "http_request_cancelled", 200),
        Record::from_json(&request(completed(), "http_response_sent", 200).to_json()).expect("a record"),
    ] {
        let span = span_of(record);
        assert_eq!((span.kind(), span.flags), (SpanKind::Server, 0x101), "{span:?}");
    }
    let called = placed(RecordBuilder::completed("POST /ask"), 2, 0, 10).parent_span_id(span_id(1)).local_root(false);
    let called = called.message("http_response_sent").field("http.request.method", "POST");
    assert_eq!(span_of(called.build()).kind(), SpanKind::Server, "also one that this process sent to itself");
}

#[test]
fn a_stage_that_sends_a_request_is_no_server() {
    let fields = |builder: RecordBuilder| placed(builder, 1, 0, 10).field("http.request.method", "GET");
    for stage in [
        fields(RecordBuilder::completed("fetch_page").local_root(true)),
        fields(RecordBuilder::failed("http_request", "timeout", "no answer").local_root(true)),
        fields(RecordBuilder::cancelled("http_request").local_root(true)),
    ] {
        assert_eq!(span_of(stage.build()).kind(), SpanKind::Internal);
    }
}

#[test]
fn the_status_of_a_request_below_500_is_left_unset() {
    for status in [200, 302, 401, 404, 499] {
        let record = request(RecordBuilder::completed("POST /ask"), "http_response_sent", status);
        assert_eq!(span_of(record).status, None, "{status}");
    }
    let failed = RecordBuilder::failed("POST /ask", "503", "the index is down");
    let status = span_of(request(failed, "http_response_sent", 503)).status.expect("a status");
    assert_eq!((status.code(), &*status.message), (StatusCode::Error, "the index is down"));
}

#[test]
fn a_stage_that_calls_a_provider_is_a_client() {
    for kind in StageKind::ALL {
        let stage = |provider: &str| {
            placed(RecordBuilder::completed("s"), 1, 0, 10).kind(*kind).field("provider", provider.to_owned())
        };
        let is_call = matches!(kind, StageKind::Generate | StageKind::Embed | StageKind::Rerank);
        let expected = if is_call { SpanKind::Client } else { SpanKind::Internal };
        assert_eq!(span_of(stage("openai").build()).kind(), expected, "{kind}");
        assert_eq!(
            span_of(placed(RecordBuilder::completed("s"), 1, 0, 10).kind(*kind).build()).kind(),
            SpanKind::Internal
        );
    }
}

#[test]
fn a_status_tells_failure_from_success_and_a_cancelled_stage_is_neither() {
    let code = |builder: RecordBuilder| {
        let status = span_of(placed(builder, 1, 0, 10).build()).status;
        status.map(|status| (status.code(), status.message))
    };
    assert_eq!(code(RecordBuilder::completed("s")), Some((StatusCode::Ok, String::new())));
    let failed = RecordBuilder::failed("s", "panic", "index out of bounds");
    assert_eq!(code(failed), Some((StatusCode::Error, "index out of bounds".to_owned())));
    assert_eq!(code(RecordBuilder::cancelled("s")), None);
}

#[test]
fn an_exception_has_the_chain_of_its_causes_and_the_backtrace() {
    let failed = RecordBuilder::failed("s", "IngestError", "cannot read").caused_by("disk").caused_by("cable");
    let span = span_of(placed(failed.stack_trace("0: main\n1: start"), 1, 0, 10).build());
    let event = &span.events[0];
    assert_eq!((&*event.name, event.time_unix_nano), ("exception", span.end_time_unix_nano));
    let text = "\"IngestError: cannot read\\nCaused by: disk\\nCaused by: cable\\n0: main\\n1: start\"";
    assert_eq!(attribute(&event.attributes, "exception.stacktrace").as_deref(), Some(text));
    let plain = span_of(placed(RecordBuilder::failed("s", "E", "m"), 1, 0, 10).build());
    assert_eq!(attribute(&plain.events[0].attributes, "exception.stacktrace"), None);
}

#[test]
fn a_span_starts_its_duration_before_its_end_or_where_its_path_says() {
    let end = BEGIN.plus(Duration::from_millis(10));
    let record = |duration: Duration| {
        let builder = placed(RecordBuilder::completed("s"), 1, 0, 10).timestamp(end).duration(duration);
        span_of(builder.build())
    };
    let span = record(Duration::from_millis(4));
    assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (nanos(end) - 4_000_000, nanos(end)));
    let span = record(Duration::from_nanos(1_500));
    assert_eq!(span.end_time_unix_nano - span.start_time_unix_nano, 1_500, "to the nanosecond");
    assert!(nanos(end).abs_diff(span.end_time_unix_nano) < 1_000);
    let steps = [PathStep::new(span_id(9), BEGIN), PathStep::new(span_id(1), BEGIN.plus(Duration::from_millis(3)))];
    let with_path = placed(RecordBuilder::completed("s"), 1, 0, 10).duration(Duration::from_millis(4)).path(steps);
    assert_eq!(span_of(with_path.build()).start_time_unix_nano, nanos(BEGIN) + 3_000_000);
}

#[test]
fn times_out_of_range_are_clamped_and_no_span_ends_before_it_starts() {
    let micros = [i64::MIN, -1, 0, 1, BEGIN.as_micros(), i64::MAX];
    let durations = [Duration::ZERO, Duration::from_nanos(1), Duration::from_hours(1), Duration::MAX];
    for (at, duration) in micros.iter().flat_map(|at| durations.map(|duration| (*at, duration))) {
        let builder =
            placed(RecordBuilder::completed("s"), 1, 0, 10).timestamp(Timestamp::from_micros(at)).duration(duration);
        let span = span_of(builder.metric("first_item_ms", 1e300).build());
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{at} {duration:?}: {span:?}");
        for event in &span.events {
            assert!((span.start_time_unix_nano..=span.end_time_unix_nano).contains(&event.time_unix_nano));
        }
    }
}

#[test]
fn a_first_item_is_an_event_of_its_time() {
    let stream =
        |millis: f64| span_of(placed(RecordBuilder::completed("s"), 1, 0, 10).metric("first_item_ms", millis).build());
    let span = stream(2.5);
    assert_eq!((&*span.events[0].name, span.events[0].time_unix_nano), ("first_item", nanos(BEGIN) + 2_500_000));
    for odd in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(stream(odd).events.is_empty(), "{odd}");
    }
}

#[test]
fn records_without_ids_make_no_span_and_those_beside_them_do() {
    let without = RecordBuilder::log("no ids").build();
    let json = r#"{"id":"0199aaaa-bbbb-7000-8000-000000000099","timestamp":"2026-11-22T08:20:11Z","level":"INFO","logger":"a","message":"m","event":"completed","stage":"s","instance":"0199aaaa-bbbb-7000-8000-000000000000"}"#;
    let odd = Record::from_json(json).expect("a record");
    let good = placed(RecordBuilder::completed("good"), 1, 0, 10).build();
    let names: Vec<_> =
        spans(&sent(OtlpSink::new, vec![without, odd, good])).into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["good"]);
}

/// Returns the texts of a span, whatever was sent with it.
fn texts(records: Vec<Record>, profile: OtlpProfile) -> Vec<String> {
    let spans = spans(&sent(|url| OtlpSink::new(url).profile(profile), records));
    let mut texts: Vec<_> = spans.iter().map(|span| format!("{span:?}")).collect();
    texts.sort();
    texts
}

#[test]
fn a_span_is_the_same_in_whatever_order_and_company_its_record_comes() {
    for profile in OtlpProfile::ALL {
        let whole = texts(trace(), *profile);
        let mut reversed = trace();
        reversed.reverse();
        assert_eq!(texts(reversed, *profile), whole, "{profile}");
        let mut alone: Vec<_> = trace().into_iter().flat_map(|record| texts(vec![record], *profile)).collect();
        alone.sort();
        assert_eq!(alone, whole, "{profile}: a late child needs no parent");
        let after_a_restart =
            trace().iter().map(|record| Record::from_json(&record.to_json()).expect("a record")).collect();
        assert_eq!(texts(after_a_restart, *profile), whole, "{profile}");
    }
}

/// Returns a stage with a distinct mark in everything that it can declare.
fn marked(kind: StageKind) -> Record {
    let item = |name: &str, score: f64| {
        let item = ragtrace::RecordItem::new("chunk", format!("{name}-id")).with_score(score);
        item.with_content(format!("{name}-content"))
            .with_source(format!("{name}-source"))
            .with_derived_from(format!("{name}-origin"))
    };
    let mut builder = placed(RecordBuilder::completed("marked"), 1, 0, 10).kind(kind);
    for name in ["input", "output", "query", "model", "provider", "prompt_name", "prompt_version", "own"] {
        builder = builder.field(name, format!("{name}-mark"));
    }
    let numbers = [
        "input_tokens",
        "output_tokens",
        "cached_tokens",
        "cache_write_tokens",
        "reasoning_tokens",
        "dimensions",
        "top_k",
        "input_count",
    ];
    for (number, name) in (1_u64..).zip(numbers) {
        builder = builder.metric(name, 7_000_000 + number);
    }
    builder = builder.metric("cost_usd", 0.125).metric("score", 0.375).metric("first_item_ms", 4.5).count(7_000_099);
    builder.busy(Duration::from_micros(5_250)).used(item("used", 0.625)).generated(item("generated", 0.875)).build()
}

#[test]
fn nothing_that_a_stage_declares_is_lost_in_any_profile() {
    for (profile, kind) in
        OtlpProfile::ALL.iter().flat_map(|profile| StageKind::ALL.iter().map(move |kind| (*profile, *kind)))
    {
        let shown = shown_spans(&spans(&sent(|url| OtlpSink::new(url).profile(profile), vec![marked(kind)])));
        let texts = ["input", "output", "query", "model", "provider", "prompt_name", "prompt_version", "own"];
        let items =
            ["id", "content", "source", "origin"].map(|part| (format!("used-{part}"), format!("generated-{part}")));
        let mut marks: Vec<String> = texts.iter().map(|name| format!("{name}-mark")).collect();
        for (used, generated) in items {
            // The embedded texts are the contents of the items, and their ids are useless without
            // these.
            if kind != StageKind::Embed || used.ends_with("content") {
                marks.push(used);
            }
            marks.push(generated);
        }
        marks.extend(
            ["0.125", "0.375", "0.875", "5.25", "7000099", "session-1", "alice", "acme", "req-1"].map(str::to_owned),
        );
        // Langfuse gets the rest of input and output without their parts.
        let tokens = if profile == OtlpProfile::Langfuse { 3..=8 } else { 1..=8 };
        marks.extend(tokens.map(|number| (7_000_000 + number).to_string()));
        let lost: Vec<_> = marks.iter().filter(|mark| !shown.contains(*mark)).collect();
        assert!(lost.is_empty(), "{profile} {kind} loses {lost:?}:\n{shown}");
    }
}

#[test]
fn content_in_json_is_kept_as_content_in_text_is() {
    for (profile, kind) in
        OtlpProfile::ALL.iter().flat_map(|profile| StageKind::ALL.iter().map(move |kind| (*profile, *kind)))
    {
        let mut builder = placed(RecordBuilder::completed("marked"), 1, 0, 10).kind(kind);
        for name in ["input", "output", "query", "own"] {
            builder = builder.field(name, Value::Json(format!(r#"{{"text":"{name}-mark"}}"#).into()));
        }
        let item = ragtrace::RecordItem::new("chunk", "c-1");
        let record = builder.generated(item).build();
        let shown = shown_spans(&spans(&sent(|url| OtlpSink::new(url).profile(profile), vec![record])));
        for name in ["input", "output", "query", "own"] {
            assert!(shown.contains(&format!("{name}-mark")), "{profile} {kind} loses `{name}`:\n{shown}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_record_and_its_copy_from_the_spool_make_the_same_span(
        (trace, span, parent) in (1_u128.., 1_u64.., proptest::option::of(1_u64..)),
        (at, nanos) in (any::<i64>(), 0_u64..1_000_000_000_000),
        fields in proptest::collection::btree_map("[a-z.]{1,12}|input|output|model|session\\.id", ".{0,40}", 0..8),
        numbers in proptest::collection::btree_map("[a-z_]{1,12}|cost_usd|input_tokens|score", any::<f64>(), 0..8),
        kind in proptest::sample::select(StageKind::ALL),
        profile in proptest::sample::select(OtlpProfile::ALL),
        is_local_root in any::<bool>(),
    ) {
        let mut builder = RecordBuilder::completed("stage")
            .trace_id(TraceId::from_u128(trace).expect("not zero"))
            .span_id(SpanId::from_u64(span).expect("not zero"))
            .timestamp(Timestamp::from_micros(at.clamp(-62_167_219_200_000_000, 253_402_300_799_999_999)))
            .duration(Duration::from_nanos(nanos))
            .local_root(is_local_root)
            .kind(kind);
        if let Some(parent) = parent {
            builder = builder.parent_span_id(SpanId::from_u64(parent).expect("not zero"));
        }
        for (name, text) in fields {
            builder = builder.field(name, text);
        }
        for (name, number) in numbers.into_iter().filter(|(_, number)| number.is_finite()) {
            builder = builder.metric(name, number);
        }
        let record = builder.build();
        let copy = Record::from_json(&record.to_json()).expect("a record");
        prop_assert_eq!(texts(vec![copy], profile), texts(vec![record], profile));
    }
}
