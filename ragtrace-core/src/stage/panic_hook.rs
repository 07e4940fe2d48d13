//! The panic hook: notes each panic for the stages that it passes and, where a panic ends the process, has the last records
//! made and delivered.
//!
//! The hook that was there still runs. A hook that the application sets later replaces ours: stages then fail with `panic` and
//! no message.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

use crate::observer;
use crate::stage::abort::{self, ActiveRuns, ENDS_THE_PROCESS};
use crate::stage::panic;

thread_local! {
    static IS_SILENT: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic was that the hook kept silent about.
    static SILENCED_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Chains the hook, once in a process.
pub fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if ENDS_THE_PROCESS {
            // Among the first, so there is room.
            observer::add(&ActiveRuns);
        }
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if note_silenced(info) {
                return;
            }
            panic::note(info);
            let last_records = ENDS_THE_PROCESS.then(abort::begin);
            // What the user sees does not wait for what the backends get.
            earlier(info);
            if let Some(last_records) = last_records {
                last_records.wait();
            }
        }));
    });
}

/// Does `work`, and returns what it returns or where it panicked. Our hook, if it is the process's, says nothing of that panic:
/// its message may repeat what `work` was given. Where a panic ends the process, all is as ever.
///
/// # Errors
///
/// If `work` panicked: where, as far as it is known.
pub fn catch_silently<T>(work: impl FnOnce() -> T) -> Result<T, Option<String>> {
    let before = IS_SILENT.try_with(|is_silent| is_silent.replace(true));
    let done = contain(work);
    if let Ok(before) = before {
        let _ = IS_SILENT.try_with(|is_silent| is_silent.set(before));
    }
    done.map_err(|payload| {
        dispose(payload);
        SILENCED_AT.try_with(RefCell::take).ok().flatten()
    })
}

/// Does `work`, and returns what it returns or what it panicked with. Whoever gets a payload gives it to [`dispose`].
///
/// # Errors
///
/// If `work` panicked: its payload.
pub fn contain<T>(work: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(work))
}

/// Drops what somebody panicked with. Its destructor may panic, too; what that panics with is leaked.
pub fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(another) = contain(|| drop(payload)) {
        std::mem::forget(another);
    }
}

/// Notes where a panic was that is to be kept silent about. Returns whether it is.
fn note_silenced(info: &PanicHookInfo<'_>) -> bool {
    if ENDS_THE_PROCESS || !IS_SILENT.try_with(Cell::get).unwrap_or(false) {
        return false;
    }
    let at = info.location().map(|at| format!("{}:{}:{}", at.file(), at.line(), at.column()));
    let _ = SILENCED_AT.try_with(|silenced| silenced.replace(at));
    true
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
    fn what_panics_silently_is_located_and_another_panic_is_not() {
        install_hook();
        let at = catch_silently(|| panic!("a secret")).expect_err("it panicked");
        assert!(at.is_some_and(|at| at.contains("panic_hook.rs:")));
        assert_eq!(catch_silently(|| 7), Ok(7));
        assert!(!IS_SILENT.get());
    }

    #[test]
    fn a_payload_whose_destructor_panics_with_another_ends_nothing() {
        let payload = contain(|| std::panic::panic_any(Bomb)).expect_err("it panicked");
        dispose(payload);
        assert_eq!(catch_silently(|| std::panic::panic_any(Bomb)).err().map(|_| ()), Some(()));
    }
}
