//! Calls of what the application has implemented, such as the `Display` of its errors, a rule or a
//! sink: telemetry asks for it, so a panic in it is telemetry's to catch. What was asked for is
//! recorded as far as it could be read, with a mark.
//!
//! Under `panic = "abort"` there is no catching.

use std::any::Any;
use std::fmt::{Arguments, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The payload of a panic.
pub type Payload = dyn Any + Send;

/// Stands for the text of a payload that has none.
pub(crate) const NO_TEXT: &str = "a value that is not a text";

/// Does `work`, and returns what it returns or what it panicked with. Whoever gets a payload gives
/// it to [`dispose`].
///
/// # Errors
///
/// If `work` panicked: its payload.
#[inline]
pub fn contain<T>(work: impl FnOnce() -> T) -> Result<T, Box<Payload>> {
    catch_unwind(AssertUnwindSafe(work))
}

/// Drops what somebody panicked with. Its destructor may panic, too; what that panics with is
/// leaked.
pub fn dispose(payload: Box<Payload>) {
    if let Err(another) = contain(|| drop(payload)) {
        mem::forget(another);
    }
}

/// Calls `read`, and returns the text of its panic if it panics.
#[inline]
pub(crate) fn call<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    contain(read).map_err(into_text)
}

/// Returns what `text` formats to, as far as it is written; `of` is the trait that writes it.
pub(crate) fn read(of: &str, text: Arguments<'_>) -> String {
    let mut read = String::new();
    match call(|| read.write_fmt(text)) {
        Err(panic) => read + &mark(of, &panic),
        Ok(Err(_)) if read.is_empty() => format!("[could not be read: its `{of}` failed]"),
        // Where whoever implemented it gave up, what is there is all that there is.
        Ok(_) => read,
    }
}

/// Returns the mark of what could not be read because `of` panicked.
#[cold]
pub(crate) fn mark(of: &str, panic: &str) -> String {
    format!("[could not be read: its `{of}` panicked: {panic}]")
}

/// Returns the text of a payload, if it is one.
pub(crate) fn text_of(payload: &Payload) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref().map(String::as_str))
}

#[cold]
#[inline(never)]
fn into_text(payload: Box<Payload>) -> String {
    let text = text_of(&*payload).unwrap_or(NO_TEXT).to_owned();
    dispose(payload);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Panics when it is dropped, with another one.
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Self);
        }
    }

    #[test]
    fn a_payload_whose_destructor_panics_with_another_ends_nothing() {
        let payload = contain(|| std::panic::panic_any(Bomb)).expect_err("it panicked");
        dispose(payload);
        assert_eq!(call(|| std::panic::panic_any(Bomb)), Err::<(), _>(NO_TEXT.to_owned()));
    }
}
