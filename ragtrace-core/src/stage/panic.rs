//! The text of a panic, for the runs that it passes.
//!
//! The payload says what the panic was, and goes from run to run. Where it began, and its
//! backtrace, only the panic hook is told, before the unwinding; so the hook leaves a note on the
//! thread. A note is used for nothing but its own panic: not every panic runs the hook
//! (`resume_unwind` does not), a panic may be caught and another one come, and the last one on a
//! thread may be another request's. So a run takes a note only if it was left while the run was the
//! innermost one, or was taken for this very payload before, and only if both say the same text.

use std::any::TypeId;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::cell::RefCell;
use std::panic::PanicHookInfo;

use crate::context::current;
use crate::event::{ErrorInfo, Failure};
use crate::guard::{NO_TEXT, Payload, text_of};
use crate::id::SpanId;

thread_local! {
    /// The note of the thread's last panic.
    static NOTE: RefCell<Option<Note>> = const { RefCell::new(None) };
}

/// A panic as the hook was told of it.
#[derive(Clone, Debug)]
struct Note {
    /// `None` for a payload that is not a text.
    text: Option<String>,
    ty: TypeId,
    /// Where the panic began, as ` (at file:line:column)`, or nothing.
    place: String,
    stack_trace: Option<String>,
    owner: Owner,
}

/// Whose panic a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// The run that was the innermost on the thread; `None` outside of any.
    Innermost(Option<SpanId>),
    /// A run has taken the note for the payload at this address, which goes on to the runs around
    /// it.
    Payload(usize),
}

/// Notes what a panic on this thread says.
pub(super) fn note(info: &PanicHookInfo<'_>) {
    let place =
        info.location().map_or_else(String::new, |at| format!(" (at {}:{}:{})", at.file(), at.line(), at.column()));
    let backtrace = Backtrace::capture();
    let captured = backtrace.status() == BacktraceStatus::Captured;
    let noted = Note {
        text: text_of(info.payload()).map(str::to_owned),
        ty: info.payload().type_id(),
        place,
        stack_trace: captured.then(|| backtrace.to_string()),
        owner: Owner::Innermost(current::span()),
    };
    // A panic while this very value is borrowed, or while the thread ends, is one that no stage
    // will ask for.
    with_note(|last| *last = Some(noted));
}

/// Returns the failure of a run by the panic whose payload this is. The run has left the thread;
/// `span` was the innermost one when it panicked.
pub(super) fn failure(payload: &Payload, span: Option<SpanId>) -> Failure {
    let payload = innermost(payload);
    let text = text_of(payload);
    let address = std::ptr::from_ref(payload).cast::<()>().addr();
    let taken = with_note(|last| {
        let note = last.as_mut().filter(|note| {
            let is_its_own = [Owner::Innermost(span), Owner::Payload(address)].contains(&note.owner);
            is_its_own && note.ty == payload.type_id() && note.text.as_deref() == text
        })?;
        note.owner = Owner::Payload(address);
        Some(note.clone())
    });
    match taken.flatten() {
        Some(note) => note.failure(),
        None => by_panic(text.unwrap_or("panicked").to_owned(), None),
    }
}

/// Returns the failure of a run by a panic whose payload nobody has seen, such as one of a
/// destructor. The run has left the thread; `span` was the innermost one when it panicked.
pub(super) fn unseen_failure(span: Option<SpanId>) -> Failure {
    let around = current::span();
    let taken = with_note(|last| {
        let note = last.as_mut().filter(|note| span.is_some() && note.owner == Owner::Innermost(span))?;
        // It is the panic of the run around this one from here on.
        note.owner = Owner::Innermost(around);
        Some(note.clone())
    });
    taken.flatten().map_or_else(|| by_panic("panicked".to_owned(), None), Note::failure)
}

/// Returns the failure of the runs on this thread by the panic that was just noted.
pub(super) fn noted_failure() -> Failure {
    with_note(|last| last.clone()).flatten().map_or_else(|| by_panic("panicked".to_owned(), None), Note::failure)
}

/// Returns whether a panic of the innermost run is noted that no run has taken.
pub(super) fn is_noted() -> bool {
    let innermost = Owner::Innermost(current::span());
    with_note(|last| last.as_ref().is_some_and(|note| note.owner == innermost)).unwrap_or(false)
}

/// Forgets what is noted of an earlier panic of the run `span`, so that it is not taken for one to
/// come.
pub(super) fn forget(span: Option<SpanId>) {
    with_note(|last| last.take_if(|note| note.owner == Owner::Innermost(span)));
}

/// Returns what a payload says of itself.
pub(super) fn describe(payload: &Payload) -> &str {
    text_of(innermost(payload)).unwrap_or(NO_TEXT)
}

/// Returns the payload that was boxed once more on its way from one thread to another, as
/// `panic_any(error)` does.
fn innermost(mut payload: &Payload) -> &Payload {
    while let Some(inner) = payload.downcast_ref::<Box<Payload>>() {
        payload = &**inner;
    }
    payload
}

impl Note {
    fn failure(self) -> Failure {
        let Self { text, place, stack_trace, .. } = self;
        by_panic(format!("{}{place}", text.as_deref().unwrap_or(NO_TEXT)), stack_trace)
    }
}

fn by_panic(message: String, stack_trace: Option<String>) -> Failure {
    Failure { error: ErrorInfo { type_name: Cow::Borrowed("panic"), message, chain: Vec::new() }, stack_trace }
}

fn with_note<T>(look: impl FnOnce(&mut Option<Note>) -> T) -> Option<T> {
    NOTE.try_with(|last| last.try_borrow_mut().ok().map(|mut last| look(&mut last))).ok().flatten()
}
