//! The headers of incoming requests, and the contexts that result from them.

mod values;

use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use ragtrace::http::extract;
use ragtrace::{RequestContext, TraceId};
use values::values;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const LANGSMITH: &str = "20261126T101500000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ab.20261126T101501000000Z0199a5b2-6f1e-7c3a-8a4b-0123456789ac";

fn headers(lines: &[(&str, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.append(name, HeaderValue::from_bytes(value).expect("a header's value"));
    }
    headers
}

fn read(lines: &[(&str, &str)]) -> RequestContext {
    let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    extract(&headers(&lines))
}

fn trace_of(context: &RequestContext) -> String {
    context.trace_id().to_hex()
}

fn span_of(context: &RequestContext) -> Option<String> {
    context.span_id().map(|span| span.to_string())
}

/// Asserts that a context begins a new trace.
#[track_caller]
fn assert_new(context: &RequestContext) {
    assert_eq!(context.trace_id().as_uuid().get_version_num(), 7);
    assert_eq!(context.span_id(), None);
    assert!(context.traceparent().ends_with("-03"), "{}", context.traceparent());
    assert!(context.request_id().is_some_and(|id| id.starts_with("req-")));
}

#[test]
fn a_request_without_headers_of_ours_is_a_new_trace() {
    let (one, two) = (read(&[]), read(&[("accept", "*/*")]));
    assert_new(&one);
    assert_new(&two);
    assert_ne!(one.trace_id(), two.trace_id());
    assert_ne!(one.request_id(), two.request_id());
}

/// The headers of a family, and the trace, parent and flags that they name.
type Family = (&'static [(&'static str, &'static str)], &'static str, Option<&'static str>, &'static str);

/// The families in their order of precedence.
const FAMILIES: [Family; 5] = [
    (&[("traceparent", TRACEPARENT)], TRACE, Some(SPAN), "01"),
    (
        &[
            ("x-datadog-trace-id", "1311768467463790320"),
            ("x-datadog-parent-id", "81985529216486895"),
            ("x-datadog-sampling-priority", "-1"),
            ("x-datadog-tags", "_dd.p.dm=-4,_dd.p.tid=640cfd8d00000000"),
        ],
        "640cfd8d00000000123456789abcdef0",
        Some("0123456789abcdef"),
        "00",
    ),
    (
        &[("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90")],
        "80f198ee56343ba864fe8b2a57d3eff7",
        Some("e457b5a2e4d86bd1"),
        "01",
    ),
    (
        &[("X-B3-TraceId", "463ac35c9f6413ad"), ("X-B3-SpanId", "a2fb4a1d1a96d312"), ("X-B3-Sampled", "0")],
        "0000000000000000463ac35c9f6413ad",
        Some("a2fb4a1d1a96d312"),
        "00",
    ),
    (&[("X-Trace-ID", "0199a5b2-6f1e-4c3a-8a4b-0123456789ab")], "0199a5b26f1e4c3a8a4b0123456789ab", None, "01"),
];

#[test]
fn of_all_families_together_the_first_names_the_trace() {
    for present in 1_u32..1 << FAMILIES.len() {
        let given = |index: &usize| present & 1 << index != 0;
        for with_langsmith in [false, true] {
            let mut lines: Vec<_> =
                (0..FAMILIES.len()).filter(given).flat_map(|index| FAMILIES[index].0).copied().collect();
            if with_langsmith {
                lines.insert(0, ("langsmith-trace", LANGSMITH));
            }
            let context = read(&lines);
            let first = (0..FAMILIES.len()).find(given).expect("one of them");
            let (_, trace, parent, flags) = FAMILIES[first];
            assert_eq!((&*trace_of(&context), span_of(&context).as_deref()), (trace, parent), "{lines:?}");
            // The sampling decision of one family does not count for another, except if that one
            // has none.
            let is_verdict_alone = first == 4;
            let traceparent = context.traceparent();
            assert!(is_verdict_alone || traceparent.ends_with(flags), "{traceparent} of {lines:?}");
            assert_eq!(context.langsmith_parent(), with_langsmith.then_some(LANGSMITH));
        }
    }
}

#[test]
fn a_family_that_is_malformed_leaves_the_next_one_its_say() {
    for (broken, (_, expected, ..)) in FAMILIES.iter().enumerate().skip(1) {
        let mut lines: Vec<(&str, String)> = Vec::new();
        for (index, (family, ..)) in FAMILIES.iter().enumerate() {
            let value = |value: &str| if index < broken { format!("{value}!") } else { value.to_owned() };
            lines.extend(family.iter().map(|(name, text)| (*name, value(text))));
        }
        let lines: Vec<_> = lines.iter().map(|(name, value)| (*name, &**value)).collect();
        assert_eq!(trace_of(&read(&lines)), *expected, "{lines:?}");
    }
}

/// The cases of the specification's own test suite for `traceparent`: values, and whether the trace
/// is continued.
#[test]
fn a_traceparent_is_judged_as_the_specification_has_it() {
    let after = |version: &str, rest: &str| format!("{version}-{TRACE}-{SPAN}-01{rest}");
    let zeros = "0".repeat(32);
    let good = [
        after("00", ""),
        format!("00-{TRACE}-{SPAN}-ff"),
        format!(" {TRACEPARENT}"),
        format!("\t{TRACEPARENT}"),
        format!("{TRACEPARENT} "),
        format!("{TRACEPARENT}\t"),
        format!("\t {TRACEPARENT} \t"),
        after("cc", ""),
        after("cc", "-what-the-future-will-be-like"),
        after("01", "-"),
        after("fe", ""),
    ];
    for value in good {
        let context = read(&[("traceparent", &value)]);
        assert_eq!((trace_of(&context), span_of(&context).as_deref()), (TRACE.to_owned(), Some(SPAN)), "{value:?}");
    }
    let bad = [
        String::new(),
        after("00", "-"),
        after("00", "."),
        after("00", "-what-the-future-will-be-like"),
        after("cc", ".what-the-future-will-be-like"),
        after("ff", ""),
        after(".0", ""),
        after("0.", ""),
        after("000", ""),
        after("0000", ""),
        after("0", ""),
        after("CC", ""),
        format!("00-{zeros}-{SPAN}-01"),
        format!("00-.{}-{SPAN}-01", &TRACE[1..]),
        format!("00-{TRACE}7-{SPAN}-01"),
        format!("00-{}-{SPAN}-01", &TRACE[1..]),
        format!("00-{TRACE}-{}-01", &zeros[..16]),
        format!("00-{TRACE}-.{}-01", &SPAN[1..]),
        format!("00-{TRACE}-{SPAN}7-01"),
        format!("00-{TRACE}-{}-01", &SPAN[1..]),
        format!("00-{TRACE}-{SPAN}-.0"),
        format!("00-{TRACE}-{SPAN}-0."),
        format!("00-{TRACE}-{SPAN}-001"),
        format!("00-{TRACE}-{SPAN}-1"),
        format!("00-{TRACE}-{SPAN}"),
        TRACEPARENT.to_uppercase(),
        TRACEPARENT.replace('-', "_"),
        format!("{TRACEPARENT},{TRACEPARENT}"),
        "0".repeat(40_000),
    ];
    for value in bad {
        let context = read(&[("traceparent", &value), ("tracestate", "vendor=1")]);
        assert_new(&context);
        assert_eq!(context.tracestate(), None, "{value:?}");
    }
}

#[test]
fn two_traceparents_are_a_new_trace() {
    let other = TRACEPARENT.replace('b', "c");
    for second in [TRACEPARENT, &other] {
        let context = read(&[("traceparent", TRACEPARENT), ("traceparent", second), ("tracestate", "vendor=1")]);
        assert_new(&context);
        assert_eq!(context.tracestate(), None);
    }
}

#[test]
fn a_callers_flags_go_on_as_far_as_they_are_known() {
    for (received, sent) in [("00", "00"), ("01", "01"), ("02", "02"), ("03", "03"), ("ff", "03"), ("fc", "00")] {
        let context = read(&[("traceparent", &format!("00-{TRACE}-{SPAN}-{received}"))]);
        assert_eq!(context.traceparent(), format!("00-{TRACE}-{SPAN}-{sent}"));
        let later = read(&[("traceparent", &format!("01-{TRACE}-{SPAN}-{received}-more"))]);
        assert_eq!(later.traceparent(), format!("00-{TRACE}-{SPAN}-{sent}"));
    }
}

#[test]
fn the_tracestate_of_a_trace_that_goes_on_is_kept_from_all_its_lines() {
    let lines =
        [("traceparent", TRACEPARENT), ("tracestate", "foo=1 , bar=2"), ("tracestate", ""), ("tracestate", "baz=3")];
    assert_eq!(read(&lines).tracestate(), Some("foo=1,bar=2,baz=3"));
    assert_eq!(read(&lines[1..]).tracestate(), None);
    let b3 = FAMILIES[2].0[0];
    assert_eq!(read(&[b3, lines[1]]).tracestate(), None, "it is not this trace's");
    let malformed = read(&[("traceparent", TRACEPARENT), ("tracestate", "foo=1,BAR=2")]);
    assert_eq!((trace_of(&malformed), malformed.tracestate()), (TRACE.to_owned(), None));
}

#[test]
fn datadogs_ids_are_decimal_and_have_their_upper_half_in_a_tag() {
    let of = |lines: &[(&str, &str)]| {
        let context = read(lines);
        (trace_of(&context), span_of(&context))
    };
    let id = ("x-datadog-trace-id", "1");
    let lower = "00000000000000000000000000000001".to_owned();
    assert_eq!(of(&[id, ("x-datadog-parent-id", "255")]), (lower.clone(), Some("00000000000000ff".to_owned())));
    assert_eq!(of(&[id]), (lower.clone(), None));
    assert_eq!(of(&[id, ("x-datadog-parent-id", "0")]), (lower.clone(), None));
    assert_eq!(of(&[id, ("x-datadog-tags", "_dd.p.tid=xyz")]), (lower, None));
    let with_tag = of(&[id, ("x-datadog-tags", "_dd.p.dm=-1,_dd.p.tid=640cfd8d00000000")]);
    assert_eq!(with_tag.0, "640cfd8d000000000000000000000001");
    for other in ["0", "-1", "+1", "0x1", "1.0", "18446744073709551616", "", "1,2", &"9".repeat(40_000)] {
        assert_new(&read(&[("x-datadog-trace-id", other), ("x-datadog-parent-id", "255")]));
    }
    assert_new(&read(&[id, id]));
    for (priority, flags) in [("2", "01"), ("1", "01"), ("0", "00"), ("-1", "00"), ("soon", "01")] {
        let context = read(&[id, ("x-datadog-sampling-priority", priority)]);
        assert!(context.traceparent().ends_with(flags), "{priority}");
    }
}

#[test]
fn b3_may_be_a_verdict_alone() {
    for (lines, flags) in [
        (&[("b3", "0")][..], "02"),
        (&[("b3", "1")], "03"),
        (&[("b3", "d")], "03"),
        (&[("X-B3-Sampled", "0")], "02"),
        (&[("X-B3-Sampled", "false")], "02"),
        (&[("X-B3-Sampled", "1")], "03"),
        (&[("X-B3-Flags", "1"), ("X-B3-Sampled", "0")], "03"),
    ] {
        let context = read(lines);
        assert_eq!((context.trace_id().as_uuid().get_version_num(), context.span_id()), (7, None));
        assert!(context.traceparent().ends_with(flags), "{lines:?}: {}", context.traceparent());
    }
    let id = FAMILIES[4].0[0];
    assert!(read(&[id, ("b3", "0")]).traceparent().ends_with("-00"));
    assert!(read(&[id]).traceparent().ends_with("-01"));
}

#[test]
fn b3_in_one_header_wins_over_b3_in_several() {
    let (single, several) = (FAMILIES[2], FAMILIES[3]);
    let lines: Vec<_> = several.0.iter().chain(single.0).copied().collect();
    assert_eq!(trace_of(&read(&lines)), single.1);
    assert_new(&read(&[several.0[0]]));
    assert_new(&read(&several.0[1..2]));
}

#[test]
fn x_trace_id_is_a_uuid_or_32_digits_and_nothing_else() {
    for id in [TRACE, &TRACE.to_uppercase(), "0af76519-16cd-43dd-8448-eb211c80319c"] {
        let context = read(&[("x-trace-id", id)]);
        assert_eq!((trace_of(&context), context.span_id()), (TRACE.to_owned(), None));
    }
    let urn = "urn:uuid:0af76519-16cd-43dd-8448-eb211c80319c";
    let braces = "{0af76519-16cd-43dd-8448-eb211c80319c}";
    let zeros = ["0".repeat(32), "00000000-0000-0000-0000-000000000000".to_owned()];
    for id in ["", "1", urn, braces, &zeros[0], &zeros[1], &TRACE[1..], &format!("{TRACE}0"), &"a".repeat(40_000)] {
        assert_new(&read(&[("x-trace-id", id)]));
    }
    assert_new(&read(&[("x-trace-id", TRACE), ("x-trace-id", TRACE)]));
}

#[test]
fn a_request_id_is_taken_if_it_is_short_and_plain() {
    for id in ["a", "req-1", "Root=1-67891233-abcdef012345678912345678", "01JD/7+x:y@z~", &"x".repeat(128)] {
        assert_eq!(read(&[("x-request-id", &format!(" {id} "))]).request_id(), Some(id));
    }
    for id in ["", "a b", "a\tb", "<script>", "a\"b", "a'b", "a\\b", "${jndi:x}", "a;b", "a,b", "%0a", &"x".repeat(129)]
    {
        let fresh = read(&[("x-request-id", id)]);
        assert!(fresh.request_id().is_some_and(|id| id.len() == 36 && id.starts_with("req-")), "{id:?}");
    }
    let twice = read(&[("x-request-id", "one"), ("x-request-id", "two")]);
    assert!(twice.request_id().is_some_and(|id| id.starts_with("req-")));
}

#[test]
fn a_langsmith_run_is_kept_beside_the_trace_if_it_is_one_of_at_most_4_kib() {
    assert_eq!(read(&[("langsmith-trace", LANGSMITH)]).langsmith_parent(), Some(LANGSMITH));
    let step = &LANGSMITH[..58];
    let of = |steps: usize| vec![step; steps].join(".");
    assert_eq!((of(69).len(), of(70).len()), (4_070, 4_129));
    assert_eq!(read(&[("langsmith-trace", &of(69))]).langsmith_parent(), Some(&*of(69)));
    for other in ["", "nonsense", &of(70), &step[1..], &format!("{step}."), &format!("{step},{step}")] {
        let context = read(&[("traceparent", TRACEPARENT), ("langsmith-trace", other)]);
        assert_eq!((trace_of(&context), context.langsmith_parent()), (TRACE.to_owned(), None), "{other:?}");
    }
    assert_eq!(read(&[("langsmith-trace", step), ("langsmith-trace", step)]).langsmith_parent(), None);
}

fn baggage(context: &RequestContext) -> Vec<(&str, &str)> {
    context.baggage_items().collect()
}

#[test]
fn baggage_is_decoded_from_all_its_lines() {
    let context = read(&[
        ("baggage", "user=Am%C3%A9lie, n = 5 ;props;k=v ,empty="),
        ("baggage", "json=%7B%22a%22%3A1%7D,bad%=1,user=twice"),
        ("baggage", "percent=100%,not-utf-8=%ff,a b=1,=1,novalue,c=d=e"),
    ]);
    let expected = [
        ("bad%", "1"),
        ("c", "d=e"),
        ("empty", ""),
        ("json", "{\"a\":1}"),
        ("n", "5"),
        ("not-utf-8", "\u{fffd}"),
        ("percent", "100%"),
        ("user", "twice"),
    ];
    assert_eq!(baggage(&context), expected);
}

#[test]
fn baggage_is_cut_at_64_members_and_8192_bytes_and_the_trace_goes_on() {
    let many = (0..10_000).map(|n| format!("k{n:05}={n}")).collect::<Vec<_>>().join(",");
    let context = read(&[("traceparent", TRACEPARENT), ("baggage", &many[..40_000 - 1])]);
    assert_eq!((trace_of(&context), baggage(&context).len()), (TRACE.to_owned(), 64));
    assert_eq!(baggage(&context)[63], ("k00063", "63"));
    // Both lines count together: 64 bytes per member, and a comma.
    let line = |range: std::ops::Range<usize>, length: usize| {
        range.map(|n| format!("k{n:03}={}", "v".repeat(length - 5))).collect::<Vec<_>>().join(",")
    };
    let exact = [line(0..32, 127), line(32..64, 127)];
    assert_eq!(exact[0].len() + 1 + exact[1].len(), 8_191);
    let context = read(&[("traceparent", TRACEPARENT), ("baggage", &exact[0]), ("baggage", &exact[1])]);
    assert_eq!(baggage(&context).len(), 64);
    let context = read(&[("traceparent", TRACEPARENT), ("baggage", &line(0..40, 400)), ("baggage", "small=1")]);
    assert_eq!((trace_of(&context), baggage(&context).len()), (TRACE.to_owned(), 21));
    assert_eq!(context.baggage_item("k019").map(str::len), Some(395), "whole members");
    assert_eq!(context.baggage_item("small"), Some("1"), "what still fits is kept");
    let context = read(&[("traceparent", TRACEPARENT), ("baggage", &format!("big={}", "v".repeat(39_000)))]);
    assert_eq!((trace_of(&context), baggage(&context).len()), (TRACE.to_owned(), 0));
}

#[test]
fn baggage_that_says_where_langsmiths_runs_go_is_never_kept() {
    let context = read(&[("baggage", "langsmith-replicas=%5B%5D,LangSmith-Replicas=x,langsmith-project=chat,a=b")]);
    assert_eq!(baggage(&context), [("a", "b"), ("langsmith-project", "chat")]);
}

#[test]
fn values_with_bytes_that_are_no_text_count_as_absent() {
    let values: [&[u8]; 5] = [b"\xff\xfe", b"caf\xc3\xa9", b"a\tb", b"\x80", &b"\xe9".repeat(40_000)];
    let names = FAMILIES.iter().flat_map(|family| family.0).map(|(name, _)| *name);
    let names: Vec<_> = names.chain(["tracestate", "baggage", "langsmith-trace", "x-request-id"]).collect();
    for value in values {
        for name in &names {
            assert_new(&extract(&headers(&[(name, value)])));
        }
        let all: Vec<_> = names.iter().map(|name| (*name, value)).collect();
        assert_new(&extract(&headers(&all)));
        let context =
            extract(&headers(&[("traceparent", TRACEPARENT.as_bytes()), ("baggage", value), ("tracestate", value)]));
        assert_eq!((trace_of(&context), baggage(&context).len(), context.tracestate()), (TRACE.to_owned(), 0, None));
    }
}

#[test]
fn ten_thousand_lines_of_every_header_are_read() {
    let mut lines = HeaderMap::new();
    let names = FAMILIES.iter().flat_map(|family| family.0);
    for (name, value) in names.chain(&[("tracestate", "a=1"), ("baggage", "k=v"), ("langsmith-trace", LANGSMITH)]) {
        for _ in 0..10_000 {
            lines.append(name.parse::<HeaderName>().expect("a name"), HeaderValue::from_static(value));
        }
    }
    let context = extract(&lines);
    assert_new(&context);
    assert_eq!(baggage(&context), [("k", "v")]);
}

fn lines() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let names = FAMILIES.iter().flat_map(|family| family.0).map(|(name, _)| *name);
    let names = names.chain(["tracestate", "baggage", "langsmith-trace", "x-request-id", "x-b3-flags"]);
    proptest::collection::vec((proptest::sample::select(names.collect::<Vec<_>>()), values()), 0..12)
}

proptest! {
    #[test]
    fn any_bytes_make_a_valid_context(lines in lines()) {
        let mut given = HeaderMap::new();
        for (name, value) in &lines {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                given.append(*name, value);
            }
        }
        let context = extract(&given);
        let traceparent = context.traceparent();
        let again = RequestContext::from_traceparent(&traceparent).expect("what we send is well-formed");
        prop_assert_eq!(again.trace_id(), context.trace_id());
        prop_assert_eq!(trace_of(&context).parse::<TraceId>().ok(), Some(context.trace_id()));
        let id = context.request_id().expect("every request has one");
        prop_assert!((1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()));
        prop_assert!(context.langsmith_parent().is_none_or(|parent| parent.len() <= 4 << 10 && parent.is_ascii()));
        prop_assert!(context.tracestate().is_none_or(|state| state.len() <= 512 && state.is_ascii()));
        prop_assert!(context.baggage_items().count() <= 64);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&context.to_json()).is_ok());
        // The headers sent on read back as they were.
        let mut sent = HeaderMap::new();
        context.sync_scope(|| ragtrace::http::inject(&mut sent));
        let read = extract(&sent);
        prop_assert_eq!(read.trace_id(), context.trace_id());
        prop_assert_eq!(read.tracestate(), context.tracestate());
        prop_assert_eq!(read.langsmith_parent(), context.langsmith_parent());
        // Encoded members are longer, so that some may not fit.
        prop_assert!(read.baggage_items().all(|(name, value)| context.baggage_item(name) == Some(value)));
    }
}
