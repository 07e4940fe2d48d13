//! Turns a parser's panic into an error, without the panic's own message on standard error.
//!
//! The message is only suppressed for code inside [`catch`], on its thread. Every other panic goes
//! to the hook that was set before.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use super::error::{Panic, ParseError};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

static HOOK: Once = Once::new();

/// Runs `parse`, and returns [`ParseError::Panicked`] if it panics. Calls must not be nested.
pub(super) fn catch<T>(parse: impl FnOnce() -> Result<T, ParseError>) -> Result<T, ParseError> {
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                report(info);
            }
        }));
    });
    QUIET.set(true);
    // Nothing that `parse` could leave half done is used after a panic, since it owns what it
    // builds.
    let result = panic::catch_unwind(AssertUnwindSafe(parse));
    QUIET.set(false);
    result.unwrap_or_else(|payload| Err(ParseError::Panicked(Panic(message(payload.as_ref())))))
}

fn message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn a_panic_is_an_error_that_says_what_the_parser_said() {
        let error = catch::<()>(|| panic!("{} bytes too few", 3)).expect_err("a panic");
        assert!(matches!(error, ParseError::Panicked(_)), "{error:?}");
        assert_eq!(error.source().expect("its message").to_string(), "3 bytes too few");
        assert_eq!(catch(|| Ok(1)).expect("no panic"), 1);
    }
}
