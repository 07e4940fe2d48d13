//! Calls into code that the application implements, such as an error's `Display`, a redaction rule
//! or a sink.
//!
//! Telemetry makes these calls, so it has to catch their panics. Text that was written before a
//! panic is kept, followed by a mark.
//!
//! Nothing can be caught under `panic = "abort"`.

use std::any::Any;
use std::fmt::{Arguments, Write};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The payload of a panic.
pub type Payload = dyn Any + Send;

/// The text that stands for a panic payload that is not a string.
pub(crate) const NO_TEXT: &str = "a value that is not a text";

/// Calls `work` and catches its panic.
///
/// The caller passes the payload of a panic to [`dispose`] when it is done with it.
///
/// # Errors
///
/// Returns the payload if `work` panics.
#[inline]
pub fn contain<T>(work: impl FnOnce() -> T) -> Result<T, Box<Payload>> {
    catch_unwind(AssertUnwindSafe(work))
}

/// Drops the payload of a panic. If its destructor panics, the payload of that second panic is
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

/// Formats `text`, keeping the part written before a failure or panic. The name of the formatting
/// trait, `of`, is used in the mark that is added.
pub(crate) fn read(of: &str, text: Arguments<'_>) -> String {
    let mut read = String::new();
    match call(|| read.write_fmt(text)) {
        Err(panic) => read + &mark(of, &panic),
        Ok(Err(_)) if read.is_empty() => format!("[could not be read: its `{of}` failed]"),
        // An implementation that returned an error after writing some text gets no mark: that text
        // is all there is.
        Ok(_) => read,
    }
}

/// Returns the mark for text that could not be read because the trait `of` panicked.
#[cold]
pub(crate) fn mark(of: &str, panic: &str) -> String {
    format!("[could not be read: its `{of}` panicked: {panic}]")
}

/// Returns the text of a payload, or `None` if it is not a string.
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

    /// Panics with another `Bomb` when it is dropped.
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
