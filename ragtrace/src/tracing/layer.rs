//! The layer that an application adds to its subscriber.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ragtrace_core::context::carried::{self, Carrier};
use ragtrace_core::guard::{contain, dispose};
use ragtrace_core::value::FieldBuffer;
use ragtrace_core::{RequestContext, log};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Dispatch, Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::callsite::{CallSite, level_of};
use super::mirror::{self, LayerPort, StageMirror};
use super::span::{self, SpanState};
use super::visitor::FieldRecorder;
use super::{demand, log_copy, ours};

/// Returns a layer that turns the application's `tracing` events into records.
///
/// An event inside of a stage becomes a record with the ids of the stage's request and the span id
/// of the stage; an event outside of any stage becomes a record without them. Lines of the crate
/// `log` become records too, if a `LogTracer` forwards them to `tracing`, as the one that
/// `tracing_subscriber`'s `init()` sets does. The event's fields go to the `context` of the record.
/// So do the fields of the spans around the event, whatever their level, and whether they are set
/// at the span's creation or recorded later. Of fields with the same name, the innermost one
/// counts; the fields of a span that carries the context of another trace are left out. An event
/// with an explicit parent has the ids of the context that the parent carries. The text of an error
/// includes its sources, up to 32 of them.
///
/// Add it to the other layers:
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// # let fmt = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
/// let subscriber = tracing_subscriber::registry()
/// #   .with(fmt)
///     .with(ragtrace::layer());
/// # drop(subscriber);
/// ```
///
/// ```
/// use tracing_subscriber::prelude::*;
///
/// tracing_subscriber::fmt()
/// #   .with_writer(std::io::sink)
///     .finish()
///     .with(ragtrace::layer())
///     .init();
/// ```
///
/// It may be added before or after [`Builder::install`](crate::Builder::install): it records events
/// while telemetry is installed, and otherwise costs an event one check. Fields of spans are kept
/// from the beginning, for events after the first installation, until the telemetry is shut down. A
/// program without a subscriber can let the builder set one
/// ([`Builder::capture_tracing`](crate::Builder::capture_tracing)).
///
/// # Other layers
///
/// The layer works in any order of `with`, and has no effect on other layers: it disables no event
/// and no span, and gives no level hint. The levels of the sinks and of
/// [`Builder::level`](crate::Builder::level) decide which events it records. This has three
/// consequences:
///
/// - Events that a filter in front of all layers leaves out do not reach it. Such filters are a
///   global `EnvFilter`, and the level of `tracing_subscriber::fmt()`, which is `INFO` by default.
/// - Beside `fmt::layer().with_filter(…)`, or alone in a registry, events of all levels reach it,
///   and those that no sink takes cost a few nanoseconds each. If that matters, put a `LevelFilter`
///   in front of all layers.
/// - Do not use `ragtrace::layer().with_filter(…)`. It is not needed and loses events: after
///   `log::log_enabled!`, which sqlx calls after each query, the next event does not reach a
///   filtered layer (tokio-rs/tracing, issue 2519).
///
/// A second layer in the same subscriber does nothing, unless both are in one `vec![…]` or boxed
/// subscriber, which does not tell them about each other: then each event is recorded twice.
///
/// Two layers that are joined by `and_then` directly above the registry have only the level hint of
/// the second one. Put this layer second, or add each layer by `with`.
///
/// # Spans
///
/// A span carries the context in which it is created. Code that enters the span, on any thread, is
/// in that context until it leaves the span: stages in `tokio::spawn(work.instrument(span))` are
/// children of the stage that created the span. A span with an explicit parent has the context of
/// the parent, if the parent carries one. A span that a filter leaves out does not exist and
/// carries nothing.
///
/// A guard that is held over an `.await` leaves its span entered on the thread, which `tracing`
/// warns about. When a stage awaits, the span's context is removed from the thread, so that other
/// code that runs there is not in it, and events of other traces do not get the span's fields. In a
/// task that is in no stage and no scope of a context, nothing removes it: until the guard is
/// dropped, all code that runs on the thread without a context of its own is in the span's context.
///
/// # Ignored events
///
/// Events of the pipeline's threads, including those that sinks run on, are ignored, because they
/// would produce more events without end. If your own sink has threads of its own, it may need a
/// directive such as `my_client=off`.
pub fn layer() -> Layer {
    static LAYERS: AtomicU64 = AtomicU64::new(1);
    Layer {
        number: LAYERS.fetch_add(1, Ordering::Relaxed),
        is_second: AtomicBool::new(false),
        claimed_by: AtomicU64::new(0),
        mirror: StageMirror::new(true),
    }
}

/// A layer that turns `tracing` events into records, returned by [`layer`](fn@layer).
#[derive(Debug)]
pub struct Layer {
    /// The number that distinguishes its spans from those of a layer in another subscriber.
    number: u64,
    /// Set if another layer in the same subscriber does the work.
    is_second: AtomicBool,
    /// The number of the layer that does the work for all layers that find this one in their
    /// subscriber; 0 as long as there is none.
    claimed_by: AtomicU64,
    mirror: StageMirror,
}

/// The functions by which the mirror of stages accesses the layer of a subscriber.
const PORT: LayerPort = LayerPort {
    mirror: |subscriber| subscriber.downcast_ref::<Layer>().map(|layer| &layer.mirror),
    carried: span::carried_by_current,
};

impl Layer {
    /// Sets whether other layers see stages as spans with events; `true` by default.
    ///
    /// For other layers, each run of a stage is an ordinary span with the stage's name, target,
    /// level and place, which lasts from the first poll or the call to the end of the run. The span
    /// is entered and left as the run is on a thread, and nests with the spans of the application.
    /// So formatters print stages, OpenTelemetry exports them, and [`Span::current`] inside of a
    /// stage returns the stage's span, which leads back into the stage wherever it is entered.
    ///
    /// | event | level | fields |
    /// | --- | --- | --- |
    /// | `{stage}_started` | the stage's | |
    /// | `{stage}_completed` | the stage's | `duration_ms` |
    /// | `{stage}_failed` | `ERROR` | `error` (with its sources), `duration_ms` |
    /// | `{stage}_cancelled` | `WARN` | `duration_ms` |
    ///
    /// The span has the fields that the stage declares with `fields`, `ok`, `err` and `record`,
    /// each once it has a value; `count` and `first_item_ms`; if the stage failed, `error.type`,
    /// `otel.status_code` and `otel.status_description`; and in the first span of a trace
    /// `trace_id`. The span of an HTTP request has the `otel.kind` `server`.
    ///
    /// Filters apply to stages as to any span: `EnvFilter` matches them by target, level and name.
    /// If a filter excludes a stage's span by its level, the event that the stage failed still
    /// passes.
    ///
    /// Stages are shown while telemetry is installed, or while a test captures them. A run is shown
    /// to the subscriber that is current when the run begins, if that subscriber has this layer; a
    /// run that began before is not shown. If no subscriber has this layer with the mirror on, or
    /// if a filter in front of all layers excludes stages, the mirror costs a stage nothing. If
    /// there are no other layers in the subscriber, turn the mirror off, because it would create
    /// spans that nobody sees.
    ///
    /// [`Span::current`]: https://docs.rs/tracing/latest/tracing/struct.Span.html#method.current
    ///
    /// # Fields
    ///
    /// Other layers see the fields as the application recorded them. A [`Secret`](crate::Secret) is
    /// shown as a mark, but a [`Redactor`](crate::Redactor) has not been applied, because it works
    /// where records are made. Texts are cut after 1,024 bytes, because a formatter writes the
    /// fields of a span into each line inside of it. Used and generated items are not shown.
    ///
    /// # When the mirror is needed
    ///
    /// Besides showing stages, the mirror is needed where code passes on work by the current span
    /// (`work.in_current_span()`, or `span.or_current()` where a level disables `span`) and there
    /// is no other span between the stage and that code. Without the mirror, such work leaves the
    /// stage's trace. A subscriber that
    /// [`Builder::capture_tracing`](crate::Builder::capture_tracing) sets has no other layers, and
    /// stages are not shown in it.
    ///
    /// # One trace id with OpenTelemetry
    ///
    /// OpenTelemetry gives its traces ids of its own, unless an id generator returns the trace id
    /// of the request:
    ///
    /// ```
    /// use opentelemetry::trace::{SpanId, TraceId};
    /// use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SdkTracerProvider};
    /// use ragtrace::RequestContext;
    ///
    /// #[derive(Debug)]
    /// struct RequestIds;
    ///
    /// impl IdGenerator for RequestIds {
    ///     fn new_trace_id(&self) -> TraceId {
    ///         let request = RequestContext::current();
    ///         request.map_or_else(|| RandomIdGenerator::default().new_trace_id(), |request| request.trace_id().as_u128().into())
    ///     }
    ///
    ///     fn new_span_id(&self) -> SpanId {
    ///         RandomIdGenerator::default().new_span_id()
    ///     }
    /// }
    ///
    /// let provider = SdkTracerProvider::builder().with_id_generator(RequestIds).build();
    /// # drop(provider);
    /// ```
    ///
    /// The span that begins a trace has to be created in the request's context, as the span of a
    /// stage is. Spans have ids of their own, so a stage's record and its span share only the trace
    /// id. A stage that begins a trace inside of another one (`#[traced_stage(root)]`, or in
    /// another request's context) is the root of a trace in OpenTelemetry too, linked to the span
    /// around it.
    pub fn mirror_stages(self, is_on: bool) -> Self {
        Self { mirror: StageMirror::new(is_on), ..self }
    }

    /// Returns `true` if events of this thread are ignored.
    #[inline]
    fn stays_out(&self) -> bool {
        self.is_second.load(Ordering::Relaxed) || ours::is_this_thread()
    }

    fn carrier(&self, span: &Id) -> Carrier {
        Carrier { layer: self.number, span: span.into_u64() }
    }
}

impl<S> tracing_subscriber::Layer<S> for Layer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_layer(&mut self, subscriber: &mut S) {
        let is_second = (subscriber as &dyn Subscriber).is::<Self>();
        *self.is_second.get_mut() = is_second;
        if !is_second {
            mirror::begin(&mut self.mirror, PORT);
        }
    }

    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        // Layers that were combined before they were added to a subscriber learn of each other only
        // here. All of them find the same layer, and the first one notes there that it does the
        // work.
        if let Some(found) = subscriber.downcast_ref::<Self>()
            && !self.is_second.load(Ordering::Relaxed)
        {
            let claimed = found.claimed_by.compare_exchange(0, self.number, Ordering::Relaxed, Ordering::Relaxed);
            self.is_second.store(claimed.is_err_and(|by| by != self.number), Ordering::Relaxed);
        }
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        log_copy::note(metadata);
        Interest::always()
    }

    fn on_event(&self, event: &Event<'_>, around: Context<'_, S>) {
        if !log::is_enabled() || self.stays_out() || mirror::is_mirrored(event.metadata()) {
            return;
        }
        quietly(|| record(event, &around));
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, around: Context<'_, S>) {
        if self.stays_out() {
            return;
        }
        quietly(|| {
            let metadata = attributes.metadata();
            let state = if mirror::is_mirrored(metadata) {
                SpanState::of_stage()
            } else {
                let has_fields = !metadata.fields().is_empty() && are_span_fields_taken();
                SpanState::of_new(attributes, &around, has_fields)
            };
            if let Some(state) = state {
                span::keep(state, id, &around);
            }
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, around: Context<'_, S>) {
        if self.stays_out() || mirror::is_mirroring() {
            return;
        }
        quietly(|| {
            let Some(span) = around.span(id) else { return };
            if are_span_fields_taken() {
                span::add_fields(values, &span);
            }
        });
    }

    fn on_enter(&self, id: &Id, around: Context<'_, S>) {
        if self.stays_out() || mirror::is_mirroring() {
            return;
        }
        quietly(|| span::with_context(id, &around, |context| carried::enter(self.carrier(id), context)));
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if !mirror::is_mirroring() {
            carried::exit(self.carrier(id));
        }
    }
}

/// Returns `true` if some sink takes the events of a callsite. A test's capture takes all.
#[inline]
fn is_taken(site: &CallSite) -> bool {
    site.is_taken() || log::is_captured()
}

/// Returns `true` if the fields of spans may be needed for an event.
fn are_span_fields_taken() -> bool {
    demand::takes_span_fields() || log::is_captured()
}

/// Records an event if some sink takes it.
fn record<S>(event: &Event<'_>, around: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let site = CallSite::of(event.metadata());
    if site.is_of_log {
        let Some(line) = event.normalized_metadata() else { return };
        let is_taken = demand::takes(level_of(*line.level()), line.target()) || log::is_captured();
        if !is_taken || log_copy::is_copy(&line) {
            return;
        }
    } else if !is_taken(site) {
        return;
    }
    // The explicit parent of an event determines the trace, not the span that is current on the
    // thread.
    let named = event.parent().and_then(|parent| span::carried_by(&around.span(parent)?));
    let mut trace = None;
    let record = |fields: &mut FieldBuffer| {
        event.record(&mut FieldRecorder(fields));
        for span in around.event_scope(event).into_iter().flatten() {
            let extensions = span.extensions();
            let Some(state) = extensions.get::<SpanState>() else { continue };
            let of_line = || named.as_ref().map(RequestContext::trace_id).or_else(log::current_trace);
            if let Some(of_span) = state.fields_for(*trace.get_or_insert_with(of_line)) {
                fields.add(of_span);
            }
        }
    };
    match &named {
        Some(context) => log::emit_in(context, &site.descriptor, record),
        None => log::emit(&site.descriptor, record),
    }
}

/// Runs `work`, and catches its panics, for example because another layer has poisoned the lock of
/// a span, so that the application does not fail.
fn quietly(work: impl FnOnce()) {
    if let Err(panic) = contain(work) {
        dispose(panic);
    }
}
