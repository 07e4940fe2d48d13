//! Stages and an application's spans in one OpenTelemetry trace, with ragtrace's trace id.

use std::future::Future;

use futures_util::FutureExt;
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceId, TracerProvider};
use opentelemetry_sdk::trace::{IdGenerator, InMemorySpanExporter, RandomIdGenerator, SdkTracerProvider, SpanData};
use ragtrace::{RequestContext, testing, traced_stage};
use tracing::{Dispatch, Instrument, info_span, instrument};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// Gives spans of a request the trace id of its records.
#[derive(Debug)]
struct RequestIds;

impl IdGenerator for RequestIds {
    fn new_trace_id(&self) -> TraceId {
        match RequestContext::current() {
            Some(request) => TraceId::from(request.trace_id().as_u128()),
            None => RandomIdGenerator::default().new_trace_id(),
        }
    }

    fn new_span_id(&self) -> SpanId {
        RandomIdGenerator::default().new_span_id()
    }
}

#[traced_stage(kind = pipeline, fields(doc.name = name), ok(|chunks| longest = chunks.iter().max()))]
async fn ingest(name: &str) -> Result<Vec<u64>, std::io::Error> {
    let chunks = load(name).await?;
    tracing::info!("loaded");
    Ok(chunks)
}

#[instrument]
async fn load(name: &str) -> Result<Vec<u64>, std::io::Error> {
    chunk(name).await
}

#[traced_stage(kind = chunk)]
async fn chunk(name: &str) -> Result<Vec<u64>, std::io::Error> {
    tokio::task::yield_now().await;
    if name.is_empty() { Err(std::io::Error::other("there is no name")) } else { Ok(vec![3, 7]) }
}

#[traced_stage]
async fn waits() {
    std::future::pending::<()>().await;
}

/// Returns the spans exported while `work` runs.
fn exported<T>(work: impl Future<Output = T>) -> Vec<SpanData> {
    let exporter = InMemorySpanExporter::default();
    let provider =
        SdkTracerProvider::builder().with_id_generator(RequestIds).with_simple_exporter(exporter.clone()).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let subscriber = Dispatch::new(registry().with(layer).with(ragtrace::layer()));
    // With only one dispatcher, a callsite that is first reached elsewhere would be off for all.
    let _second = Dispatch::new(registry());
    tracing::dispatcher::with_default(&subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(work)
    });
    drop(subscriber);
    provider.force_flush().expect("nothing is in its way");
    exporter.get_finished_spans().expect("it goes on")
}

fn one<'a>(spans: &'a [SpanData], name: &str) -> &'a SpanData {
    let mut found = spans.iter().filter(|span| span.name == name);
    let (Some(span), None) = (found.next(), found.next()) else { panic!("not one {name}: {spans:#?}") };
    span
}

fn attribute(span: &SpanData, name: &str) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == name).map(|found| found.value.to_string())
}

#[test]
fn stages_and_spans_are_one_tree_of_one_trace_that_has_the_id_of_our_records() {
    let request = RequestContext::new();
    let trace = TraceId::from(request.trace_id().as_u128());
    let spans = exported(async {
        let (result, captured) = testing::capture(async { request.scope(ingest("report.pdf")).await }).await;
        assert_eq!(result.expect("it has a name").len(), 2);
        assert_eq!(captured.stage("ingest").completed().one().trace_id(), Some(request.trace_id()));
    });
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| span.span_context.trace_id() == trace));
    let (ingest, load, chunk) = (one(&spans, "ingest"), one(&spans, "load"), one(&spans, "chunk"));
    assert_eq!(ingest.parent_span_id, SpanId::INVALID);
    assert_eq!(load.parent_span_id, ingest.span_context.span_id());
    assert_eq!(chunk.parent_span_id, load.span_context.span_id());
    assert_eq!((&ingest.status, &ingest.span_kind), (&Status::Unset, &SpanKind::Internal));
    assert_eq!(attribute(ingest, "doc.name").as_deref(), Some("report.pdf"));
    assert_eq!(attribute(ingest, "count").as_deref(), Some("2"));
    assert_eq!(attribute(ingest, "longest").as_deref(), Some("7"));
    let events: Vec<_> = ingest.events.iter().map(|event| event.name.as_ref()).collect();
    assert_eq!(events, ["ingest_started", "loaded", "ingest_completed"]);
}

#[test]
fn a_span_around_the_request_that_was_made_in_its_context_has_the_id_too() {
    let request = RequestContext::new();
    let trace = TraceId::from(request.trace_id().as_u128());
    let spans = exported(async {
        let work = async { ingest("report.pdf").instrument(info_span!("handler")).await };
        testing::capture(async { request.scope(work).await }).await.0.map(drop)
    });
    assert!(spans.iter().all(|span| span.span_context.trace_id() == trace), "{spans:#?}");
    assert_eq!(one(&spans, "ingest").parent_span_id, one(&spans, "handler").span_context.span_id());
}

#[test]
fn a_stage_that_fails_has_the_status_error_and_its_message() {
    let spans = exported(testing::capture(ingest("")));
    for name in ["ingest", "chunk"] {
        let span = one(&spans, name);
        assert_eq!(span.status, Status::error("there is no name"), "{name}");
        assert_eq!(attribute(span, "error.type").as_deref(), Some("Error"));
        let failed = span.events.iter().find(|event| event.name == format!("{name}_failed")).expect("an event");
        let said = failed.attributes.iter().find(|attribute| attribute.key.as_str() == "exception.message");
        assert_eq!(said.map(|said| said.value.to_string()).as_deref(), Some("there is no name"));
    }
    // The application's own span has no status.
    assert_eq!(one(&spans, "load").status, Status::Unset);
}

#[test]
fn a_stage_that_is_dropped_is_no_error() {
    let spans = exported(testing::capture(async { assert!(waits().now_or_never().is_none()) }));
    let waits = one(&spans, "waits");
    assert_eq!(waits.status, Status::Unset);
    assert_eq!(waits.events.iter().filter(|event| event.name == "waits_cancelled").count(), 1);
}

#[test]
fn a_request_is_a_server_s_span() {
    let stage = ragtrace_core::StageDescriptor::new("", "ragtrace::http").with_http_messages();
    let stage = ragtrace_core::intern("GET /chunks/{id}", &stage).expect("there is room");
    let spans = exported(async {
        testing::capture_sync(|| {
            let context = RequestContext::current().expect("in a capture");
            let mut run = ragtrace_core::stage::ManualRun::begin(stage, &context, |_| ());
            run.end(|ending| {
                let error = ragtrace_core::ErrorInfo::new("503", "the index is away".to_owned(), Vec::new());
                ending.fail(Box::new(ragtrace_core::Failure::new(error)));
                ending.answered();
            });
        })
    });
    let request = one(&spans, "GET /chunks/{id}");
    assert_eq!(request.span_kind, SpanKind::Server);
    assert_eq!(request.status, Status::error("the index is away"));
    let events: Vec<_> = request.events.iter().map(|event| event.name.as_ref()).collect();
    assert_eq!(events, ["http_request_received", "http_response_sent"]);
}
