//! The text of a panic, for the runs that it passes through.
//!
//! The payload contains the panic's message and moves from run to run. The panic's location and
//! backtrace are known only to the panic hook, which runs before unwinding and leaves them in a
//! note on the thread. A note must only be used for its own panic: some panics do not run the hook
//! (`resume_unwind`), a panic may be caught before another one starts, and the latest panic on a
//! thread may belong to another request. A run therefore uses a note only if the note was left
//! while the run was the innermost one, or has already been used for the same payload, and if their
//! texts are equal.

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
    /// The note of the latest panic on this thread.
    static NOTE: RefCell<Option<Note>> = const { RefCell::new(None) };
}

/// A panic as the hook saw it.
#[derive(Clone, Debug)]
struct Note {
    /// The panic's text, or `None` if the payload is not a string.
    text: Option<String>,
    ty: TypeId,
    /// The location as ` (at file:line:column)`, or an empty string.
    place: String,
    stack_trace: Option<String>,
    owner: Owner,
}

/// The run or payload that a note belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// The run that was innermost on the thread, or `None` outside of any run.
    Innermost(Option<SpanId>),
    /// The payload at this address, for which a run has used the note. It moves on to the outer
    /// runs.
    Payload(usize),
}

/// Leaves a note of a panic on this thread.
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
    // If the value is borrowed or the thread is ending, no stage will ask for the note.
    with_note(|last| *last = Some(noted));
}

/// Returns the failure of a run by a panic with the given payload. The run has left the thread, and
/// `span` was the innermost run when the panic started.
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

/// Returns the failure of a run by a panic whose payload is not available, such as a panic of a
/// destructor. The run has left the thread, and `span` was the innermost run when the panic
/// started.
pub(super) fn unseen_failure(span: Option<SpanId>) -> Failure {
    let around = current::span();
    let taken = with_note(|last| {
        let note = last.as_mut().filter(|note| span.is_some() && note.owner == Owner::Innermost(span))?;
        // From now on the note belongs to the outer run.
        note.owner = Owner::Innermost(around);
        Some(note.clone())
    });
    taken.flatten().map_or_else(|| by_panic("panicked".to_owned(), None), Note::failure)
}

/// Returns the failure of this thread's runs by the panic that was noted last.
pub(super) fn noted_failure() -> Failure {
    with_note(|last| last.clone()).flatten().map_or_else(|| by_panic("panicked".to_owned(), None), Note::failure)
}

/// Returns `true` if there is a note of a panic in the innermost run that no run has used.
pub(super) fn is_noted() -> bool {
    let innermost = Owner::Innermost(current::span());
    with_note(|last| last.as_ref().is_some_and(|note| note.owner == innermost)).unwrap_or(false)
}

/// Removes the note of an earlier panic in the run `span`, so that it is not used for a later
/// panic.
pub(super) fn forget(span: Option<SpanId>) {
    with_note(|last| last.take_if(|note| note.owner == Owner::Innermost(span)));
}

/// Returns the text of a payload.
pub(super) fn describe(payload: &Payload) -> &str {
    text_of(innermost(payload)).unwrap_or(NO_TEXT)
}

/// Returns the payload inside any further boxes. A payload is boxed again when it is passed on from
/// another thread by `panic_any(error)`.
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

/// Creates the failure of a run that panicked.
fn by_panic(message: String, stack_trace: Option<String>) -> Failure {
    Failure { error: ErrorInfo { type_name: Cow::Borrowed("panic"), message, chain: Vec::new() }, stack_trace }
}

fn with_note<T>(look: impl FnOnce(&mut Option<Note>) -> T) -> Option<T> {
    NOTE.try_with(|last| last.try_borrow_mut().ok().map(|mut last| look(&mut last))).ok().flatten()
}
