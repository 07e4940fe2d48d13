//! Checks that headers, ids, times and sketches are either rejected, or read as values that print
//! as text which reads back as the same value.
#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use ragtrace::metrics::DurationSketch;
use ragtrace::{Level, RequestContext, SpanId, StageKind, Timestamp, TraceId};

fn prints_as_it_reads<T: FromStr + Display>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let printed = value.to_string();
    let again = printed.parse::<T>().unwrap_or_else(|_| panic!("{text:?} prints as {printed:?}, which is not read"));
    assert_eq!(printed, again.to_string());
}

fuzz_target!(|text: &str| {
    prints_as_it_reads::<TraceId>(text);
    prints_as_it_reads::<SpanId>(text);
    prints_as_it_reads::<Timestamp>(text);
    prints_as_it_reads::<DurationSketch>(text);
    prints_as_it_reads::<Level>(text);
    prints_as_it_reads::<StageKind>(text);
    if let Ok(context) = RequestContext::from_traceparent(text) {
        let written = context.traceparent();
        let again = RequestContext::from_traceparent(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
        assert_eq!((context.trace_id(), context.span_id()), (again.trace_id(), again.span_id()));
    }
});
