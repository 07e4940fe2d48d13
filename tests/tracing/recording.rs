//! A layer that notes its calls, for one test at a time.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// A call to the layer. Spans have numbers that are never used twice.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields have the names that `tracing` gives them")]
pub enum Heard {
    /// A span was created.
    New { span: u64, name: &'static str, parent: Option<u64>, target: &'static str, fields: Fields },
    /// A span was entered on this thread.
    Enter { span: u64, thread: ThreadId },
    /// A span was left on this thread.
    Exit { span: u64, thread: ThreadId },
    /// Fields were added to a span.
    Record { span: u64, fields: Fields },
    /// An event, with the spans around it, innermost first.
    Event { message: String, level: Level, scope: Vec<u64>, fields: Fields },
    /// A span was closed.
    Close { span: u64 },
}

/// Fields by their names, as text.
pub type Fields = BTreeMap<&'static str, String>;

static TURN: Mutex<()> = Mutex::new(());
static HEARD: Mutex<Vec<Heard>> = Mutex::new(Vec::new());
static SPANS: Mutex<u64> = Mutex::new(0);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A layer that notes its calls.
#[derive(Clone, Copy, Debug)]
pub struct Recorder;

/// The calls to the layer from when this was created until the next one is.
#[derive(Debug)]
pub struct Recording(#[expect(dead_code, reason = "held for as long as it lives")] MutexGuard<'static, ()>);

impl Recording {
    /// Waits for the previous test, and forgets its calls.
    pub fn begin() -> Self {
        let turn = lock(&TURN);
        lock(&HEARD).clear();
        Self(turn)
    }

    /// Returns the calls so far.
    pub fn heard(&self) -> Vec<Heard> {
        lock(&HEARD).clone()
    }

    /// Returns the tree of created spans, one line each with its depth, children in the order of
    /// their creation.
    ///
    /// # Panics
    ///
    /// Panics if a parent is missing.
    pub fn tree(&self) -> Vec<String> {
        let heard = self.heard();
        let spans: Vec<_> = heard
            .iter()
            .filter_map(|heard| match heard {
                Heard::New { span, name, parent, .. } => Some((*span, *name, *parent)),
                _ => None,
            })
            .collect();
        let known = |span: u64| spans.iter().any(|(other, ..)| *other == span);
        let mut lines = Vec::new();
        assert!(spans.iter().all(|(.., parent)| parent.is_none_or(known)), "a parent is not there: {heard:#?}");
        walk(&spans, None, 0, &mut lines);
        lines
    }

    /// Returns the events: level, message, and the names of the spans around it, outermost first.
    pub fn events(&self) -> Vec<String> {
        let heard = self.heard();
        let name_of = |wanted: u64| {
            heard.iter().find_map(|heard| match heard {
                Heard::New { span, name, .. } if *span == wanted => Some(*name),
                _ => None,
            })
        };
        heard
            .iter()
            .filter_map(|heard| match heard {
                Heard::Event { message, level, scope, .. } => {
                    let scope: Vec<_> = scope.iter().rev().filter_map(|span| name_of(*span)).collect();
                    Some(format!("{level} {message} in {}", scope.join(":")))
                }
                _ => None,
            })
            .collect()
    }

    /// Returns the fields of the only span with this name: those it was created with, and those
    /// added later.
    ///
    /// # Panics
    ///
    /// Panics if there is not exactly one such span.
    pub fn fields(&self, wanted: &str) -> Fields {
        let heard = self.heard();
        let mut found = heard.iter().filter_map(|heard| match heard {
            Heard::New { span, name, fields, .. } if *name == wanted => Some((*span, fields.clone())),
            _ => None,
        });
        let (Some((span, mut fields)), None) = (found.next(), found.next()) else {
            panic!("there is not one span {wanted}: {heard:#?}")
        };
        for heard in &heard {
            if let Heard::Record { span: of, fields: more } = heard
                && *of == span
            {
                fields.extend(more.clone());
            }
        }
        fields
    }

    /// Asserts the laws that a layer relies on: a span is created, then entered and left in pairs,
    /// each on one thread, then closed once, before this call.
    ///
    /// # Panics
    ///
    /// Panics if one of them does not hold.
    pub fn assert_balanced(&self) {
        let heard = self.heard();
        let mut open: BTreeMap<u64, Vec<ThreadId>> = BTreeMap::new();
        let mut closed = Vec::new();
        for (at, one) in heard.iter().enumerate() {
            let fault = || format!("at {at}, {one:?}, of {heard:#?}");
            match one {
                Heard::New { span, parent, .. } => {
                    assert!(parent.is_none_or(|parent| open.contains_key(&parent)), "no such parent {}", fault());
                    assert!(open.insert(*span, Vec::new()).is_none(), "made twice {}", fault());
                }
                Heard::Enter { span, thread } => {
                    open.get_mut(span).unwrap_or_else(|| panic!("entered and not open {}", fault())).push(*thread);
                }
                Heard::Exit { span, thread } => {
                    let entered = open.get_mut(span).and_then(|entered| {
                        let at = entered.iter().rposition(|by| by == thread)?;
                        Some(entered.remove(at))
                    });
                    assert!(entered.is_some(), "left and not entered {}", fault());
                }
                Heard::Record { span, .. } => assert!(open.contains_key(span), "recorded and not open {}", fault()),
                Heard::Event { scope, .. } => {
                    assert!(scope.iter().all(|span| open.contains_key(span)), "in no open span {}", fault());
                }
                Heard::Close { span } => {
                    let entered = open.remove(span);
                    assert!(entered.is_some_and(|entered| entered.is_empty()), "closed and not left {}", fault());
                    closed.push(*span);
                }
            }
        }
        assert!(open.is_empty(), "not closed: {:?} of {heard:#?}", open.keys());
    }
}

/// Adds a line for each of the spans whose parent is `at`, and for those inside it.
fn walk(spans: &[(u64, &str, Option<u64>)], at: Option<u64>, depth: usize, lines: &mut Vec<String>) {
    for (span, name, parent) in spans {
        if *parent == at {
            lines.push(format!("{}{name}", "  ".repeat(depth)));
            walk(spans, Some(*span), depth + 1, lines);
        }
    }
}

struct Number(u64);

#[derive(Default)]
struct Visitor {
    fields: Fields,
}

impl Visit for Visitor {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name(), value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let chain = std::iter::successors(Some(value), |error| error.source());
        let chain: Vec<_> = chain.map(ToString::to_string).collect();
        self.fields.insert(field.name(), chain.join(": "));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.fields.insert(field.name(), format!("{value:?}"));
    }
}

fn note(heard: Heard) {
    lock(&HEARD).push(heard);
}

fn number<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, ctx: &Context<'_, S>) -> u64 {
    let span = ctx.span(id).expect("a layer is told of spans that are there");
    let number = span.extensions().get::<Number>().map(|number| number.0);
    number.expect("it was told that the span is made")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let mut visitor = Visitor::default();
        attributes.record(&mut visitor);
        let span = ctx.span(id).expect("it was made");
        let parent = span.parent().map(|parent| number(&parent.id(), &ctx));
        let number = {
            let mut spans = lock(&SPANS);
            *spans += 1;
            *spans
        };
        span.extensions_mut().insert(Number(number));
        let metadata = attributes.metadata();
        let (name, target) = (metadata.name(), metadata.target());
        note(Heard::New { span: number, name, parent, target, fields: visitor.fields });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let mut visitor = Visitor::default();
        values.record(&mut visitor);
        note(Heard::Record { span: number(id, &ctx), fields: visitor.fields });
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut visitor = Visitor::default();
        event.record(&mut visitor);
        let scope = ctx.event_scope(event);
        let scope = scope.into_iter().flatten().map(|span| number(&span.id(), &ctx)).collect();
        let message = visitor.fields.remove("message").unwrap_or_default();
        note(Heard::Event { message, level: *event.metadata().level(), scope, fields: visitor.fields });
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        note(Heard::Enter { span: number(id, &ctx), thread: thread::current().id() });
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        note(Heard::Exit { span: number(id, &ctx), thread: thread::current().id() });
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        note(Heard::Close { span: number(&id, &ctx) });
    }
}
