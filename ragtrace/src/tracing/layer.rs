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

/// Returns the layer that makes records of an application's `tracing` events.
///
/// An event inside a stage becomes a record with the ids of the stage's request and the stage's
/// span; one outside of any becomes a record without. So do lines of the crate `log`, where a
/// `LogTracer` brings them to `tracing`, as `tracing_subscriber`'s `init()` has it do. Fields go to
/// the record's context, and so do those of the spans around the event, whatever their level and
/// whether they are set when the span is made or recorded later; of fields with one name the
/// innermost counts, and those of a span that carries the context of another trace are left out. An
/// event that names its parent has the ids of the context that this carries. An error has its
/// sources in its text.
///
/// It is one line beside the layers that are there:
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
/// Add it before [`Builder::install`](crate::Builder::install), or after: it records events while
/// telemetry is installed, and otherwise costs them a look whether it is. Fields of spans are kept
/// from the start, for lines after the first installation, until the telemetry is shut down. A
/// program that has no subscriber asks the builder for one
/// ([`Builder::capture_tracing`](crate::Builder::capture_tracing)).
///
/// # Beside other layers
///
/// It is right in any order of `with`, and takes nothing from the others: it disables no event and
/// no span, and gives no hint of a level. The levels of the sinks and of
/// [`Builder::level`](crate::Builder::level) say what it records. Three things follow:
///
/// - What a filter in front of all layers leaves out does not reach it: a global `EnvFilter`, or
///   the level of `tracing_subscriber::fmt()`, which is `INFO` unless set.
/// - Beside `fmt::layer().with_filter(…)`, and on its own in a registry, events of all levels reach
///   it, and those that no sink takes cost some nanoseconds. Where that counts put a `LevelFilter`
///   in front of all layers.
/// - `ragtrace::layer().with_filter(…)` is not needed, and events get lost in it: after
///   `log::log_enabled!`, which sqlx asks after each query, the next event does not reach a
///   filtered layer (tokio-rs/tracing, 2519).
///
/// A second one in the same subscriber does nothing, unless both come in one `vec![…]` or boxed
/// subscriber, which do not tell them of each other: then each event is recorded twice.
///
/// Two layers that are joined by `and_then`, right above the registry, have the level hint of the
/// second one alone: put this one second, or add each by `with`.
///
/// # Spans
///
/// A span carries the context in which it is made. Whoever enters it, on any thread, is in that
/// context until they leave the span: stages in `tokio::spawn(work.instrument(span))` are children
/// of the stage that made the span. A span that names its parent has that one's context, if that
/// carries one. A span that a filter leaves out is not there, and carries nothing.
///
/// A guard that is held over an `.await` leaves its span on the thread, which `tracing` warns of.
/// The stage that awaits takes the span's context off the thread, so that nothing else that runs
/// there is in it, and lines of other traces have none of the span's fields. In a task that is in
/// no stage and no scope of a context nobody takes it off: until the guard is dropped, whatever
/// runs on the thread without a context of its own is in the span's.
///
/// # What is passed over
///
/// Events of the pipeline's own threads, and of those that its sinks run on: they would lead to
/// more of them without end. A sink of yours that has threads of its own may need a directive, such
/// as `my_client=off`.
pub fn layer() -> Layer {
    static LAYERS: AtomicU64 = AtomicU64::new(1);
    Layer {
        number: LAYERS.fetch_add(1, Ordering::Relaxed),
        is_second: AtomicBool::new(false),
        claimed_by: AtomicU64::new(0),
        mirror: StageMirror::new(true),
    }
}

/// A layer that makes records of an application's `tracing` events; made by [`layer`](fn@layer).
#[derive(Debug)]
pub struct Layer {
    /// Tells its spans from those of another subscriber's layer.
    number: u64,
    /// Another one in the same subscriber does the work.
    is_second: AtomicBool,
    /// The number of the layer that does the work, of those that find this one in their subscriber;
    /// 0 before there is one.
    claimed_by: AtomicU64,
    mirror: StageMirror,
}

/// How whoever shows stages asks the layer of a subscriber.
const PORT: LayerPort = LayerPort {
    mirror: |subscriber| subscriber.downcast_ref::<Layer>().map(|layer| &layer.mirror),
    carried: span::carried_by_current,
};

impl Layer {
    /// Sets whether the layers beside this one see stages, as spans with events; on unless set.
    ///
    /// Each run of a stage is an ordinary span for them, with the stage's name, target, level and
    /// place, from its first poll or its call to its end. It is entered and left as the run is on a
    /// thread, and nests with the spans of the application. So a formatter writes stages,
    /// OpenTelemetry exports them, and [`Span::current`] inside a stage is the stage's span, which
    /// leads back into the stage wherever it is entered.
    ///
    /// | event | level | fields |
    /// | --- | --- | --- |
    /// | `{stage}_started` | the stage's | |
    /// | `{stage}_completed` | the stage's | `duration_ms` |
    /// | `{stage}_failed` | `ERROR` | `error` (with its sources), `duration_ms` |
    /// | `{stage}_cancelled` | `WARN` | `duration_ms` |
    ///
    /// The span's fields are those that the stage declares with `fields`, `ok`, `err` and `record`,
    /// each once it has a value; `count` and `first_item_ms`; in a failed one `error.type`,
    /// `otel.status_code` and `otel.status_description`; in the first one of a trace `trace_id`. A
    /// request is a span of `otel.kind` `server`.
    ///
    /// Filters hold for stages as for any span: `EnvFilter` finds them by target, level and name. A
    /// filter that leaves out a stage's span by its level still lets through that the stage failed.
    ///
    /// Stages are shown while telemetry is installed, or a test captures them. A run is shown to
    /// the subscriber that is current when it begins, if that has this layer; one that began before
    /// is not. While no subscriber has this layer with stages mirrored, or a filter in front of all
    /// layers leaves stages out, it costs a stage nothing. Where nobody else is in the subscriber,
    /// turn it off: stages are made spans there for nobody.
    ///
    /// [`Span::current`]: https://docs.rs/tracing/latest/tracing/struct.Span.html#method.current
    ///
    /// # What it shows
    ///
    /// Fields are shown to other layers as the application recorded them. A
    /// [`Secret`](crate::Secret) is a mark, but a [`Redactor`](crate::Redactor) has not seen them:
    /// it works where records are made. Texts are cut after 1,024 bytes, since a formatter writes a
    /// span's fields into each line inside it. What a stage used and generated is not shown.
    ///
    /// # When it is needed
    ///
    /// Beside showing stages, where code hands work on by the current span
    /// (`work.in_current_span()`, or `span.or_current()` where a level turns `span` off) and there
    /// is no other span between it and the stage: the stage has to be a span then, or the work
    /// leaves its trace. A program whose subscriber
    /// [`Builder::capture_tracing`](crate::Builder::capture_tracing) set has no other layers, and
    /// stages are not shown in it.
    ///
    /// # One trace id with OpenTelemetry
    ///
    /// OpenTelemetry gives its traces ids of its own, unless a generator gives them that of the
    /// request:
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
    /// The span that begins a trace has to be made in the request's context: that of a stage is.
    /// Spans have ids of their own, so a stage's record and its span share the trace's id alone. A
    /// stage that begins a trace inside another one (`#[traced_stage(root)]`, or another request's
    /// context) is the root of a trace there too, linked to the span around it.
    pub fn mirror_stages(self, is_on: bool) -> Self {
        Self { mirror: StageMirror::new(is_on), ..self }
    }

    /// Returns whether what happens on this thread is none of this layer's business.
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
        // Layers that were put together before they were put into a subscriber know nothing of each
        // other until here. All of them find the same one, and whichever is there first notes in it
        // that it does the work.
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

/// Returns whether somebody takes lines of a callsite. A test's capture takes all.
#[inline]
fn is_taken(site: &CallSite) -> bool {
    site.is_taken() || log::is_captured()
}

/// Returns whether the fields of a span may be wanted for a line.
fn are_span_fields_taken() -> bool {
    demand::takes_span_fields() || log::is_captured()
}

/// Records an event, if somebody takes it.
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
    // A parent that the event names knows better than the thread whose it is.
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

/// Does `work`. What panics in it, such as a lock of a span that another layer has poisoned, is no
/// reason to fail the application.
fn quietly(work: impl FnOnce()) {
    if let Err(panic) = contain(work) {
        dispose(panic);
    }
}
