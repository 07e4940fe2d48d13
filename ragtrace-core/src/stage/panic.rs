//! The message of a thread's last panic, kept for the stages that it passes.
//!
//! A payload alone does not tell where a panic was, and generated code must not catch it, so a hook notes message and
//! location in a thread-local before the unwinding begins.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::cell::RefCell;
use std::panic::PanicHookInfo;

use crate::event::{ErrorInfo, Failure};

thread_local! {
    // It stays after the first stage has read it: the panic goes on, and the stages around want it too.
    static LAST: RefCell<Option<(String, Option<String>)>> = const { RefCell::new(None) };
}

/// Notes what a panic on this thread says.
pub(super) fn note(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a value that is not a text");
    let message = match info.location() {
        Some(at) => format!("{message} (at {}:{}:{})", at.file(), at.line(), at.column()),
        None => message.to_owned(),
    };
    let backtrace = Backtrace::capture();
    let captured = backtrace.status() == BacktraceStatus::Captured;
    let noted = (message, captured.then(|| backtrace.to_string()));
    // A panic while this very value is borrowed, or while the thread ends, is one that no stage will ask for.
    let _ = LAST.try_with(|last| {
        if let Ok(mut last) = last.try_borrow_mut() {
            *last = Some(noted);
        }
    });
}

/// The failure of a stage that the thread's last panic passes.
pub(crate) fn failure() -> Failure {
    let noted = LAST.try_with(|last| last.try_borrow().ok().and_then(|last| last.clone())).ok().flatten();
    let (message, stack_trace) = noted.unwrap_or_else(|| ("panicked".to_owned(), None));
    Failure { error: ErrorInfo { type_name: Cow::Borrowed("panic"), message, chain: Vec::new() }, stack_trace }
}
